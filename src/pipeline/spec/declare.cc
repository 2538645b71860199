#include "pipeline/spec/declare.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"
#include "base/text.h"

namespace sightline::pipeline {
namespace {

using Json = nlohmann::ordered_json;

void Unwanted(const Type& type, const Node& node, const std::string& path, Report* report) {
  report->At(node, path, fmt::format("wanted {}, found {}", type.Words(), node.Found()));
}

// "a number" -> "numbers": for the words of a list.
std::string Plural(const std::string& words) {
  if (words == "text") return "texts";
  if (words == "a map of keys") return "maps";
  if (words.starts_with("a list of")) return "lists" + words.substr(6);
  if (words.starts_with("a number")) return "numbers" + words.substr(8);
  if (words.starts_with("a whole number")) return "whole numbers" + words.substr(14);
  return words;
}

class ListType : public Type {
 public:
  ListType(std::shared_ptr<const Type> item, size_t min, size_t max, Sequence sequence)
      : item_(std::move(item)), min_(min), max_(max), sequence_(std::move(sequence)) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    if (node.kind != Node::Kind::kList) return Unwanted(*this, node, path, report);
    if (node.items.size() < min_ || node.items.size() > max_) {
      return report->At(node, path,
                        fmt::format("a list of {}; wanted {} to {}", node.items.size(), min_, max_));
    }
    sequence_.resize(value, 0);
    sequence_.resize(value, node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i) {
      item_->Read(node.items[i], fmt::format("{}[{}]", path, i), report, sequence_.at(value, i));
    }
  }
  Node Write(const void* value, Show show) const override {
    Node list = Node::List();
    for (size_t i = 0; i < sequence_.size(value); ++i) {
      list.items.push_back(item_->Write(sequence_.at(const_cast<void*>(value), i), show));
    }
    return list;
  }
  std::string Words() const override { return "a list of " + Plural(item_->Words()); }
  Json Schema() const override {
    Json schema = {{"type", "array"}, {"items", item_->Schema()}};
    if (min_ > 0) schema["minItems"] = min_;
    schema["maxItems"] = max_;
    return schema;
  }
  void Objects(std::vector<const ObjectType*>* objects) const override { item_->Objects(objects); }

 private:
  std::shared_ptr<const Type> item_;
  size_t min_, max_;
  Sequence sequence_;
};

class ArrayType : public Type {
 public:
  ArrayType(std::shared_ptr<const Type> item, size_t size, bool one_for_all,
            std::function<void*(void*, size_t)> at)
      : item_(std::move(item)), size_(size), one_for_all_(one_for_all), at_(std::move(at)) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const bool single = node.kind != Node::Kind::kList;
    const size_t given = single ? 1 : node.items.size();
    if ((single && !one_for_all_) || node.kind == Node::Kind::kMap)
      return Unwanted(*this, node, path, report);
    if (given != size_ && !(one_for_all_ && given == 1)) {
      return report->At(node, path, fmt::format("{} values; wanted {}", given, Count()));
    }
    for (size_t i = 0; i < size_; ++i) {
      const size_t from = given == 1 ? 0 : i;
      if (i > from) {  // the one value, again: what is wrong with it is said once
        Report again("", &node);
        item_->Read(single ? node : node.items[0], path, &again, at_(value, i));
        continue;
      }
      item_->Read(single ? node : node.items[from], single ? path : fmt::format("{}[{}]", path, from), report,
                  at_(value, i));
    }
  }
  Node Write(const void* value, Show show) const override {
    Node list = Node::List();
    for (size_t i = 0; i < size_; ++i)
      list.items.push_back(item_->Write(at_(const_cast<void*>(value), i), show));
    const auto same = [&](const Node& item) { return item == list.items[0]; };
    if (one_for_all_ && std::all_of(list.items.begin(), list.items.end(), same)) return list.items[0];
    return list;
  }
  std::string Words() const override {
    return one_for_all_ ? fmt::format("{}, or a list of {}", item_->Words(), size_)
                        : fmt::format("a list of {} {}", size_, Plural(item_->Words()));
  }
  Json Schema() const override {
    Json list = {{"type", "array"}, {"items", item_->Schema()}, {"minItems", size_}, {"maxItems", size_}};
    if (!one_for_all_) return list;
    list["minItems"] = 1;
    return {{"anyOf", {item_->Schema(), list}}};
  }

 private:
  std::string Count() const {
    return one_for_all_ ? fmt::format("1 or {}", size_) : fmt::format("{}", size_);
  }
  std::shared_ptr<const Type> item_;
  size_t size_;
  bool one_for_all_;
  std::function<void*(void*, size_t)> at_;
};

