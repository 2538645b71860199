// Declarations: each YAML object is declared once - its keys, their types, ranges, defaults, one line of
// documentation - and from that come reading with all diagnostics, printing, the JSON Schema and the
// reference page.
//
//   const Object<InputCard>& InputDeclaration() {
//     static const auto* object = [] {
//       auto* o = new Object<InputCard>("input", "From pixels to the tensor.");
//       o->Add("width", &InputCard::width, Integer(0, 16384), "Width in pixels.").Example("416");
//       return o;
//     }();
//     return *object;
//   }
//
// The default of a key is what a default-constructed struct holds. Declarations are built once and then
// immutable: any number of threads may read through them.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/spec/yaml_node.h"

namespace sightline::pipeline {

// Collects what is wrong with one file. The positions come from the tree that it was read to.
class Report {
 public:
  static constexpr size_t kDiagnosticsMax = 100;
  Report(std::string_view file, const Node* root) : file_(file), root_(root) {}
  void At(const Node& node, std::string_view path, std::string message);
  void At(std::string_view path, std::string message);  // where the path leads, or as near as it does
  size_t count() const { return diagnostics_.size(); }
  bool full() const { return count() > kDiagnosticsMax; }  // more is not kept: no need to work it out
  std::vector<Diagnostic> Take();                          // in the file's order

 private:
  std::string file_;
  const Node* root_;
  std::vector<Diagnostic> diagnostics_;
};

// NearestName, for names from files: "" for those too long to be a slip of anything.
std::string NearName(std::string_view name, const std::vector<std::string>& candidates);

// kChanged: keys that differ from their default, and those declared Always(). kAll: every key.
enum class Show { kChanged, kAll };

class ObjectType;

// A type of YAML value, bound to a C++ type that `value` points to.
class Type {
 public:
  virtual ~Type() = default;
  // Leaves `value` as it is where something is wrong, and reports it.
  virtual void Read(const Node& node, const std::string& path, Report* report, void* value) const = 0;
  virtual Node Write(const void* value, Show show) const = 0;  // a null: nothing to write
  virtual std::string Words() const = 0;                       // "a number from 0 to 1"
  virtual nlohmann::ordered_json Schema() const = 0;
  // The objects inside, each once: they get sections of their own in the reference.
  virtual void Objects(std::vector<const ObjectType*>*) const {}
};

template <typename T>
struct Typed {
  std::shared_ptr<const Type> type;
};

// --- Scalars
// -------------------------------------------------------------------------------------------------------

struct TextRule {
  std::string words = "text";
  std::string pattern = {};                        // for the schema; "" none
  bool (*valid)(std::string_view text) = nullptr;  // beyond being text
  size_t bytes_max = 4096;
};
// Any scalar, as it is written: 0123, no and null are texts here.
Typed<std::string> Text(TextRule rule = {});

Typed<int> Integer(int min, int max);

struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  // `min` itself is out
  bool fraction = false;   // 1/255 may be written
};
Typed<float> Number(Range range = {});
Typed<double> WideNumber(Range range = {});
Typed<bool> Boolean();

struct ChoiceName {
  std::string name;
  int value;
  std::string doc;
};
// `load` and `store` bridge the enum's own type.
std::shared_ptr<const Type> MakeChoice(std::vector<ChoiceName> names, int (*load)(const void*),
                                       void (*store)(void*, int));
template <typename E>
Typed<E> Choice(const std::vector<std::tuple<std::string, E, std::string>>& names) {
  std::vector<ChoiceName> plain;
  for (const auto& [name, value, doc] : names) plain.push_back({name, static_cast<int>(value), doc});
  return {MakeChoice(
      std::move(plain), [](const void* value) { return static_cast<int>(*static_cast<const E*>(value)); },
      [](void* value, int chosen) { *static_cast<E*>(value) = static_cast<E>(chosen); })};
}

// --- Lists, maps, optional values
// ------------------------------------------------------------------------------------

struct Sequence {  // how a list type sees its C++ container
  std::function<void(void*, size_t)> resize;
  std::function<size_t(const void*)> size;
  std::function<void*(void*, size_t)> at;
};
std::shared_ptr<const Type> MakeList(std::shared_ptr<const Type> item, size_t min, size_t max,
                                     Sequence sequence);
template <typename T>
Typed<std::vector<T>> ListOf(Typed<T> item, size_t min, size_t max) {
  using V = std::vector<T>;
  return {MakeList(item.type, min, max,
                   {[](void* v, size_t n) { static_cast<V*>(v)->resize(n); },
                    [](const void* v) { return static_cast<const V*>(v)->size(); },
                    [](void* v, size_t i) -> void* { return &(*static_cast<V*>(v))[i]; }})};
}
// Exactly N values; with `one_for_all` a single value stands for all of them.
template <typename A>
Typed<A> ArrayOf(Typed<typename A::value_type> item, bool one_for_all);
std::shared_ptr<const Type> MakeArray(std::shared_ptr<const Type> item, size_t size, bool one_for_all,
                                      std::function<void*(void*, size_t)> at);
