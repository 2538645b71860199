#include "cameras/node/scene.h"

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/declare.h"

namespace sightline::cameras {
namespace {

using rules::Homography;

struct Calibration {
  std::optional<PointConfig> picture;
  std::vector<CalibrationPoint> pairs;
};

std::optional<double> NumberOf(const pipeline::Node* node) {
  return node == nullptr ? std::nullopt : ParseNumber(node->text);
}

std::optional<PointConfig> PointOf(const pipeline::Node* node) {
  if (node == nullptr || node->items.size() != 2) return std::nullopt;
  const auto x = NumberOf(&node->items[0]), y = NumberOf(&node->items[1]);
  if (!x || !y) return std::nullopt;
  return PointConfig{*x, *y};
}

// The simulator's file, or any YAML or JSON with `pairs`; other keys are of no concern.
absl::StatusOr<Calibration> ReadCalibration(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, 1 << 20));
  auto parsed = pipeline::ParseYaml(text, file);
  if (auto* diagnostic = std::get_if<pipeline::Diagnostic>(&parsed)) return pipeline::ToStatus({*diagnostic});
  const pipeline::Node& root = std::get<pipeline::Node>(parsed);
  Calibration calibration;
  const auto width = NumberOf(root.Find("width")), height = NumberOf(root.Find("height"));
  if (width && height && *width >= 1 && *height >= 1) calibration.picture = PointConfig{*width, *height};
  const pipeline::Node* pairs = root.Find("pairs");
  if (pairs == nullptr) return absl::InvalidArgumentError(fmt::format("{}: there are no `pairs`", file));
  for (size_t i = 0; i < pairs->items.size(); ++i) {
    const auto pixel = PointOf(pairs->items[i].Find("pixel")),
               metres = PointOf(pairs->items[i].Find("metres"));
    if (!pixel || !metres) {
      return absl::InvalidArgumentError(
          fmt::format("{}: pairs[{}] needs `pixel: [x, y]` and `metres: [x, y]`", file, i));
    }
    calibration.pairs.push_back({*pixel, *metres});
  }
  return calibration;
}

bool InShares(const CameraConfig& config) {
  const auto share = [](const PointConfig& p) { return p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1; };
  for (const ZoneConfig& zone : config.zones)
    if (!std::all_of(zone.points.begin(), zone.points.end(), share)) return false;
  return std::all_of(config.lines.begin(), config.lines.end(),
                     [&](const LineConfig& line) { return share(line.from) && share(line.to); });
}

}  // namespace

absl::StatusOr<SourceOptions> SourceOf(const CameraConfig& config) {
  SourceOptions options;
  auto address = WithEnvironment(config.source);
  if (!address.ok()) return Annotate(address.status(), "source");
  options.address = *std::move(address);
  options.transport = config.transport;
  options.real_time = config.real_time;
  options.loop = config.loop;
  options.allowed_hosts = config.allowed_hosts;
  return options;
}

absl::StatusOr<Scene> SceneOf(const CameraConfig& config, const std::vector<std::string>& node_redact,
                              Size stream) {
  Scene scene;
  Calibration calibration{config.picture, config.calibration};
  if (!config.calibration_file.empty()) {
    auto read = ReadCalibration(config.calibration_file);
    if (!read.ok()) return Annotate(read.status(), "calibration_file");
    calibration = *std::move(read);
    if (config.picture) calibration.picture = config.picture;
  }
  scene.geometry.picture = stream;
  // From the picture that was meant to the stream's.
  const PointConfig meant = calibration.picture.value_or(
      PointConfig{static_cast<double>(stream.width), static_cast<double>(stream.height)});
  const PointConfig by_pixel = {stream.width / meant[0], stream.height / meant[1]};
  const PointConfig by =
      InShares(config) ? PointConfig{static_cast<double>(stream.width), static_cast<double>(stream.height)}
                       : by_pixel;
  const auto scaled = [&](const PointConfig& p) { return rules::Point{p[0] * by[0], p[1] * by[1]}; };
  for (const ZoneConfig& zone : config.zones) {
    rules::Polygon polygon;
    for (const PointConfig& point : zone.points) polygon.push_back(scaled(point));
    scene.geometry.zones.push_back({zone.name, std::move(polygon), zone.heading_deg});
  }
  for (const LineConfig& line : config.lines)
    scene.geometry.lines.push_back({line.name, scaled(line.from), scaled(line.to)});
  if (!calibration.pairs.empty()) {
    std::vector<Homography::Pair> pairs;
    for (const CalibrationPoint& pair : calibration.pairs) {
      pairs.push_back(
          {{pair.pixel[0] * by_pixel[0], pair.pixel[1] * by_pixel[1]}, {pair.metres[0], pair.metres[1]}});
    }
    auto ground = Homography::Fit(pairs);
    if (!ground.ok()) return Annotate(ground.status(), "calibration");
    scene.geometry.ground = *std::move(ground);
  }
  for (const rules::RuleConfig& rule : config.rules) {
    auto made = rules::Rule::Create(rule, scene.geometry);
    if (!made.ok()) return Annotate(made.status(), fmt::format("rule '{}'", rule.name));
    scene.rules.push_back(*std::move(made));
  }
  for (const std::string& kind : config.redact ? *config.redact : node_redact) {
    scene.redaction.faces |= kind == "faces";
    scene.redaction.people |= kind == "people";
    scene.redaction.plates |= kind == "plates";
    if (kind != "zones") continue;
    for (const std::string& name : config.redact_zones) {
      std::vector<Keypoint> corners;
      for (const rules::Point& point : scene.geometry.FindZone(name)->polygon)
        corners.push_back({static_cast<float>(point.x), static_cast<float>(point.y)});
      scene.redaction.zones.push_back(std::move(corners));
    }
  }
  return scene;
}

}  // namespace sightline::cameras
