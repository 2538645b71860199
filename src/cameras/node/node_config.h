// node.yaml, and what is said of one camera. Declared with pipeline/spec/declare.h: all diagnostics with
// file, line and path; printable; a JSON Schema.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cameras/evidence/evidence.h"
#include "cameras/stream/camera_stream.h"
#include "cameras/watch/watcher.h"
#include "stages/rules/geometry.h"
#include "stages/rules/rule_config.h"

namespace sightline::cameras {

// Points are [x, y]: shares of the picture (0..1) where all of a camera's zones and lines are within them,
// else pixels of `picture`.
using PointConfig = std::array<double, 2>;

struct ZoneConfig {
  std::string name;
  std::vector<PointConfig> points;
  std::optional<double> heading_deg;
};

struct LineConfig {
  std::string name;
  PointConfig from{}, to{};
};

struct CalibrationPoint {
  PointConfig pixel{}, metres{};
};

struct CameraConfig {
  std::string name;    // [a-z0-9][a-z0-9_-]{0,62}
  std::string source;  // see SourceOptions::address; ${NAME} takes an environment variable (credentials)
  RtspTransport transport = RtspTransport::kTcp;
  bool real_time = true, loop = false;
  std::vector<std::string> allowed_hosts;
  std::string pipeline;  // file or built-in name; "" the node's
  AttentionMode attention = AttentionMode::kAuto;
  double rate = 5, weight = 1;
  std::optional<PointConfig> picture;  // [width, height] that zones, lines and calibration in pixels are for
  std::vector<ZoneConfig> zones;
  std::vector<LineConfig> lines;
  std::vector<CalibrationPoint> calibration;  // >= 4; or
  std::string calibration_file;               // as the simulator writes it
  std::vector<rules::RuleConfig> rules;
  std::optional<std::vector<std::string>> redact;  // faces, people, plates, zones; absent: the node's
  std::vector<std::string> redact_zones;
};

enum class SinkKind { kWebhook, kMqtt, kNats, kJsonLines };

struct SinkConfig {
  SinkKind kind = SinkKind::kWebhook;
  std::string name;
  std::string url, file, secret, topic, subject, client_id, authorities_file;
  bool home_assistant = false, jet_stream = false;
  double timeout_s = 5;
  std::vector<std::string> kinds, cameras;
};

struct HttpConfig {
  std::string listen = "127.0.0.1:8080";
  std::string token;             // ${NAME}; needed off loopback, with TLS
  std::string certificate, key;  // PEM files
  int connections_max = 256;
  double requests_per_second = 200;  // of one address
};

struct EvidenceConfig {
  bool enabled = true;
  double before_s = 5, after_s = 5;
  double megabytes_max = 10'000;
};

struct NodeConfig {
  std::string name;                 // "" the machine's name
  std::string data_dir;             // "" $XDG_DATA_HOME/sightline/node (~/.local/share/...)
  std::string models;               // folder; "" as of `sightline model`
  std::string pipeline = "street";  // for cameras that name none
  HttpConfig http;
  int workers = 0;  // 0: one a core
  EvidenceConfig evidence;
  std::vector<std::string> redact = {"faces", "people", "plates"};
  bool tracks = false;  // Parquet of tracks under data_dir/tracks
  std::vector<SinkConfig> sinks;
  std::vector<CameraConfig> cameras;  // those that the file declares: as `camera add`, each start
};

// Errors hold all diagnostics, a line each.
absl::StatusOr<NodeConfig> ReadNodeConfig(const std::filesystem::path& file);
absl::StatusOr<NodeConfig> ParseNodeConfig(std::string_view yaml, std::string_view shown_file);
absl::StatusOr<CameraConfig> ParseCameraConfig(std::string_view yaml, std::string_view shown_file);
// A source as it may be shown: without credentials, and without queries of network addresses, which may hold
// keys.
std::string ShownSource(std::string_view source);
std::string PrintCameraConfig(const CameraConfig& config, bool hide_credentials);
// data_dir, or $XDG_DATA_HOME/sightline/node, or ~/.local/share/sightline/node.
std::filesystem::path DataFolder(const NodeConfig& config);
// ${NAME} replaced by the environment; NotFound names the variable. $${ is a plain ${.
absl::StatusOr<std::string> WithEnvironment(std::string_view text);
std::string NodeConfigSchema();   // JSON Schema
std::string NodeReferencePage();  // Markdown, for docs/node.md

}  // namespace sightline::cameras
