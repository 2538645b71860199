// A YAML document as a tree of plain values that know where they stood, and back to text. The only place that
// sees yaml-cpp.
//
// What is read is the plain part of YAML 1.2: maps, lists and scalars, in block or flow style, one document.
// Anchors, aliases, tags, several documents and merge keys are refused: a specification of a few lines does
// not need them, and they are where the traps lie (alias bombs, values that change their type).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/spec/diagnostic.h"

namespace sightline::pipeline {

struct YamlLimits {
  size_t bytes_max = 1 << 20;
  size_t nodes_max = 100'000;
  size_t depth_max = 24;
};

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;          // of a scalar; of a null, how it was written ("", "~", "null")
  bool quoted = false;       // read: it stood in quotes or as a block
  bool literal = false;      // written: a number or a boolean, never put in quotes
  int line = 0, column = 0;  // 1-based, in characters; 0 where it does not come from a file
  std::vector<Node> keys;    // of a map: as long as `items`, in the file's order, repeated keys included
  std::vector<Node> items;   // of a list, or the values of a map
  std::string comment;       // written: put beside the value

  static Node Text(std::string_view text);
  static Node Literal(std::string_view text);
  static Node List();
  static Node Map();
  void Add(std::string_view key, Node value);  // to a map
  const Node* Find(std::string_view key) const;
  Node* Find(std::string_view key);
  // "a number 3", "the text 'x'", "a list", "nothing": for messages that say what was found.
  std::string Found() const;
  // The same value, wherever it stood.
  bool operator==(const Node& other) const;
};

// The document's tree, or the first thing that makes it unreadable.
std::variant<Node, Diagnostic> ParseYaml(std::string_view yaml, std::string_view file,
                                         const YamlLimits& limits = {});

// Block style; lists of scalars in brackets, broken at the line's end. ParseYaml reads back the same tree.
std::string PrintYaml(const Node& root);

// The node at a key path (steps[1].min_score), or the nearest one above it that exists.
const Node* Locate(const Node& root, std::string_view path);
// The node at exactly this path; missing keys and list entries right behind the end are made. nullptr where
// the path is malformed or goes through a scalar.
Node* Reach(Node* root, std::string_view path);

}  // namespace sightline::pipeline
