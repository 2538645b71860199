#include "base/text.h"
#include "pipeline/spec/yaml_node.h"

namespace sightline::pipeline {
namespace {

constexpr size_t kLineWidth = 100;

// Words that some YAML reader takes for something else than text. Ours would not, but cards are read by
// others too.
bool IsReserved(std::string_view text) {
  static const std::vector<std::string> words = {"null", "~",  "true", "false", "yes",
                                                 "no",   "on", "off",  "y",     "n"};
  return std::find(words.begin(), words.end(), Lower(text)) != words.end();
}

bool IsPlain(std::string_view text) {
  if (text.empty() || IsReserved(text)) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const size_t slash = text.find('/');  // a fraction: nobody takes 1/255 for anything else
  if (slash != std::string_view::npos &&
      std::all_of(text.begin(), text.end(), [&](char c) { return digit(c) || c == '/'; })) {
    return slash > 0 && slash + 1 < text.size() && text.find('/', slash + 1) == std::string_view::npos;
  }
  if (!letter(text.front())) return false;
  for (char c : text) {
    if (!letter(c) && !digit(c) && c != ' ' && c != '.' && c != '-' && c != '/' && c != '+' && c != '@')
      return false;
  }
  return text.back() != ' ';
}

std::string Scalar(const Node& node) {
  if (node.kind == Node::Kind::kNull) return "null";
  if (node.literal || IsPlain(node.text)) return node.text;
  std::string quoted = "\"";
  for (char c : ToValidUtf8(node.text)) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

bool IsFlow(const Node& node) {
  const auto leaf = [](const Node& item) {
    return item.kind == Node::Kind::kScalar || item.kind == Node::Kind::kNull;
  };
  if (node.items.empty()) return true;
  if (node.kind != Node::Kind::kList) return false;
  if (std::all_of(node.items.begin(), node.items.end(), leaf)) return true;
  // Rows of numbers, as anchors are.
  return std::all_of(node.items.begin(), node.items.end(), [&](const Node& row) {
    return row.kind == Node::Kind::kList && std::all_of(row.items.begin(), row.items.end(), leaf);
  });
}

class Printer {
 public:
  std::string Take() { return std::move(out_); }

  // `indent`: columns in front of the node's own lines. A block starts on the current line (the caller has
  // put the indentation of its first line).
  void Block(const Node& node, size_t indent) {
    const bool map = node.kind == Node::Kind::kMap;
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = node.items[i];
      if (i > 0) out_.append(indent, ' ');
      if (!map) {
        out_ += "- ";
        if (IsLeafOrFlow(item)) {
          Inline(item, indent + 2);
        } else {
          Block(item, indent + 2);
        }
        continue;
      }
      out_ += Scalar(node.keys[i]) + ":";
      if (IsLeafOrFlow(item)) {
        out_ += " ";
        Inline(item, indent + 2);
      } else {
        if (!item.comment.empty()) out_ += "  # " + OneLine(item.comment);
        out_ += "\n";
        out_.append(indent + 2, ' ');
        Block(item, indent + 2);
      }
    }
  }

  void Inline(const Node& node, size_t indent) {
    Flow(node, indent);
    if (!node.comment.empty()) out_ += "  # " + OneLine(node.comment);
    out_ += "\n";
  }

  static bool IsLeafOrFlow(const Node& node) {
    return node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kNull || IsFlow(node);
  }

 private:
  static std::string OneLine(std::string_view text) {
    std::string line = ToValidUtf8(text);
    for (char& c : line) {
      if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return line;
  }

  void Flow(const Node& node, size_t indent) {
    if (node.kind == Node::Kind::kMap) {
      out_ += "{}";
      return;
    }
    if (node.kind != Node::Kind::kList) {
      out_ += Scalar(node);
      return;
    }
    out_ += "[";
    for (size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out_ += ",";
      if (i > 0 && Column() > kLineWidth - 12) {
        out_ += "\n";
        out_.append(indent, ' ');
      } else if (i > 0) {
        out_ += " ";
      }
      Flow(node.items[i], indent);
    }
    out_ += "]";
  }

  size_t Column() const {
    const size_t line = out_.rfind('\n');
    return line == std::string::npos ? out_.size() : out_.size() - line - 1;
  }

  std::string out_;
};

}  // namespace

std::string PrintYaml(const Node& root) {
  Printer printer;
  if (Printer::IsLeafOrFlow(root)) {
    printer.Inline(root, 0);
  } else {
    printer.Block(root, 0);
  }
  return printer.Take();
}

}  // namespace sightline::pipeline
