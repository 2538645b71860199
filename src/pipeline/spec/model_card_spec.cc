#include "pipeline/spec/model_card_spec.h"

#include <filesystem>
#include <set>

#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/card_declaration.h"
#include "pipeline/spec/head_tasks.h"

namespace sightline::pipeline {
namespace {

void CheckFamily(const HeadCard& head, Report* report) {
  if (head.family.empty() || FindTask(head.family)) return;
  const std::vector<std::string> known = FamilyNames();
  const std::string near = NearName(head.family, known);
  report->At("head.family", fmt::format("unknown head family '{}'{}", ToValidUtf8(head.family),
                                        near.empty() ? "; known: " + Join(known, ", ")
                                                     : fmt::format("; did you mean '{}'?", near)));
}

void CheckInput(const Node& root, Report* report, const InputCard& input) {
  if (input.color != ColorOrder::kGray) return;
  for (const char* path : {"input.pad", "input.mean", "input.std"}) {
    const Node* node = Locate(root, path);
    if (node->kind == Node::Kind::kList && node->items.size() > 1) {
      report->At(path, fmt::format("{} values; gray has one channel: give one value", node->items.size()));
    }
  }
}

void CheckAttribute(const AttributeCard& attribute, const std::string& path, Report* report) {
  const size_t labels = attribute.labels.size(), count = static_cast<size_t>(attribute.count);
  if (attribute.kind == AttributeKind::kSoftmax && count > 0 && labels > 0 && labels != count) {
    report->At(path + ".labels", fmt::format("{} labels for the {} classes of 'count'", labels, count));
  }
  if (attribute.kind == AttributeKind::kSigmoid && labels > 2) {
    report->At(path + ".labels", fmt::format("{} labels; a sigmoid has [negative, positive] or one", labels));
  }
  if (attribute.kind == AttributeKind::kRegression && labels > 0) {
    report->At(path + ".labels", "a regression is a number and has no labels");
  }
  if (attribute.kind != AttributeKind::kExpectation && !attribute.values.empty()) {
    report->At(path + ".values", "values belong to the kind expectation only");
  }
  if (attribute.kind == AttributeKind::kExpectation && count > 0 && !attribute.values.empty() &&
      attribute.values.size() != count) {
    report->At(path + ".values",
               fmt::format("{} values for the {} classes of 'count'", attribute.values.size(), count));
  }
}

void CheckHead(const HeadCard& head, Report* report) {
  CheckFamily(head, report);
  const bool attributes = head.family == "attributes";
  if (attributes && head.attributes.empty()) {
    report->At("head.attributes", "the family attributes needs at least one attribute");
  }
  if (!attributes && !head.attributes.empty() && FindTask(head.family)) {
    report->At("head.attributes", fmt::format("the family {} has no attributes", head.family));
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < head.attributes.size(); ++i) {
    const std::string path = fmt::format("head.attributes[{}]", i);
    const AttributeCard& attribute = head.attributes[i];
    if (!attribute.name.empty() && !names.insert(attribute.name).second) {
      report->At(path + ".name", fmt::format("the attribute '{}' stands twice", attribute.name));
    }
    CheckAttribute(attribute, path, report);
  }
  for (size_t i = 0; i < head.anchors.size(); ++i) {
    if (head.anchors[i].size() % 2 != 0) {
      report->At(fmt::format("head.anchors[{}]", i),
                 fmt::format("{} numbers; anchors are width, height pairs", head.anchors[i].size()));
    }
  }
  const auto rows_fit = [&](const char* key, size_t rows) {
    if (rows == 0 || head.strides.empty() || rows == head.strides.size()) return;
    report->At(fmt::format("head.{}", key), fmt::format("{} rows for {} strides", rows, head.strides.size()));
  };
  rows_fit("anchors", head.anchors.size());
  rows_fit("min_sizes", head.min_sizes.size());
}

// Reads a tree; what the single values and their combinations have wrong.
std::vector<Diagnostic> ReadCard(const Node& root, std::string_view file, ModelCard* card) {
  Report report(file, &root);
  ModelCardDeclaration().Read(root, "", &report, card);
  CheckInput(root, &report, card->input);
  CheckHead(card->head, &report);
  return report.Take();
}

void PutComments(const std::map<std::string, std::string>& comments, Node* root) {
  for (const auto& [path, comment] : comments) {
    Node* node = const_cast<Node*>(Locate(*root, path));
    if (node != root && node->comment.empty()) node->comment = comment;
  }
}

// A gray model's one channel stands in the first place; the other two are not looked at.
ModelCard Normalized(ModelCard card) {
  if (card.input.color == ColorOrder::kGray) {
    for (auto* values : {&card.input.pad, &card.input.mean, &card.input.std}) values->fill((*values)[0]);
  }
  return card;
}

}  // namespace

absl::StatusOr<ModelCard> ParseModelCard(std::string_view yaml, std::string_view file) {
  auto parsed = ParseYaml(yaml, file);
  if (auto* diagnostic = std::get_if<Diagnostic>(&parsed)) return ToStatus({*diagnostic});
  ModelCard card;
  const std::vector<Diagnostic> diagnostics = ReadCard(std::get<Node>(parsed), file, &card);
  if (!diagnostics.empty()) return ToStatus(diagnostics);
  if (card.name.empty()) {
    const std::string folder = std::filesystem::path(file).parent_path().filename().string();
    if (IsModelName(folder)) card.name = folder;
  }
  return card;
}

std::string FormatModelCard(const ModelCard& card, const std::map<std::string, std::string>& comments) {
  const ModelCard normalized = Normalized(card);
  Node root = ModelCardDeclaration().Write(&normalized, Show::kChanged);
  PutComments(comments, &root);
  return PrintYaml(root);
}

absl::Status SetCardValue(std::string_view path, std::string_view yaml_value, ModelCard* card) {
  auto parsed = ParseYaml(yaml_value, "");
  if (auto* diagnostic = std::get_if<Diagnostic>(&parsed)) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, diagnostic->message));
  }
  const ModelCard before = Normalized(*card);
  Node root = ModelCardDeclaration().Write(&before, Show::kChanged);
  // A card that is being drafted may lack things; only what this value brings in is held against it.
  std::set<std::pair<std::string, std::string>> known;
  ModelCard unused;
  for (const Diagnostic& diagnostic : ReadCard(root, "", &unused))
    known.emplace(diagnostic.path, diagnostic.message);
  Node* place = Reach(&root, path);
  if (place == nullptr)
    return absl::InvalidArgumentError(fmt::format("'{}' is not a key path such as input.color", path));
  *place = std::move(std::get<Node>(parsed));
  ModelCard changed;
  std::vector<std::string> wrong;
  for (const Diagnostic& diagnostic : ReadCard(root, "", &changed)) {
    if (known.contains({diagnostic.path, diagnostic.message})) continue;
    wrong.push_back(diagnostic.path.empty() ? diagnostic.message
                                            : diagnostic.path + ": " + diagnostic.message);
  }
  if (!wrong.empty()) return absl::InvalidArgumentError(Join(wrong, "\n"));
  *card = std::move(changed);
  return absl::OkStatus();
}

std::string ModelCardJsonSchema() { return SchemaDocument(ModelCardDeclaration(), "Sightline model card"); }

std::string ModelCardReference() {
  return "# The model card\n\n"
         "A model is a folder with `model.onnx` and this card, `model.yaml`. `sightline model add` drafts it "
         "from the "
         "graph; `sightline model verify` runs a picture through it. A card of a face detector:\n\n"
         "```yaml\n"
         "name: ultraface\n"
         "licence: MIT\n"
         "input:\n"
         "  width: 320\n"
         "  height: 240\n"
         "  color: rgb\n"
         "  resize: stretch\n"
         "  mean: 127\n"
         "  std: 128\n"
         "head:\n"
         "  family: ssd\n"
         "  labels: [face]       # counted without the background\n"
         "  background_class: 0\n"
         "  min_score: 0.7\n"
         "  iou: 0.3\n"
         "```\n\n"
         "Keys that are left out have the default of the tables below. Labels are texts whatever they look "
         "like: `no` "
         "and `0123` need no quotes. Anchors, aliases and tags of YAML are not supported.\n\n" +
         ReferenceSections(ModelCardDeclaration());
}

}  // namespace sightline::pipeline
