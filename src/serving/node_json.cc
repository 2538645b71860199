#include "serving/node_json.h"

#include <cmath>
#include <ctime>
#include <map>

#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::serving {
namespace {

Json Rounded(double value, double steps = 1e4) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * steps) / steps;
}

Json TimeOrNull(WallTime time) { return time == WallTime() ? Json(nullptr) : Json(TimeText(time)); }

Json RulesJson(const cameras::CameraConfig& config) {
  Json rules = Json::array();
  for (const rules::RuleConfig& rule : config.rules) {
    Json json = {{"name", rule.name}, {"kind", rules::Name(rule.kind)}};
    if (!rule.zones.empty()) json["zones"] = rule.zones;
    if (!rule.line.empty()) json["line"] = rule.line;
    if (!rule.labels.empty()) json["labels"] = rule.labels;
    rules.push_back(std::move(json));
  }
  return rules;
}

template <typename List>
Json NamesOf(const List& list) {
  Json names = Json::array();
  for (const auto& item : list) names.push_back(item.name);
  return names;
}

}  // namespace

Json StateJson(const cameras::StreamStatus& status) {
  Json json = {{"state", cameras::Name(status.state)}, {"since", TimeOrNull(status.since)}};
  json["error"] =
      status.last_error.ok() ? Json(nullptr) : Json(WithoutAnyCredentials(MessageOf(status.last_error)));
  json["width"] = status.size.width;
  json["height"] = status.size.height;
  json["codec"] = status.codec;
  json["fps"] = Rounded(status.frames_per_second, 100);
  return json;
}

Json CameraJson(const cameras::CameraInfo& camera) {
  const cameras::CameraConfig& config = camera.config;
  const cameras::StreamStatus& stream = camera.stream;
  const cameras::CameraCounts& counts = camera.counts;
  Json json = {{"name", camera.stored.name.empty() ? config.name : camera.stored.name},
               {"source", WithoutAnyCredentials(config.source)},
               {"paused", camera.stored.paused},
               {"revision", camera.stored.revision},
               {"pipeline", config.pipeline.empty() ? Json(nullptr) : Json(config.pipeline)},
               {"state", StateJson(stream)}};
  json["counts"] = {{"frames", stream.frames},
                    {"packets", stream.packets},
                    {"bytes", stream.bytes},
                    {"damaged", stream.damaged},
                    {"connects", stream.connects},
                    {"stalls", stream.stalls},
                    {"clock_jumps", stream.clock_jumps},
                    {"left_out_late", stream.left_out_late},
                    {"analysed", counts.analysed},
                    {"dropped", counts.dropped},
                    {"events", counts.events}};
  json["analysis"] = {{"attention", config.attention == cameras::AttentionMode::kAuto ? "auto" : "full"},
                      {"rate", Rounded(counts.rate, 100)},
                      {"wanted_rate", Rounded(counts.wanted_rate, 100)},
                      {"weight", config.weight},
                      {"degraded", counts.degraded},
                      {"delay_p50_s", Rounded(counts.delay_p50_s)},
                      {"delay_p99_s", Rounded(counts.delay_p99_s)},
                      {"cpu_s", Rounded(counts.cpu_s, 1000)},
                      {"decode_cpu_s", Rounded(stream.decode_cpu_s, 1000)}};
  json["looks"] = {{"full", counts.looks_full},
                   {"regions", counts.looks_regions},
                   {"predicted", counts.looks_predicted},
                   {"skipped", counts.looks_skipped}};
  const bool calibrated = !config.calibration.empty() || !config.calibration_file.empty();
  json["calibration_error_px"] = calibrated ? Rounded(camera.calibration_error_px, 1000) : Json(nullptr);
  json["last_event"] = camera.last_event ? Json(TimeText(*camera.last_event)) : Json(nullptr);
  json["rules"] = RulesJson(config);
  json["zones"] = NamesOf(config.zones);
  json["lines"] = NamesOf(config.lines);
  return json;
}

Json CameraDetails(const cameras::CameraInfo& camera) {
  Json json = CameraJson(camera);
  json["config"] = cameras::PrintCameraConfig(camera.config, true);
  return json;
}

Json StatusJson(const cameras::NodeInfo& info, const std::vector<cameras::CameraInfo>& cameras) {
  std::map<std::string, int> states;
  for (const char* state : {"connecting", "live", "back-off", "paused", "ended"}) states[state] = 0;
  int degraded = 0;
  for (const cameras::CameraInfo& camera : cameras) {
    ++states[std::string(cameras::Name(camera.stream.state))];
    degraded += camera.counts.degraded ? 1 : 0;
  }
  const auto uptime = std::chrono::system_clock::now() - info.started;
  Json json = {{"name", info.name},
               {"version", info.version},
               {"started", TimeText(info.started)},
               {"uptime_s", Rounded(std::chrono::duration<double>(uptime).count(), 10)},
               {"ready", info.ready},
               {"workers", info.workers},
               {"served_share", Rounded(info.served_share)},
               {"overloaded", info.served_share < 0.95},
               {"cameras", {{"total", cameras.size()}, {"degraded", degraded}}}};
  json["cameras"]["states"] = states;
  return json;
}

Json SinksJson(const std::vector<cameras::SinkCounts>& sinks) {
  Json list = Json::array();
  for (const cameras::SinkCounts& sink : sinks) {
    list.push_back({{"name", sink.name},
                    {"target", WithoutAnyCredentials(sink.shown)},
                    {"sent", sink.sent},
                    {"failed", sink.failed},
                    {"refused", sink.refused},
                    {"waiting", sink.waiting},
                    {"dropped", sink.dropped},
                    {"delay_p95_s", Rounded(sink.delay_p95_s)},
                    {"last_error", sink.last_error.empty() ? Json(nullptr)
                                                           : Json(WithoutAnyCredentials(sink.last_error))}});
  }
  return {{"sinks", list}};
}

std::string Dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sightline::serving
