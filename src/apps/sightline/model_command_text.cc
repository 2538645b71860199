#include <nlohmann/json.hpp>

#include "apps/sightline/model_command.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMetadataShown = 200;  // bytes of one value

// Text from a file for a terminal: valid, on one line, without control characters.
std::string Plain(std::string_view text, size_t bytes_max = 400) {
  const bool cut = text.size() > bytes_max;
  std::string plain = ToValidUtf8(text.substr(0, bytes_max));
  for (char& c : plain) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return cut ? plain + "…" : plain;
}

// 3660092 -> 3.66 M
std::string Short(double value) {
  constexpr std::pair<double, std::string_view> kSteps[] = {
      {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [step, unit] : kSteps) {
    if (value >= step) return fmt::format("{:.3g}{}", value / step, unit);
  }
  return fmt::format("{:.3g}", value);
}

// [n,3,height?,416]: open extents by their name.
std::string ShapeText(const TensorSpec& spec) {
  std::vector<std::string> extents;
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    const bool named = i < spec.dimension_names.size() && !spec.dimension_names[i].empty();
    extents.push_back(spec.shape[i] >= 0 ? fmt::format("{}", spec.shape[i])
                      : named            ? Plain(spec.dimension_names[i], 40)
                                         : "?");
  }
  return fmt::format("[{}]", Join(extents, ","));
}

std::string SpecLines(std::string_view title, const std::vector<TensorSpec>& specs) {
  std::string text;
  for (size_t i = 0; i < specs.size(); ++i) {
    text += fmt::format("{:<12} {} {} {}\n", i == 0 ? title : "", Plain(specs[i].name), Name(specs[i].type),
                        ShapeText(specs[i]));
  }
  return text;
}

Json SpecJson(const std::vector<TensorSpec>& specs) {
  Json list = Json::array();
  for (const TensorSpec& spec : specs) {
    Json shape = Json::array();
    for (size_t i = 0; i < spec.shape.size(); ++i) {
      const bool named = i < spec.dimension_names.size() && !spec.dimension_names[i].empty();
      if (spec.shape[i] >= 0) {
        shape.push_back(spec.shape[i]);
      } else if (named) {
        shape.push_back(ToValidUtf8(spec.dimension_names[i]));
      } else {
        shape.push_back(nullptr);
      }
    }
    list.push_back(
        {{"name", ToValidUtf8(spec.name)}, {"type", Name(spec.type)}, {"shape", std::move(shape)}});
  }
  return list;
}

std::string FlopsText(const registry::GraphSummary& graph) {
  if (!graph.flops) return "unknown (shapes could not be inferred)";
  std::string text =
      fmt::format("{}FLOPs a run (2 x multiply-accumulates of {} convolutions and matrix products",
                  Short(graph.flops->flops) + (graph.flops->flops >= 1e3 ? "" : " "), graph.flops->counted);
  if (graph.flops->unknown > 0) text += fmt::format("; {} more have unknown shapes", graph.flops->unknown);
  if (graph.flops->assumed_open) text += "; open extents assumed, see --size";
  return text + ")";
}

std::string ClassName(const HeadCard& head, int class_id) {
  const bool named = class_id >= 0 && static_cast<size_t>(class_id) < head.labels.size();
  return named ? head.labels[static_cast<size_t>(class_id)] : fmt::format("class {}", class_id);
}

std::string DetectionLines(const HeadCard& head, const HeadResult& result) {
  constexpr size_t kShown = 20;
  std::string text =
      fmt::format("  {} detection{}\n", result.detections.size(), result.detections.size() == 1 ? "" : "s");
  for (size_t i = 0; i < std::min(result.detections.size(), kShown); ++i) {
    const Detection& d = result.detections[i];
    text +=
        fmt::format("  {:<20} {:.3f}  [{:.0f}, {:.0f}, {:.0f}, {:.0f}]{}\n",
                    Plain(ClassName(head, d.class_id), 60), d.score, d.box.x1, d.box.y1, d.box.x2, d.box.y2,
                    d.keypoints.empty() ? "" : fmt::format("  {} keypoints", d.keypoints.size()));
  }
  if (result.detections.size() > kShown)
    text += fmt::format("  … {} more\n", result.detections.size() - kShown);
  return text;
}

