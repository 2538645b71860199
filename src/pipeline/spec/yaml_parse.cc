#include <istream>
#include <streambuf>

#include "base/text.h"
#include "pipeline/spec/yaml_node.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace sightline::pipeline {
namespace {

// Ours, thrown out of yaml-cpp's parser and caught in ParseYaml.
struct Refused {
  int position;
  std::string message;
};

// Reads memory in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

struct Position {
  int line = 1, column = 1;
};

// Columns count characters, as editors do.
int ColumnOf(std::string_view text, size_t offset) {
  int column = 1;
  for (size_t i = std::min(offset, text.size()); i > 0 && text[i - 1] != '\n'; --i) {
    column += (text[i - 1] & 0xC0) != 0x80;
  }
  return column;
}

Position PositionOf(std::string_view text, int offset) {
  const size_t end = std::min<size_t>(std::max(offset, 0), text.size());
  return {1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(end), '\n')),
          ColumnOf(text, end)};
}

// Collects yaml-cpp's events into a tree.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const YamlLimits& limits) : text_(text), limits_(limits) {}
  Node TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused{mark.pos, "a second document begins here; a file holds one"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = Start(mark, "", anchor);
    // yaml-cpp does not say how it was written, and a label may well be called null.
    const std::string_view rest = text_.substr(std::min<size_t>(std::max(mark.pos, 0), text_.size()));
    for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
      if (rest.starts_with(word)) node.text = word;
    }
    null_position_ = mark.pos;
    Finish(std::move(node));
    if (last_null_->text.empty()) PlaceEmpty(last_null_);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAnchors(mark); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = Start(mark, tag, anchor);
    node.kind = Node::Kind::kScalar;
    node.text = value;
    node.quoted = tag == "!";
    Finish(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  [[noreturn]] static void RefuseAnchors(const YAML::Mark& mark) {
    throw Refused{mark.pos,
                  "anchors (&) and aliases (*) are not supported; write the value out, or put it in quotes"};
  }

  Node Start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) RefuseAnchors(mark);
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refused{mark.pos, fmt::format("the tag {} is not supported; leave it out", ToValidUtf8(tag))};
    }
    if (++nodes_ > limits_.nodes_max) {
      throw Refused{mark.pos, fmt::format("more than {} values in one file", limits_.nodes_max)};
    }
    // An empty value has the position of what follows it: then it was not the word that stands there.
    if (mark.pos == null_position_ && last_null_ != nullptr && !last_null_->text.empty()) {
      last_null_->text.clear();
      PlaceEmpty(last_null_);
    }
    last_null_ = nullptr;
    null_position_ = -1;
    const Position position = Advance(mark.pos);
    Node node;
    node.line = position.line;
    node.column = position.column;
    return node;
  }

  // An empty value stands where its key does; one in a list, where the text before it ends.
  void PlaceEmpty(Node* node) {
    if (open_.empty()) return;
    const Node& parent = open_.back();
    if (parent.kind == Node::Kind::kMap && parent.keys.size() == parent.items.size()) {
      node->line = parent.keys.back().line;
      node->column = parent.keys.back().column;
      return;
    }
    const size_t before = text_.substr(0, std::max(null_position_, 0)).find_last_not_of(" \t\r\n");
    if (before == std::string_view::npos) return;
    const Position position = Before({node->line, node->column}, null_position_, static_cast<int>(before));
    node->line = position.line;
    node->column = position.column;
  }

  // The position of `target`, a little before `offset`, whose position is known. A file may ask for many of
  // them, so the cost is that of the distance, not of the whole text.
  Position Before(Position known, int offset, int target) const {
    const std::string_view between = text_.substr(target, offset - target);
    const auto lines = static_cast<int>(std::count(between.begin(), between.end(), '\n'));
    if (lines > 0) return {known.line - lines, ColumnOf(text_, target)};
    const auto characters =
        std::count_if(between.begin(), between.end(), [](char c) { return (c & 0xC0) != 0x80; });
    return {known.line, known.column - static_cast<int>(characters)};
  }

  // Events come nearly in order: count on from the last position, not from the start each time.
  Position Advance(int offset) {
    const int target = std::min(std::max(offset, 0), static_cast<int>(text_.size()));
    if (target < offset_) return Before(at_, offset_, target);
    for (; offset_ < target; ++offset_) {
      if (text_[offset_] == '\n') {
        ++at_.line;
        at_.column = 1;
      } else {
        at_.column += (text_[offset_] & 0xC0) != 0x80;
      }
    }
    return at_;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    Node node = Start(mark, tag, anchor);
    node.kind = kind;
    if (open_.size() >= limits_.depth_max) {
      throw Refused{mark.pos, fmt::format("nested more than {} deep", limits_.depth_max)};
    }
    open_.push_back(std::move(node));
  }

  void Close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    last_null_ = nullptr;
    Finish(std::move(node));
  }

  // A map's children come as key, value, key, value.
  void Finish(Node node) {
    const bool null = node.kind == Node::Kind::kNull;
    Node* kept = &root_;
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      Node& parent = open_.back();
      const bool key = parent.kind == Node::Kind::kMap && parent.keys.size() == parent.items.size();
      std::vector<Node>& children = key ? parent.keys : parent.items;
      children.push_back(std::move(node));
      kept = &children.back();
    }
    last_null_ = null ? kept : nullptr;
  }

  std::string_view text_;
  YamlLimits limits_;
  Node root_;
  std::vector<Node> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
  int null_position_ = -1;
  Node* last_null_ = nullptr;  // the node that the last event made, when it was a null
  int offset_ = 0;
  Position at_;
};

// What yaml-cpp would misread or stop at silently.
std::optional<Refused> CheckBytes(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Refused{-1,
                   fmt::format("{} bytes; a specification has at most {}", text.size(), limits.bytes_max)};
  }
  if (!IsValidUtf8(text)) return Refused{-1, "not a text in UTF-8"};
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
      return Refused{static_cast<int>(i), fmt::format("control character 0x{:02x}", c)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<Node, Diagnostic> ParseYaml(std::string_view yaml, std::string_view file,
                                         const YamlLimits& limits) {
  if (yaml.starts_with("\xEF\xBB\xBF")) yaml.remove_prefix(3);
  const auto diagnose = [&](int offset, std::string message) {
    Diagnostic diagnostic{std::string(file), 0, 0, "", std::move(message)};
    if (offset >= 0) {
      const Position position = PositionOf(yaml, offset);
      diagnostic.line = position.line;
      diagnostic.column = position.column;
    }
    return diagnostic;
  };
  if (auto refused = CheckBytes(yaml, limits))
    return diagnose(refused->position, std::move(refused->message));
  try {
    ViewBuffer buffer(yaml);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder(yaml, limits);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.TakeRoot();
  } catch (const Refused& refused) {
    return diagnose(refused.position, refused.message);
  } catch (const YAML::Exception& error) {
    return diagnose(error.mark.is_null() ? -1 : error.mark.pos, "not valid YAML: " + ToValidUtf8(error.msg));
  } catch (const std::exception& error) {
    return diagnose(-1, fmt::format("not valid YAML: {}", error.what()));
  }
}

}  // namespace sightline::pipeline
