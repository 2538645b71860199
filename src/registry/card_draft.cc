#include "registry/card_draft.h"

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/labels.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/model_check.h"
#include "stages/postprocess/head.h"

namespace sightline::registry {
namespace {

constexpr int kSure = 50;  // below, a recognition is a guess
constexpr uint64_t kLabelBytesMax = 4 << 20;
constexpr size_t kLabelsMax = 50'000, kLabelBytesOfOneMax = 1000;
constexpr size_t kDescriptionMax = 300;

std::string FamilyList() {
  std::vector<std::string> names;
  for (const postprocess::HeadFamily& family : postprocess::HeadFamilies()) names.emplace_back(family.name);
  return Join(names, ", ");
}

std::string Describe(const std::vector<TensorSpec>& specs) {
  constexpr size_t kShown = 12;
  std::vector<std::string> texts;
  for (const TensorSpec& spec : specs) {
    if (texts.size() == kShown) {
      texts.push_back(fmt::format("and {} more", specs.size() - kShown));
      break;
    }
    texts.push_back(fmt::format("{} {}{}", ToValidUtf8(spec.name), Name(spec.type), ToString(spec.shape)));
  }
  return Join(texts, ", ");
}

void Forget(std::string_view topic, std::vector<std::string>* unknown) {
  std::erase_if(*unknown, [&](const std::string& line) { return line.substr(0, line.find(':')) == topic; });
}

// What a signature cannot show, but the operators behind the outputs do.
void RefineFromOperators(const GraphSummary& graph, postprocess::Recognition* found) {
  HeadCard& head = found->head;
  if (head.family == "classify" && graph.signature.outputs.size() == 1) {
    const auto maker = graph.output_operators.find(graph.signature.outputs[0].name);
    if (maker != graph.output_operators.end()) {
      head.logits = maker->second != "Softmax" && maker->second != "Sigmoid";
      Forget("head.logits", &found->unknown);
    }
  }
  // Offsets from priors become boxes through exp(); an SSD export without any leaves that to us.
  if (head.family == "ssd" && graph.operators.count("NonMaxSuppression") == 0) {
    head.boxes_decoded = graph.operators.count("Exp") != 0;
    Forget("head.boxes_decoded", &found->unknown);
  }
}

absl::StatusOr<postprocess::Recognition> Recognise(const GraphSummary& summary, const DraftOptions& options) {
  const GraphSignature& graph = summary.signature;
  if (!options.family.empty()) {
    const postprocess::HeadFamily* family = postprocess::FindHeadFamily(options.family);
    if (family == nullptr) {
      return absl::InvalidArgumentError(fmt::format(
          "--family {}: there is no such head family; there are: {}", options.family, FamilyList()));
    }
    ASSIGN_OR_RETURN(auto found, family->recognise(graph, /*forced=*/true));
    if (!found) {
      return absl::InvalidArgumentError(
          fmt::format("--family {}: the graph does not fit it", options.family));
    }
    found->head.family = std::string(family->name);
    found->confidence = 100;
    RefineFromOperators(summary, &*found);
    if (found->reason.empty()) found->reason = "named with --family";
    return *std::move(found);
  }
  auto best = RecogniseGraph(summary);
  if (!best || best->second.confidence < kSure) {
    const std::string guess =
        best ? fmt::format(" The best guess is {} ({}).", best->first->name, best->second.reason) : "";
    return absl::FailedPreconditionError(
        fmt::format("the head family cannot be told from the graph (inputs: {}; outputs: {}).{} Name it with "
                    "--family: {}",
                    Describe(graph.inputs), Describe(graph.outputs), guess, FamilyList()));
  }
  return std::move(best->second);
}

// "labels: the graph has 12 classes and no names" -> the card's key that it is about, "" for none.
std::string KeyOf(std::string_view unknown) {
  const std::string_view topic = unknown.substr(0, unknown.find(':'));
  if (topic.rfind("head.", 0) == 0 || topic.rfind("input.", 0) == 0) return std::string(topic);
  if (topic == "input size") return "input.width";
  if (topic == "input") return "input";
  if (topic.rfind("attributes.", 0) == 0) return "head.attributes";
  for (const std::string_view key : {"labels", "anchors", "family", "strides", "attributes", "min_sizes"}) {
    if (topic == key) return fmt::format("head.{}", key);
  }
  return "";
}

bool Settled(const std::string& key, const DraftOptions& options) {
  if (key.empty()) return false;
  if (key == "head.labels" && !options.labels.empty()) return true;
  if (key == "head.family" && !options.family.empty()) return true;
  for (const auto& [path, value] : options.set) {
    if (path == key || path.rfind(key + ".", 0) == 0 || path.rfind(key + "[", 0) == 0) return true;
  }
  return false;
}

absl::Status SetLabels(const std::string& labels, ModelCard* card) {
  if (const std::vector<std::string>* builtin = pipeline::BuiltinLabels(labels); builtin != nullptr) {
    card->head.labels = *builtin;
    return absl::OkStatus();
  }
  auto read = ReadLabelFile(labels);
  if (absl::IsNotFound(read.status())) {
    return absl::InvalidArgumentError(fmt::format("--labels {}: neither a file nor a built-in list ({})",
                                                  labels, Join(pipeline::BuiltinLabelNames(), ", ")));
  }
  if (!read.ok()) return Annotate(read.status(), "--labels");
  card->head.labels = *std::move(read);
  return absl::OkStatus();
}

// What the file says of itself, for people. Never trusted to be short or clean.
std::string OwnWords(const GraphSignature& graph, const std::string& key) {
  const auto found = graph.metadata.find(key);
  if (found == graph.metadata.end()) return "";
  std::string text = ToValidUtf8(std::string_view(found->second).substr(0, kDescriptionMax));
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return std::string(Trim(text));
}

// Beside the values, so that a reader of the card sees which of them nobody vouches for.
void Comment(const postprocess::Recognition& recognition, CardDraft* draft) {
  draft->comments["input"] =
      fmt::format("colour, resize and normalisation are customary for {}; a graph does not say them",
                  recognition.head.family);
  draft->comments["head.family"] = draft->reason;
  for (const std::string& line : draft->unknown) {
    const std::string key = KeyOf(line);
    const size_t colon = line.find(':');
    if (!key.empty() && colon != std::string::npos)
      draft->comments[key] = std::string(Trim(line.substr(colon + 1)));
  }
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadLabelFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kLabelBytesMax));
  if (text.find('\0') != std::string::npos)
    return absl::InvalidArgumentError(fmt::format("{} is no text file", path));
  std::vector<std::string> labels;
  for (const std::string& line : Split(text, '\n')) {
    labels.push_back(ToValidUtf8(Trim(line)));
    if (labels.back().size() > kLabelBytesOfOneMax || labels.size() > kLabelsMax) {
      return absl::InvalidArgumentError(
          fmt::format("{} is no list of labels (one name a line, at most {})", path, kLabelsMax));
    }
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  if (labels.empty()) return absl::InvalidArgumentError(fmt::format("{} has no labels in it", path));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) {
      return absl::InvalidArgumentError(fmt::format("{}:{}: an empty line between labels", path, i + 1));
    }
  }
  return labels;
}