std::string AttributeLine(const Attribute& attribute) {
  std::string text = fmt::format("  {:<20}", Plain(attribute.name, 60));
  if (!attribute.value.empty()) text += fmt::format(" {}", Plain(attribute.value, 60));
  if (!std::isnan(attribute.number)) text += fmt::format(" {:.4g}", attribute.number);
  if (!std::isnan(attribute.score)) text += fmt::format("  {:.3f}", attribute.score);
  return text + "\n";
}

std::string ResultLines(const HeadCard& head, const HeadResult& result) {
  std::string text;
  if (!result.classifications.empty()) {
    for (const Classification& c : result.classifications) {
      text += fmt::format("  {:<20} {:.3f}\n", Plain(ClassName(head, c.class_id), 60), c.score);
    }
  }
  for (const Attribute& attribute : result.attributes) text += AttributeLine(attribute);
  if (!result.embedding.empty()) {
    double square = 0;
    for (const float value : result.embedding) square += static_cast<double>(value) * value;
    text +=
        fmt::format("  embedding of {} values, length {:.4g}\n", result.embedding.size(), std::sqrt(square));
  }
  return text.empty() ? DetectionLines(head, result) : text;
}

}  // namespace

std::string GraphText(const std::string& file, const registry::GraphSummary& graph,
                      const RecognisedHead& recognised) {
  std::string text = fmt::format("{:<12} {} ({} bytes)\n", "file", Plain(file), graph.file_bytes);
  text += fmt::format("{:<12} {} {}\n", "producer",
                      Plain(graph.signature.producer.empty() ? "unknown" : graph.signature.producer),
                      Plain(graph.producer_version));
  std::vector<std::string> opsets, operators;
  for (const auto& [domain, version] : graph.opsets)
    opsets.push_back(fmt::format("{} {}", Plain(domain, 80), version));
  text += fmt::format("{:<12} {} (IR version {})\n", "opset", Join(opsets, ", "), graph.ir_version);
  text += SpecLines("inputs", graph.signature.inputs) + SpecLines("outputs", graph.signature.outputs);
  std::vector<std::pair<int64_t, std::string>> counts;
  for (const auto& [name, count] : graph.operators) counts.emplace_back(-count, Plain(name, 80));
  std::sort(counts.begin(), counts.end());
  for (const auto& [count, name] : counts) operators.push_back(fmt::format("{} {}", name, -count));
  text += fmt::format("{:<12} {} nodes: {}\n", "operators", graph.nodes, Join(operators, ", "));
  text += fmt::format("{:<12} {}({})\n", "parameters", Short(static_cast<double>(graph.parameters)) + " ",
                      graph.parameters);
  text += fmt::format("{:<12} {}\n", "arithmetic", FlopsText(graph));
  for (const std::string& external : graph.external_files)
    text += fmt::format("{:<12} {}\n", "weights in", Plain(external));
  for (const auto& [key, value] : graph.signature.metadata) {
    text += fmt::format("{:<12} {}: {}\n", "metadata", Plain(key, 80), Plain(value, kMetadataShown));
  }
  if (!recognised) return text + fmt::format("{:<12} not recognised; `model add` needs --family\n", "head");
  const auto& [family, recognition] = *recognised;
  text += fmt::format("{:<12} {} ({} % sure): {}\n", "head", family->name, recognition.confidence,
                      Plain(recognition.reason));
  for (const std::string& line : recognition.unknown)
    text += fmt::format("{:<12} {}\n", "unknown", Plain(line));
  return text;
}

