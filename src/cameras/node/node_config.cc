#include "cameras/node/node_config.h"

#include <cstdlib>
#include <set>

#include "base/file.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/node/camera_declaration.h"

namespace sightline::cameras {
namespace {

using pipeline::Report;

// Names that must be unique, and names that must be there.
template <typename List>
void CheckUnique(const List& list, const std::string& path, Report* report) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!seen.insert(list[i].name).second)
      report->At(fmt::format("{}[{}].name", path, i),
                 fmt::format("the name '{}' stands twice", list[i].name));
  }
}

template <typename List>
void CheckKnown(const std::vector<std::string>& names, const List& list, std::string_view what,
                const std::string& path, Report* report) {
  std::vector<std::string> known;
  for (const auto& item : list) known.push_back(item.name);
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(known.begin(), known.end(), names[i]) != known.end()) continue;
    const std::string near = NearestName(names[i], known);
    report->At(fmt::format("{}[{}]", path, i),
               fmt::format("there is no {} '{}'{}", what, names[i],
                           near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
}

void FillAndCheck(CameraConfig* camera, const std::string& prefix, Report* report) {
  for (rules::RuleConfig& rule : camera->rules)
    if (rule.name.empty()) rule.name = rules::Name(rule.kind);
  CheckUnique(camera->zones, prefix + "zones", report);
  CheckUnique(camera->lines, prefix + "lines", report);
  CheckUnique(camera->rules, prefix + "rules", report);
  for (size_t i = 0; i < camera->rules.size(); ++i) {
    const rules::RuleConfig& rule = camera->rules[i];
    const std::string path = fmt::format("{}rules[{}].", prefix, i);
    CheckKnown(rule.zones, camera->zones, "zone", path + "zones", report);
    if (!rule.line.empty()) CheckKnown({rule.line}, camera->lines, "line", path + "line", report);
    if (!rule.signal_zone.empty())
      CheckKnown({rule.signal_zone}, camera->zones, "zone", path + "signal_zone", report);
  }
  CheckKnown(camera->redact_zones, camera->zones, "zone", prefix + "redact_zones", report);
  if (!camera->calibration.empty() && camera->calibration.size() < 4)
    report->At(prefix + "calibration", "needs four points or more");
  if (!camera->calibration.empty() && !camera->calibration_file.empty())
    report->At(prefix + "calibration_file", "and calibration exclude each other");
}

template <typename T, typename Check>
absl::StatusOr<T> Parse(std::string_view yaml, std::string_view file, const pipeline::Object<T>& declaration,
                        Check check) {
  auto parsed = pipeline::ParseYaml(yaml, file);
  if (auto* diagnostic = std::get_if<pipeline::Diagnostic>(&parsed)) return pipeline::ToStatus({*diagnostic});
  const pipeline::Node& root = std::get<pipeline::Node>(parsed);
  Report report(file, &root);
  T value;
  // An empty file is all defaults.
  if (root.kind != pipeline::Node::Kind::kNull) declaration.Read(root, "", &report, &value);
  check(&value, &report);
  RETURN_IF_ERROR(pipeline::ToStatus(report.Take()));
  return value;
}

bool IsVariable(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
             std::string_view::npos;
}

}  // namespace

absl::StatusOr<CameraConfig> ParseCameraConfig(std::string_view yaml, std::string_view shown_file) {
  return Parse(yaml, shown_file, CameraDeclaration(),
               [](CameraConfig* camera, Report* report) { FillAndCheck(camera, "", report); });
}

absl::StatusOr<NodeConfig> ParseNodeConfig(std::string_view yaml, std::string_view shown_file) {
  return Parse(yaml, shown_file, NodeDeclaration(), [](NodeConfig* node, Report* report) {
    for (SinkConfig& sink : node->sinks) {
      constexpr std::string_view kKinds[] = {"webhook", "mqtt", "nats", "jsonl"};
      if (sink.name.empty()) sink.name = kKinds[static_cast<size_t>(sink.kind)];
    }
    CheckUnique(node->sinks, "sinks", report);
    CheckUnique(node->cameras, "cameras", report);
    for (size_t i = 0; i < node->cameras.size(); ++i)
      FillAndCheck(&node->cameras[i], fmt::format("cameras[{}].", i), report);
    if (node->http.certificate.empty() != node->http.key.empty())
      report->At("http", "certificate and key belong together");
  });
}

absl::StatusOr<NodeConfig> ReadNodeConfig(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadTextFile(file, pipeline::YamlLimits().bytes_max));
  return ParseNodeConfig(yaml, file.string());
}

std::string ShownSource(std::string_view source) {
  std::string shown = WithoutAnyCredentials(source);
  const size_t query = shown.find('?');
  if (shown.find("://") < query && query != std::string::npos)
    shown.replace(query + 1, std::string::npos, "...");
  return shown;
}

std::string PrintCameraConfig(const CameraConfig& config, bool hide_credentials) {
  CameraConfig shown = config;
  if (hide_credentials) shown.source = ShownSource(shown.source);
  return pipeline::PrintYaml(CameraDeclaration().Write(&shown, pipeline::Show::kChanged));
}

std::filesystem::path DataFolder(const NodeConfig& config) {
  if (!config.data_dir.empty()) return config.data_dir;
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::filesystem::path(data) / "sightline/node";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "/var/lib" : home) /
         (home == nullptr ? "sightline" : ".local/share/sightline/node");
}

absl::StatusOr<std::string> WithEnvironment(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t at = text.find("${");
    if (at == std::string_view::npos) break;
    const bool plain = at > 0 && text[at - 1] == '$';
    out += text.substr(0, plain ? at - 1 : at);
    text.remove_prefix(at);
    const size_t end = text.find('}');
    if (plain || end == std::string_view::npos) {
      out += "${";
      text.remove_prefix(2);
      continue;
    }
    const std::string name(text.substr(2, end - 2));
    const char* value = IsVariable(name) ? std::getenv(name.c_str()) : nullptr;
    if (value == nullptr) {
      return absl::NotFoundError(
          fmt::format("${{{}}}: the environment has no such variable", ToValidUtf8(name.substr(0, 64))));
    }
    out += value;
    text.remove_prefix(end + 1);
  }
  return out + std::string(text);
}

std::string NodeConfigSchema() { return pipeline::SchemaDocument(NodeDeclaration(), "Sightline node"); }

std::string NodeReferencePage() {
  return "# node.yaml\n\n"
         "`sightline serve --config node.yaml` watches cameras. Every key has a default: without a file the "
         "node "
         "listens on 127.0.0.1:8080 and keeps its data in a folder of its own. A camera that `sightline "
         "camera add` "
         "takes is one entry of `cameras`, in a file of its own or by options.\n\n"
         "```yaml\n"
         "name: edge-7\n"
         "data_dir: /var/lib/sightline\n"
         "http: {listen: \"127.0.0.1:8080\"}\n"
         "sinks:\n"
         "  - kind: webhook\n"
         "    url: https://control.example.org/events\n"
         "    secret: ${WEBHOOK_SECRET}\n"
         "cameras:\n"
         "  - name: north\n"
         "    source: rtsp://${NORTH_LOGIN}@10.0.0.5/stream1\n"
         "    zones:\n"
         "      - {name: road, points: [[0.1, 0.4], [0.9, 0.4], [1, 1], [0, 1]]}\n"
         "    rules:\n"
         "      - {kind: person_on_road, zones: [road]}\n"
         "```\n\n" +
         pipeline::ReferenceSections(NodeDeclaration());
}

}  // namespace sightline::cameras
