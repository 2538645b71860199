// What people and editors read of a declaration: JSON Schema and Markdown.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pipeline/spec/declare.h"

namespace sightline::pipeline {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kScalar: {
      if (!node.literal) return node.text;
      const Json value = Json::parse(node.text, nullptr, false);
      return value.is_discarded() ? Json(node.text) : value;
    }
    case Node::Kind::kList: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(ToJson(item));
      return list;
    }
    case Node::Kind::kMap: {
      Json map = Json::object();
      for (size_t i = 0; i < node.items.size(); ++i) map[node.keys[i].text] = ToJson(node.items[i]);
      return map;
    }
  }
  return nullptr;
}

std::string Cell(std::string_view text) {
  std::string cell;
  for (char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string Code(const std::string& text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string Anchor(std::string_view heading) {
  std::string anchor = Lower(heading);
  for (char& c : anchor) c = c == ' ' ? '-' : c;
  return anchor;
}

std::string DefaultCell(const ObjectType& object, const Field& field) {
  if (field.required) return "required";
  if (!field.default_words.empty()) return Cell(field.default_words);
  return Code(object.DefaultOf(field));
}

}  // namespace

std::string ObjectType::DefaultOf(const Field& field) const {
  if (field.required || !field.default_words.empty()) return "";
  const std::shared_ptr<void> defaults = make_();
  const Node node = field.type->Write(field.member(defaults.get()), Show::kAll);
  if (node.kind == Node::Kind::kNull || (node.kind == Node::Kind::kMap)) return "";
  return std::string(Trim(PrintYaml(node)));
}

Json ObjectType::Schema() const {
  Json properties = Json::object(), required = Json::array();
  const std::shared_ptr<void> defaults = make_();
  for (const Field& field : fields_) {
    Json schema = field.type->Schema();
    schema["description"] = field.doc;
    if (field.required) required.push_back(field.key);
    if (!field.required && field.default_words.empty()) {
      const Node node = field.type->Write(field.member(defaults.get()), Show::kAll);
      if (node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kList)
        schema["default"] = ToJson(node);
    }
    properties[field.key] = std::move(schema);
  }
  Json schema = {{"type", "object"}, {"description", doc_}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

void ObjectType::Objects(std::vector<const ObjectType*>* objects) const {
  if (std::find(objects->begin(), objects->end(), this) != objects->end()) return;
  objects->push_back(this);
  for (const Field& field : fields_) field.type->Objects(objects);
}

std::string SchemaDocument(const ObjectType& object, std::string_view title) {
  Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", std::string(title)}};
  document.update(object.Schema());
  return document.dump(2) + "\n";
}

std::string ReferenceSections(const ObjectType& object) {
  std::vector<const ObjectType*> objects;
  object.Objects(&objects);
  std::string text;
  for (const ObjectType* section : objects) {
    text += fmt::format("## {}\n\n{}\n\n| key | type | default | what it says |\n|---|---|---|---|\n",
                        section->name(), section->doc());
    for (const Field& field : section->fields()) {
      std::vector<const ObjectType*> inside;
      field.type->Objects(&inside);
      std::string words = Cell(field.type->Words());
      // Only the objects right below: those of an inner object are linked from its own section.
      std::vector<const ObjectType*> deeper;
      if (!inside.empty()) inside[0]->Objects(&deeper);
      std::vector<std::string> links;
      for (const ObjectType* object_inside : inside) {
        if (!links.empty() && std::find(deeper.begin(), deeper.end(), object_inside) != deeper.end())
          continue;
        links.push_back(fmt::format("[{}](#{})", object_inside->name(), Anchor(object_inside->name())));
      }
      if (!links.empty()) words = "see " + Join(links, ", ");
      std::string doc = Cell(field.doc);
      if (!field.example.empty()) doc += fmt::format(" Example: `{}`", Cell(field.example));
      text += fmt::format("| `{}` | {} | {} | {} |\n", field.key, words, DefaultCell(*section, field), doc);
    }
    text += "\n";
  }
  return text;
}

}  // namespace sightline::pipeline