std::string GraphJson(const std::string& file, const registry::GraphSummary& graph,
                      const RecognisedHead& recognised) {
  Json json = {{"file", ToValidUtf8(file)},
               {"bytes", graph.file_bytes},
               {"producer", ToValidUtf8(graph.signature.producer)},
               {"producer_version", ToValidUtf8(graph.producer_version)},
               {"ir_version", graph.ir_version},
               {"opsets", Json::object()},
               {"inputs", SpecJson(graph.signature.inputs)},
               {"outputs", SpecJson(graph.signature.outputs)},
               {"nodes", graph.nodes},
               {"operators", Json::object()},
               {"parameters", graph.parameters},
               {"flops", nullptr},
               {"external_files", Json::array()},
               {"metadata", Json::object()},
               {"head", nullptr}};
  for (const auto& [domain, version] : graph.opsets) json["opsets"][ToValidUtf8(domain)] = version;
  for (const auto& [name, count] : graph.operators) json["operators"][ToValidUtf8(name)] = count;
  for (const std::string& external : graph.external_files)
    json["external_files"].push_back(ToValidUtf8(external));
  for (const auto& [key, value] : graph.signature.metadata)
    json["metadata"][ToValidUtf8(key)] = ToValidUtf8(value);
  if (graph.flops) {
    json["flops"] = {{"total", graph.flops->flops},
                     {"nodes_counted", graph.flops->counted},
                     {"nodes_unknown", graph.flops->unknown},
                     {"open_extents_assumed", graph.flops->assumed_open}};
  }
  if (recognised) {
    Json unknown = Json::array();
    for (const std::string& line : recognised->second.unknown) unknown.push_back(ToValidUtf8(line));
    json["head"] = {{"family", recognised->first->name},
                    {"confidence", recognised->second.confidence},
                    {"reason", ToValidUtf8(recognised->second.reason)},
                    {"unknown", std::move(unknown)}};
  }
  return json.dump(2) + "\n";
}

std::string VerifyText(const registry::VerifyReport& report) {
  const ModelCard& card = report.model->card;
  std::string text = fmt::format("{} loads and fits its card (family {}, input {}x{})\n", card.Id(),
                                 card.head.family, report.input_size.width, report.input_size.height);
  text += fmt::format("picture      {} ({}x{})\n", Plain(report.picture), report.picture_size.width,
                      report.picture_size.height);
  for (const registry::OutputStatistics& output : report.outputs) {
    text += fmt::format("output       {} {}: {:.4g} to {:.4g}, mean {:.4g}\n", Plain(output.name, 80),
                        output.shape, output.min, output.max, output.mean);
  }
  text += fmt::format(
      "one thread   preprocess {:.2f} ms, model {:.2f} ms, head {:.3f} ms; loading took {:.0f} ms\n",
      report.preprocess_ms, report.infer_ms, report.head_ms, report.load_ms);
  text += "result\n" + ResultLines(card.head, report.result);
  for (const std::string& warning : report.warnings) text += fmt::format("warning      {}\n", warning);
  return text;
}

std::string ListText(const std::vector<registry::ModelStore::Listing>& listings,
                     const std::vector<std::filesystem::path>& roots) {
  if (listings.empty()) {
    std::vector<std::string> folders;
    for (const auto& root : roots) folders.push_back(root.string());
    return fmt::format("no models in {}; `sightline model add FILE.onnx` makes one\n",
                       folders.empty() ? "any folder" : Join(folders, ", "));
  }
  std::string text =
      fmt::format("{:<28} {:<8} {:<11} {:<10} {}\n", "NAME", "VERSION", "FAMILY", "INPUT", "FOLDER");
  for (const auto& listing : listings) {
    if (listing.model == nullptr) {
      text += fmt::format("{:<28} broken: {}\n", listing.name, MessageOf(listing.status));
      continue;
    }
    const ModelCard& card = listing.model->card;
    const std::string size =
        card.input.width > 0 ? fmt::format("{}x{}", card.input.width, card.input.height) : "open";
    text += fmt::format("{:<28} {:<8} {:<11} {:<10} {}\n", listing.name, card.version, card.head.family, size,
                        listing.folder.string());
  }
  return text;
}

std::string ListJson(const std::vector<registry::ModelStore::Listing>& listings) {
  Json list = Json::array();
  for (const auto& listing : listings) {
    Json json = {{"name", listing.name}, {"folder", ToValidUtf8(listing.folder.string())}};
    if (listing.model == nullptr) {
      json["error"] = ToValidUtf8(MessageOf(listing.status));
    } else {
      const ModelCard& card = listing.model->card;
      json["version"] = card.version;
      json["family"] = card.head.family;
      json["width"] = card.input.width;
      json["height"] = card.input.height;
      json["classes"] = card.head.labels.size();
      json["licence"] = card.licence;
      json["sha256"] = card.sha256;
    }
    list.push_back(std::move(json));
  }
  return list.dump(2) + "\n";
}

}  // namespace sightline::app