std::optional<std::pair<const postprocess::HeadFamily*, postprocess::Recognition>> RecogniseGraph(
    const GraphSummary& graph) {
  auto best = postprocess::RecogniseHead(graph.signature);
  if (!best) return std::nullopt;
  best->second.head.family = std::string(best->first->name);
  RefineFromOperators(graph, &best->second);
  return best;
}

absl::StatusOr<CardDraft> DraftCard(const GraphSummary& summary, const DraftOptions& options) {
  ASSIGN_OR_RETURN(const postprocess::Recognition recognition, Recognise(summary, options));
  const GraphSignature& graph = summary.signature;
  CardDraft draft;
  draft.reason = ToValidUtf8(recognition.reason);
  draft.confidence = recognition.confidence;
  draft.card.name = options.name;
  draft.card.input = recognition.input;
  draft.card.head = recognition.head;
  draft.card.description = OwnWords(graph, "description");
  draft.card.licence = OwnWords(graph, "license");
  const bool usable = CheckAgainstGraph(draft.card, graph).ok();
  if (!options.labels.empty()) RETURN_IF_ERROR(SetLabels(options.labels, &draft.card));
  for (const auto& [path, value] : options.set) {
    RETURN_IF_ERROR(
        Annotate(pipeline::SetCardValue(path, value, &draft.card), fmt::format("--set {}={}", path, value)));
  }
  for (const std::string& line : recognition.unknown) {
    if (!Settled(KeyOf(line), options)) draft.unknown.push_back(ToValidUtf8(line));
  }
  Comment(recognition, &draft);
  if (const auto head = CheckAgainstGraph(draft.card, graph); !head.ok()) {
    // What the graph is known to be against what the user says: nothing is written.
    if (usable) return absl::InvalidArgumentError(fmt::format("{}", MessageOf(head.status())));
    draft.not_usable = std::string(MessageOf(head.status()));
  }
  return draft;
}

}  // namespace sightline::registry