template <typename A>
Typed<A> ArrayOf(Typed<typename A::value_type> item, bool one_for_all) {
  return {MakeArray(item.type, std::tuple_size_v<A>, one_for_all,
                    [](void* v, size_t i) -> void* { return &(*static_cast<A*>(v))[i]; })};
}

Typed<std::map<std::string, std::string>> TextMap(TextRule key, TextRule value, size_t max);

// What an optional type does with the std::optional that `value` points to.
struct Presence {
  void* (*emplace)(void* value);
  void (*reset)(void* value);
  const void* (*get)(const void* value);  // nullptr where it is empty
};
std::shared_ptr<const Type> MakeOptional(std::shared_ptr<const Type> inner, Presence presence);
// Empty where the key is not there, or its value was refused.
template <typename T>
Typed<std::optional<T>> Optional(Typed<T> inner) {
  using O = std::optional<T>;
  return {MakeOptional(inner.type, {[](void* v) -> void* { return &static_cast<O*>(v)->emplace(); },
                                    [](void* v) { static_cast<O*>(v)->reset(); },
                                    [](const void* v) -> const void* {
                                      const O& value = *static_cast<const O*>(v);
                                      return value ? &*value : nullptr;
                                    }})};
}

// --- Objects
// ---------------------------------------------------------------------------------------------------------

class Field {
 public:
  Field& Required() { return required = true, *this; }
  Field& Always() { return always = true, *this; }  // printed even at its default
  Field& Default(std::string words) {
    return default_words = std::move(words), *this;
  }  // where it is no fixed value
  Field& Example(std::string yaml) { return example = std::move(yaml), *this; }

  std::string key, doc, default_words, example;
  std::shared_ptr<const Type> type;
  std::function<void*(void*)> member;
  bool required = false, always = false;
};

class ObjectType : public Type {
 public:
  ObjectType(std::string name, std::string doc, std::function<std::shared_ptr<void>()> make)
      : name_(std::move(name)), doc_(std::move(doc)), make_(std::move(make)) {}
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override;
  Node Write(const void* value, Show show) const override;
  std::string Words() const override { return "a map of keys"; }
  nlohmann::ordered_json Schema() const override;
  void Objects(std::vector<const ObjectType*>* objects) const override;

  const std::string& name() const { return name_; }
  const std::string& doc() const { return doc_; }
  const std::vector<Field>& fields() const { return fields_; }
  const Field* Find(std::string_view key) const;
  // Default of a field as YAML, "" where there is none to show.
  std::string DefaultOf(const Field& field) const;
  // What to say of a key that is not declared here, "" to suggest a near name.
  std::function<std::string(const std::string& key)> explain_unknown;

 protected:
  std::string name_, doc_;
  std::function<std::shared_ptr<void>()> make_;
  std::vector<Field> fields_;
};

template <typename T>
class Object : public ObjectType {
 public:
  Object(std::string name, std::string doc)
      : ObjectType(std::move(name), std::move(doc), [] { return std::make_shared<T>(); }) {}
  template <typename M>
  Field& Add(std::string key, M T::*member, Typed<M> type, std::string doc) {
    return AddAt(
        std::move(key), [member](void* v) -> void* { return &(static_cast<T*>(v)->*member); }, type,
        std::move(doc));
  }
  // A member of a member: {&StepSpec::tracker, &TrackerOptions::high_score}.
  template <typename M, typename I>
  Field& Add(std::string key, I T::*outer, M I::*member, Typed<M> type, std::string doc) {
    return AddAt(
        std::move(key), [=](void* v) -> void* { return &(static_cast<T*>(v)->*outer.*member); }, type,
        std::move(doc));
  }

 private:
  template <typename M>
  Field& AddAt(std::string key, std::function<void*(void*)> member, Typed<M> type, std::string doc) {
    Field field;
    field.key = std::move(key);
    field.doc = std::move(doc);
    field.type = type.type;
    field.member = std::move(member);
    fields_.push_back(std::move(field));
    return fields_.back();
  }
};

// An object inside another one. `object` lives for ever.
template <typename T>
Typed<T> Of(const Object<T>& object) {
  return {std::shared_ptr<const Type>(std::shared_ptr<const Type>(), &object)};
}

// One of several objects over the same struct, chosen by the value of one key that all of them declare.
std::shared_ptr<const Type> MakeVariants(std::string key,
                                         std::vector<std::pair<std::string, const ObjectType*>> variants,
                                         std::function<size_t(const void*)> chosen);

// --- Documents
// -------------------------------------------------------------------------------------------------------

// JSON Schema, draft 2020-12, for a file that holds one such object.
std::string SchemaDocument(const ObjectType& object, std::string_view title);
// A Markdown section with a table for the object and each object inside it.
std::string ReferenceSections(const ObjectType& object);

}  // namespace sightline::pipeline