class TextMapType : public Type {
 public:
  TextMapType(TextRule key, TextRule value, size_t max)
      : key_(Text(std::move(key)).type), value_(Text(std::move(value)).type), max_(max) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    if (node.kind != Node::Kind::kMap) return Unwanted(*this, node, path, report);
    if (node.items.size() > max_)
      return report->At(node, path, fmt::format("{} keys; at most {}", node.items.size(), max_));
    std::map<std::string, std::string> read;
    for (size_t i = 0; i < node.items.size(); ++i) {
      std::string key, text;
      key_->Read(node.keys[i], path, report, &key);
      value_->Read(node.items[i], path + "." + ToValidUtf8(key), report, &text);
      if (!read.emplace(key, text).second)
        report->At(node.keys[i], path, fmt::format("the key '{}' stands twice", key));
    }
    *static_cast<std::map<std::string, std::string>*>(value) = std::move(read);
  }
  Node Write(const void* value, Show) const override {
    Node node = Node::Map();
    for (const auto& [key, text] : *static_cast<const std::map<std::string, std::string>*>(value)) {
      node.Add(key, Node::Text(text));
    }
    return node;
  }
  std::string Words() const override { return "a map of texts"; }
  Json Schema() const override { return {{"type", "object"}, {"additionalProperties", value_->Schema()}}; }

 private:
  std::shared_ptr<const Type> key_, value_;
  size_t max_;
};

class OptionalType : public Type {
 public:
  OptionalType(std::shared_ptr<const Type> inner, Presence presence)
      : inner_(std::move(inner)), presence_(presence) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const size_t before = report->count();
    inner_->Read(node, path, report, presence_.emplace(value));
    if (report->count() != before) presence_.reset(value);
  }
  Node Write(const void* value, Show show) const override {
    const void* held = presence_.get(value);
    return held == nullptr ? Node() : inner_->Write(held, show);
  }
  std::string Words() const override { return inner_->Words(); }
  Json Schema() const override { return inner_->Schema(); }
  void Objects(std::vector<const ObjectType*>* objects) const override { inner_->Objects(objects); }

 private:
  std::shared_ptr<const Type> inner_;
  Presence presence_;
};

class VariantsType : public Type {
 public:
  VariantsType(std::string key, std::vector<std::pair<std::string, const ObjectType*>> variants,
               std::function<size_t(const void*)> chosen)
      : key_(std::move(key)), variants_(std::move(variants)), chosen_(std::move(chosen)) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    if (node.kind != Node::Kind::kMap) return Unwanted(*this, node, path, report);
    const Node* chosen = node.Find(key_);
    if (chosen == nullptr) {
      return report->At(node, path, fmt::format("the key '{}' is missing: one of {}", key_, Names()));
    }
    for (const auto& [name, object] : variants_) {
      if (chosen->kind == Node::Kind::kScalar && chosen->text == name)
        return object->Read(node, path, report, value);
    }
    // Any variant knows the key and says what is wrong with it. What all have is read too: others refer to
    // it.
    const Field* field = variants_.front().second->Find(key_);
    field->type->Read(*chosen, path + "." + key_, report, field->member(value));
    for (size_t i = 0; i < node.items.size(); ++i) {
      const std::string& key = node.keys[i].text;
      if (key != key_ && InAll(key)) {
        const Field* shared = variants_.front().second->Find(key);
        shared->type->Read(node.items[i], fmt::format("{}.{}", path, key), report, shared->member(value));
      }
    }
  }
  Node Write(const void* value, Show show) const override {
    return variants_[chosen_(value)].second->Write(value, show);
  }
  std::string Words() const override { return "a map of keys"; }
  Json Schema() const override {
    Json options = Json::array();
    for (const auto& [name, object] : variants_) {
      Json schema = object->Schema();
      schema["properties"][key_] = {{"const", name}, {"description", object->doc()}};
      options.push_back(std::move(schema));
    }
    return {{"oneOf", std::move(options)}};
  }
  void Objects(std::vector<const ObjectType*>* objects) const override {
    for (const auto& [name, object] : variants_) object->Objects(objects);
  }

 private:
  bool InAll(const std::string& key) const {
    return std::all_of(variants_.begin(), variants_.end(),
                       [&](const auto& variant) { return variant.second->Find(key) != nullptr; });
  }
  std::string Names() const {
    std::vector<std::string> names;
    for (const auto& [name, object] : variants_) names.push_back(name);
    return Join(names, ", ");
  }
  std::string key_;
  std::vector<std::pair<std::string, const ObjectType*>> variants_;
  std::function<size_t(const void*)> chosen_;
};

}  // namespace

