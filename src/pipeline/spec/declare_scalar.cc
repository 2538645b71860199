#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pipeline/spec/declare.h"

namespace sightline::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// "wanted WHAT, found THAT"; a number in quotes is the commonest slip of all.
void Unwanted(const Type& type, const Node& node, const std::string& path, Report* report) {
  const bool number_in_quotes = node.quoted && ParseNumber(node.text);
  report->At(node, path,
             fmt::format("wanted {}, found {}{}", type.Words(), node.Found(),
                         number_in_quotes ? "; leave the quotes out" : ""));
}

class TextType : public Type {
 public:
  explicit TextType(TextRule rule) : rule_(std::move(rule)) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const bool null_word = node.kind == Node::Kind::kNull && !node.text.empty();
    if (node.kind != Node::Kind::kScalar && !null_word) return Unwanted(*this, node, path, report);
    if (node.text.size() > rule_.bytes_max) {
      return report->At(node, path,
                        fmt::format("text of {} bytes; at most {}", node.text.size(), rule_.bytes_max));
    }
    if (rule_.valid != nullptr && !rule_.valid(node.text)) return Unwanted(*this, node, path, report);
    *static_cast<std::string*>(value) = node.text;
  }
  Node Write(const void* value, Show) const override {
    return Node::Text(*static_cast<const std::string*>(value));
  }
  std::string Words() const override { return rule_.words; }
  Json Schema() const override {
    Json schema = {{"type", "string"}};
    if (!rule_.pattern.empty()) schema["pattern"] = rule_.pattern;
    return schema;
  }

 private:
  TextRule rule_;
};

class IntegerType : public Type {
 public:
  IntegerType(int min, int max) : min_(min), max_(max) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const auto number = ParseInteger(node.text);
    if (node.kind != Node::Kind::kScalar || node.quoted || !number || *number < min_ || *number > max_) {
      return Unwanted(*this, node, path, report);
    }
    *static_cast<int*>(value) = static_cast<int>(*number);
  }
  Node Write(const void* value, Show) const override {
    return Node::Literal(fmt::format("{}", *static_cast<const int*>(value)));
  }
  std::string Words() const override { return fmt::format("a whole number from {} to {}", min_, max_); }
  Json Schema() const override { return {{"type", "integer"}, {"minimum", min_}, {"maximum", max_}}; }

 private:
  int min_, max_;
};

// from_chars rounds once, straight to T, so that the shortest print of a value reads back as that value.
template <typename T>
std::optional<T> ParseReal(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

template <typename T>
class RealType : public Type {
 public:
  explicit RealType(Range range) : range_(range) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const auto number = Parse(node.text);
    if (node.kind != Node::Kind::kScalar || (node.quoted && !range_.fraction) || !number || !Fits(*number)) {
      return Unwanted(*this, node, path, report);
    }
    *static_cast<T*>(value) = *number;
  }
  Node Write(const void* value, Show) const override {
    const T number = *static_cast<const T*>(value);
    if (range_.fraction && number > 0 && number < 0.1) {
      const double inverse = std::round(1 / static_cast<double>(number));
      if (inverse < 1e6 && static_cast<T>(1 / inverse) == number) {
        return Node::Text(fmt::format("1/{}", static_cast<int>(inverse)));
      }
    }
    return Node::Literal(fmt::format("{}", number));
  }
  std::string Words() const override {
    std::string words = "a number";
    if (range_.above_min) {
      words += fmt::format(" above {}", range_.min);
      if (std::isfinite(range_.max)) words += fmt::format(", at most {}", range_.max);
    } else if (std::isfinite(range_.min) && std::isfinite(range_.max)) {
      words += fmt::format(" from {} to {}", range_.min, range_.max);
    } else if (std::isfinite(range_.min)) {
      words += fmt::format(" of at least {}", range_.min);
    }
    return range_.fraction ? words + " or a fraction such as 1/255" : words;
  }
  Json Schema() const override {
    Json schema = {{"type", "number"}};
    if (std::isfinite(range_.min)) schema[range_.above_min ? "exclusiveMinimum" : "minimum"] = range_.min;
    if (std::isfinite(range_.max)) schema["maximum"] = range_.max;
    if (!range_.fraction) return schema;
    return {{"anyOf", {schema, {{"type", "string"}, {"pattern", "^[0-9.]+/[0-9.]+$"}}}}};
  }

 private:
  std::optional<T> Parse(std::string_view text) const {
    const size_t slash = text.find('/');
    if (!range_.fraction || slash == std::string_view::npos) return ParseReal<T>(text);
    const auto above = ParseReal<double>(text.substr(0, slash)),
               below = ParseReal<double>(text.substr(slash + 1));
    if (!above || !below || *below == 0) return std::nullopt;
    const T value = static_cast<T>(*above / *below);
    return std::isfinite(value) ? std::optional<T>(value) : std::nullopt;
  }
  bool Fits(T value) const {
    return (range_.above_min ? value > range_.min : value >= range_.min) && value <= range_.max;
  }
  Range range_;
};

