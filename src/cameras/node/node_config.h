// node.yaml, and what is said of one camera. Declared with pipeline/spec/declare.h: all diagnostics with
// file, line and path; printable; a JSON Schema.
#pragma once

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

struct ZoneConfig {
  std::string name;
  std::vector<std::vector<double>> points;  // [x, y], 0..1 of the picture where all are <= 1, else pixels
  std::optional<double> heading_deg;
};

struct CalibrationPoint {
  std::vector<double> pixel, metres;  // [x, y] each
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
  std::vector<double> picture;  // [width, height] that zones, lines and calibration in pixels are given for
  std::vector<ZoneConfig> zones, lines;       // lines: two points
  std::vector<CalibrationPoint> calibration;  // >= 4; or
  std::string calibration_file;               // as the simulator writes it
  std::vector<rules::RuleConfig> rules;
  std::vector<std::string> redact;  // faces, people, plates, zones; absent: the node's
  std::vector<std::string> redact_zones;
};

struct SinkConfig {
  std::string name, kind;  // webhook, mqtt, nats, jsonl
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
  uint64_t body_bytes_max = 1 << 20;
  double requests_per_second = 200;  // of one address
};

struct NodeConfig {
  std::string name;                 // "" the machine's name
  std::filesystem::path data_dir;   // "" $XDG_DATA_HOME/sightline/node, or /var/lib/sightline for root
  std::vector<std::string> models;  // folders
  std::string pipeline = "street";  // for cameras that name none
  HttpConfig http;
  int workers = 0;  // 0: one a core
  double evidence_before_s = 5, evidence_after_s = 5;
  bool evidence = true;
  std::vector<std::string> redact = {"faces", "people", "plates"};
  bool tracks = false;  // Parquet of tracks under data_dir/tracks
  std::vector<SinkConfig> sinks;
  std::vector<CameraConfig> cameras;  // those that the file declares: as `camera add`, each start
};

// Errors hold all diagnostics, a line each.
absl::StatusOr<NodeConfig> ReadNodeConfig(const std::filesystem::path& file);
absl::StatusOr<NodeConfig> ParseNodeConfig(std::string_view yaml, std::string_view shown_file);
absl::StatusOr<CameraConfig> ParseCameraConfig(std::string_view yaml, std::string_view shown_file);
std::string PrintCameraConfig(const CameraConfig& config, bool hide_credentials);
std::string NodeConfigSchema();   // JSON Schema
std::string NodeReferencePage();  // Markdown, for docs/node.md

}  // namespace sightline::cameras