std::string NearName(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 100;
  return name.size() > kLongest ? "" : NearestName(name, candidates);
}

void Report::At(const Node& node, std::string_view path, std::string message) {
  if (full()) return;
  if (diagnostics_.size() == kDiagnosticsMax) {
    // Sorted behind all others.
    diagnostics_.push_back({file_, std::numeric_limits<int>::max(), 0, "", "and more"});
    return;
  }
  for (char& c : message) c = static_cast<uint8_t>(c) < 0x20 || c == 0x7F ? ' ' : c;  // one line each
  diagnostics_.push_back({file_, node.line, node.column, std::string(path), std::move(message)});
}

void Report::At(std::string_view path, std::string message) {
  At(Locate(*root_, path)[0], path, std::move(message));
}

std::vector<Diagnostic> Report::Take() {
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  for (Diagnostic& diagnostic : diagnostics_) {
    if (diagnostic.line == std::numeric_limits<int>::max()) diagnostic.line = 0;
  }
  return std::move(diagnostics_);
}

std::shared_ptr<const Type> MakeList(std::shared_ptr<const Type> item, size_t min, size_t max,
                                     Sequence sequence) {
  return std::make_shared<ListType>(std::move(item), min, max, std::move(sequence));
}
std::shared_ptr<const Type> MakeArray(std::shared_ptr<const Type> item, size_t size, bool one_for_all,
                                      std::function<void*(void*, size_t)> at) {
  return std::make_shared<ArrayType>(std::move(item), size, one_for_all, std::move(at));
}
Typed<std::map<std::string, std::string>> TextMap(TextRule key, TextRule value, size_t max) {
  return {std::make_shared<TextMapType>(std::move(key), std::move(value), max)};
}
std::shared_ptr<const Type> MakeOptional(std::shared_ptr<const Type> inner, Presence presence) {
  return std::make_shared<OptionalType>(std::move(inner), presence);
}
std::shared_ptr<const Type> MakeVariants(std::string key,
                                         std::vector<std::pair<std::string, const ObjectType*>> variants,
                                         std::function<size_t(const void*)> chosen) {
  return std::make_shared<VariantsType>(std::move(key), std::move(variants), std::move(chosen));
}

const Field* ObjectType::Find(std::string_view key) const {
  for (const Field& field : fields_) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

void ObjectType::Read(const Node& node, const std::string& path, Report* report, void* value) const {
  if (node.kind != Node::Kind::kMap) return Unwanted(*this, node, path, report);
  const std::string prefix = path.empty() ? "" : path + ".";
  std::vector<std::string> known;
  for (const Field& field : fields_) known.push_back(field.key);
  std::set<std::string_view> seen;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Node& key = node.keys[i];
    if (key.kind != Node::Kind::kScalar) {
      report->At(key, path, fmt::format("wanted a key, found {}", key.Found()));
      continue;
    }
    if (!seen.insert(key.text).second) {
      report->At(key, path, fmt::format("the key {} stands twice", Node::Text(key.text).Found()));
      continue;
    }
    if (const Field* field = Find(key.text)) {
      field->type->Read(node.items[i], prefix + field->key, report, field->member(value));
      continue;
    }
    std::string message = explain_unknown ? explain_unknown(key.text) : "";
    if (message.empty()) {
      const std::string near = NearName(key.text, known);
      message = fmt::format("unknown key {}", Node::Text(key.text).Found());
      message += near.empty() ? "; known: " + Join(known, ", ") : fmt::format("; did you mean '{}'?", near);
    }
    report->At(key, path, std::move(message));
  }
  for (const Field& field : fields_) {
    if (field.required && !seen.contains(field.key)) {
      report->At(node, path, fmt::format("the key '{}' is missing: {}", field.key, field.type->Words()));
    }
  }
}

Node ObjectType::Write(const void* value, Show show) const {
  Node node = Node::Map();
  const std::shared_ptr<void> defaults = make_();
  for (const Field& field : fields_) {
    Node written = field.type->Write(field.member(const_cast<void*>(value)), show);
    if (written.kind == Node::Kind::kNull) continue;
    const bool shown = show == Show::kAll || field.required || field.always;
    const bool nothing_inside = written.kind == Node::Kind::kMap && written.items.empty();
    if (!shown && (nothing_inside || written == field.type->Write(field.member(defaults.get()), show)))
      continue;
    node.Add(field.key, std::move(written));
    node.keys.back().literal = true;  // no quotes around `on`
  }
  return node;
}

}  // namespace sightline::pipeline
