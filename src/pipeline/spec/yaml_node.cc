#include "pipeline/spec/yaml_node.h"

#include "base/text.h"

namespace sightline::pipeline {
namespace {

struct Part {
  std::string_view key = {};  // "" for an index
  size_t index = 0;
};

// steps[1].min_score to its parts; nullopt where it is malformed.
std::optional<std::vector<Part>> SplitPath(std::string_view path) {
  std::vector<Part> parts;
  while (!path.empty()) {
    if (path.front() == '[') {
      const size_t end = path.find(']');
      if (end == std::string_view::npos) return std::nullopt;
      const auto index = ParseInteger(path.substr(1, end - 1));
      if (!index || *index < 0) return std::nullopt;
      parts.push_back({.index = static_cast<size_t>(*index)});
      path.remove_prefix(end + 1);
      if (path.empty() || path.front() == '[') continue;
      if (path.front() != '.') return std::nullopt;
      path.remove_prefix(1);
      continue;
    }
    const size_t end = std::min(path.find_first_of(".["), path.size());
    if (end == 0) return std::nullopt;
    parts.push_back({.key = path.substr(0, end)});
    path.remove_prefix(end);
    if (!path.empty() && path.front() == '.') {
      path.remove_prefix(1);
      if (path.empty()) return std::nullopt;
    }
  }
  return parts;
}

}  // namespace

Node Node::Text(std::string_view text) {
  Node node;
  node.kind = Kind::kScalar;
  node.text = text;
  return node;
}

Node Node::Literal(std::string_view text) {
  Node node = Text(text);
  node.literal = true;
  return node;
}

Node Node::List() {
  Node node;
  node.kind = Kind::kList;
  return node;
}

Node Node::Map() {
  Node node;
  node.kind = Kind::kMap;
  return node;
}

void Node::Add(std::string_view key, Node value) {
  kind = Kind::kMap;
  keys.push_back(Text(key));
  items.push_back(std::move(value));
}

const Node* Node::Find(std::string_view key) const { return const_cast<Node*>(this)->Find(key); }

Node* Node::Find(std::string_view key) {
  if (kind != Kind::kMap) return nullptr;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::string Node::Found() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      break;
  }
  std::string shown = text.size() > 60 ? ToValidUtf8(text.substr(0, 57)) + "..." : text;
  if (!quoted && (text == "true" || text == "false")) return shown;
  return fmt::format("{}'{}'", quoted ? "the quoted text " : "", shown);
}

bool Node::operator==(const Node& other) const {
  return kind == other.kind && text == other.text && keys == other.keys && items == other.items;
}

const Node* Locate(const Node& root, std::string_view path) {
  const Node* node = &root;
  const auto parts = SplitPath(path);
  if (!parts) return node;
  for (const Part& part : *parts) {
    const Node* next = nullptr;
    if (!part.key.empty()) next = node->Find(part.key);
    if (part.key.empty() && part.index < node->items.size()) next = &node->items[part.index];
    if (next == nullptr) break;
    node = next;
  }
  return node;
}

Node* Reach(Node* root, std::string_view path) {
  const auto parts = SplitPath(path);
  if (!parts || parts->empty()) return nullptr;
  Node* node = root;
  for (const Part& part : *parts) {
    if (part.key.empty()) {
      if (node->kind == Node::Kind::kNull) node->kind = Node::Kind::kList;
      if (node->kind != Node::Kind::kList || part.index > node->items.size()) return nullptr;
      if (part.index == node->items.size()) node->items.emplace_back();
      node = &node->items[part.index];
      continue;
    }
    if (node->kind == Node::Kind::kNull) node->kind = Node::Kind::kMap;
    if (node->kind != Node::Kind::kMap) return nullptr;
    if (node->Find(part.key) == nullptr) node->Add(part.key, {});
    node = node->Find(part.key);
  }
  return node;
}

}  // namespace sightline::pipeline