class BooleanType : public Type {
 public:
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const bool truth = node.text == "true";
    if (node.kind != Node::Kind::kScalar || node.quoted || (!truth && node.text != "false")) {
      return Unwanted(*this, node, path, report);
    }
    *static_cast<bool*>(value) = truth;
  }
  Node Write(const void* value, Show) const override {
    return Node::Literal(*static_cast<const bool*>(value) ? "true" : "false");
  }
  std::string Words() const override { return "true or false"; }
  Json Schema() const override { return {{"type", "boolean"}}; }
};

class ChoiceType : public Type {
 public:
  ChoiceType(std::vector<ChoiceName> names, int (*load)(const void*), void (*store)(void*, int))
      : names_(std::move(names)), load_(load), store_(store) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    if (node.kind == Node::Kind::kScalar) {
      for (const ChoiceName& choice : names_) {
        if (choice.name == node.text) return store_(value, choice.value);
      }
      const std::string near = NearName(node.text, Names());
      if (!near.empty()) {
        return report->At(
            node, path, fmt::format("wanted {}, found {}; did you mean '{}'?", Words(), node.Found(), near));
      }
    }
    Unwanted(*this, node, path, report);
  }
  Node Write(const void* value, Show) const override {
    const int held = load_(value);
    for (const ChoiceName& choice : names_) {
      if (choice.value == held) return Node::Text(choice.name);
    }
    return Node::Text("unknown");  // an enumerator that no file can name: reading it back is refused
  }
  std::string Words() const override { return "one of " + Join(Names(), ", "); }
  Json Schema() const override {
    Json options = Json::array();
    for (const ChoiceName& choice : names_) {
      Json option = {{"const", choice.name}};
      if (!choice.doc.empty()) option["description"] = choice.doc;
      options.push_back(std::move(option));
    }
    return {{"oneOf", std::move(options)}};
  }

 private:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const ChoiceName& choice : names_) names.push_back(choice.name);
    return names;
  }
  std::vector<ChoiceName> names_;
  int (*load_)(const void*);
  void (*store_)(void*, int);
};

}  // namespace

Typed<std::string> Text(TextRule rule) { return {std::make_shared<TextType>(std::move(rule))}; }
Typed<int> Integer(int min, int max) { return {std::make_shared<IntegerType>(min, max)}; }
Typed<float> Number(Range range) { return {std::make_shared<RealType<float>>(range)}; }
Typed<double> WideNumber(Range range) { return {std::make_shared<RealType<double>>(range)}; }
Typed<bool> Boolean() { return {std::make_shared<BooleanType>()}; }

std::shared_ptr<const Type> MakeChoice(std::vector<ChoiceName> names, int (*load)(const void*),
                                       void (*store)(void*, int)) {
  return std::make_shared<ChoiceType>(std::move(names), load, store);
}

}  // namespace sightline::pipeline
