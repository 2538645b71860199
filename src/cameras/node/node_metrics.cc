#include "cameras/node/node_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "cameras/node/metrics.h"

namespace sightline::cameras {
namespace {

double Seconds(WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

int64_t CountOf(const std::filesystem::path& folder) {
  std::error_code error;
  int64_t count = 0;
  for (auto i = std::filesystem::directory_iterator(folder, error);
       !error && i != std::filesystem::directory_iterator(); i.increment(error))
    ++count;
  return count;
}

void AddProcess(const NodeInfo& info, MetricsText* text) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  text->Begin("process_cpu_seconds_total", "counter", "CPU time used, user and system.");
  text->Add({}, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  text->Begin("process_resident_memory_bytes", "gauge", "Memory in RAM.");
  text->Add({}, static_cast<double>(resident * sysconf(_SC_PAGESIZE)));
  text->Begin("process_open_fds", "gauge", "Open file descriptors.");
  text->Add({}, static_cast<double>(CountOf("/proc/self/fd")));
  text->Begin("process_threads", "gauge", "Threads.");
  text->Add({}, static_cast<double>(CountOf("/proc/self/task")));
  text->Begin("process_start_time_seconds", "gauge", "When the process began, seconds since 1970.");
  text->Add({}, Seconds(info.started));
}

struct CameraMetric {
  const char *name, *type, *help;
  double (*value)(const CameraInfo&);
};

// One line a camera each.
constexpr CameraMetric kCameraMetrics[] = {
    {"sightline_camera_frames_total", "counter", "Frames decoded and offered for analysis.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.frames); }},
    {"sightline_camera_packets_total", "counter", "Packets received.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.packets); }},
    {"sightline_camera_received_bytes_total", "counter", "Bytes of video received.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.bytes); }},
    {"sightline_camera_damaged_total", "counter", "Packets that could not be decoded.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.damaged); }},
    {"sightline_camera_left_out_late_total", "counter", "Packets not decoded because the stream was late.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.left_out_late); }},
    {"sightline_camera_connects_total", "counter", "Connections made.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.connects); }},
    {"sightline_camera_stalls_total", "counter", "Connections given up because nothing came.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.stalls); }},
    {"sightline_camera_clock_jumps_total", "counter", "Jumps of the stream's clock.",
     [](const CameraInfo& c) { return static_cast<double>(c.stream.clock_jumps); }},
    {"sightline_camera_stream_fps", "gauge", "Frames a second as they come.",
     [](const CameraInfo& c) { return c.stream.frames_per_second; }},
    {"sightline_camera_decode_cpu_seconds_total", "counter", "CPU time of decoding.",
     [](const CameraInfo& c) { return c.stream.decode_cpu_s; }},
    {"sightline_camera_analysed_total", "counter", "Frames analysed.",
     [](const CameraInfo& c) { return static_cast<double>(c.counts.analysed); }},
    {"sightline_camera_dropped_total", "counter", "Frames dropped for a newer one, or too old.",
     [](const CameraInfo& c) { return static_cast<double>(c.counts.dropped); }},
    {"sightline_camera_failed_total", "counter", "Frames whose analysis ended with an error.",
     [](const CameraInfo& c) { return static_cast<double>(c.counts.failed); }},
    {"sightline_camera_waiting", "gauge", "1 while a frame waits to be analysed.",
     [](const CameraInfo& c) { return c.counts.waiting ? 1.0 : 0.0; }},
    {"sightline_camera_analysis_rate", "gauge", "Analyses a second.",
     [](const CameraInfo& c) { return c.counts.rate; }},
    {"sightline_camera_wanted_rate", "gauge", "Analyses a second that were asked for.",
     [](const CameraInfo& c) { return c.counts.wanted_rate; }},
    {"sightline_camera_degraded", "gauge", "1 while served less often than asked for, for lack of CPU.",
     [](const CameraInfo& c) { return c.counts.degraded ? 1.0 : 0.0; }},
    {"sightline_camera_analysis_cpu_seconds_total", "counter", "CPU time of analysis.",
     [](const CameraInfo& c) { return c.counts.cpu_s; }},
    {"sightline_camera_events_total", "counter", "Events.",
     [](const CameraInfo& c) { return static_cast<double>(c.counts.events); }},
    {"sightline_camera_calibration_error_px", "gauge", "Reprojection error; 0 without calibration.",
     [](const CameraInfo& c) { return c.calibration_error_px; }},
};

void AddCameras(const std::vector<CameraInfo>& cameras, MetricsText* text) {
  for (const CameraMetric& metric : kCameraMetrics) {
    text->Begin(metric.name, metric.type, metric.help);
    for (const CameraInfo& camera : cameras)
      text->Add({{"camera", camera.config.name}}, metric.value(camera));
  }
  text->Begin("sightline_camera_state", "gauge", "1 for the state that the stream is in.");
  constexpr StreamState kStates[] = {StreamState::kConnecting, StreamState::kLive, StreamState::kBackOff,
                                     StreamState::kPaused, StreamState::kEnded};
  for (const CameraInfo& camera : cameras) {
    for (const StreamState state : kStates)
      text->Add({{"camera", camera.config.name}, {"state", Name(state)}},
                camera.stream.state == state ? 1 : 0);
  }
  text->Begin("sightline_camera_looks_total", "counter", "How analysed frames were looked at.");
  for (const CameraInfo& camera : cameras) {
    const std::string_view name = camera.config.name;
    text->Add({{"camera", name}, {"look", "full"}}, static_cast<double>(camera.counts.looks_full));
    text->Add({{"camera", name}, {"look", "regions"}}, static_cast<double>(camera.counts.looks_regions));
    text->Add({{"camera", name}, {"look", "predicted"}}, static_cast<double>(camera.counts.looks_predicted));
    text->Add({{"camera", name}, {"look", "skipped"}}, static_cast<double>(camera.counts.looks_skipped));
  }
  text->Begin("sightline_camera_delay_seconds", "gauge",
              "From a frame's arrival to its result, last minute: within it for such a share of them.");
  for (const CameraInfo& camera : cameras) {
    text->Add({{"camera", camera.config.name}, {"share", "0.5"}}, camera.counts.delay_p50_s);
    text->Add({{"camera", camera.config.name}, {"share", "0.99"}}, camera.counts.delay_p99_s);
  }
}

void AddSinks(const std::vector<SinkCounts>& sinks, MetricsText* text) {
  struct SinkMetric {
    const char *name, *type, *help;
    double (*value)(const SinkCounts&);
  };
  constexpr SinkMetric kMetrics[] = {
      {"sightline_sink_sent_total", "counter", "Events acknowledged by the sink.",
       [](const SinkCounts& s) { return static_cast<double>(s.sent); }},
      {"sightline_sink_failed_total", "counter", "Attempts that failed.",
       [](const SinkCounts& s) { return static_cast<double>(s.failed); }},
      {"sightline_sink_refused_total", "counter", "Events that the sink will never take.",
       [](const SinkCounts& s) { return static_cast<double>(s.refused); }},
      {"sightline_sink_waiting", "gauge", "Events that wait for the sink.",
       [](const SinkCounts& s) { return static_cast<double>(s.waiting); }},
      {"sightline_sink_dropped_total", "counter", "Events dropped because too many waited.",
       [](const SinkCounts& s) { return static_cast<double>(s.dropped); }},
      {"sightline_sink_delay_p95_seconds", "gauge", "From capture to acknowledgement, last minutes.",
       [](const SinkCounts& s) { return s.delay_p95_s; }},
  };
  for (const SinkMetric& metric : kMetrics) {
    text->Begin(metric.name, metric.type, metric.help);
    for (const SinkCounts& sink : sinks) text->Add({{"sink", sink.name}}, metric.value(sink));
  }
}

}  // namespace

std::string MetricsOf(const NodeCounts& counts) {
  MetricsText text;
  text.Begin("sightline_build_info", "gauge", "1; the version is a label.");
  text.Add({{"version", counts.info.version}, {"node", counts.info.name}}, 1);
  text.Begin("sightline_node_ready", "gauge", "1 when models are loaded and the node is not going down.");
  text.Add({}, counts.info.ready ? 1 : 0);
  text.Begin("sightline_node_workers", "gauge", "Threads that analyse.");
  text.Add({}, counts.info.workers);
  text.Begin("sightline_node_served_share", "gauge",
             "Share of the analyses asked for that were done, last ten seconds; below 0.95: overloaded.");
  text.Add({}, counts.info.served_share);
  text.Begin("sightline_node_cameras", "gauge", "Cameras of the node.");
  text.Add({}, static_cast<double>(counts.cameras.size()));
  AddCameras(counts.cameras, &text);
  text.Begin("sightline_stage_seconds_total", "counter", "CPU time of analysis, by stage, over all cameras.");
  for (const WatchStage& stage : counts.stages) text.Add({{"stage", stage.name}}, stage.cpu_s);
  text.Begin("sightline_stage_calls_total", "counter", "How often each stage ran.");
  for (const WatchStage& stage : counts.stages)
    text.Add({{"stage", stage.name}}, static_cast<double>(stage.calls));
  text.Begin("sightline_tracks_lost_total", "counter", "Frames' tracks that could not be kept.");
  text.Add({}, static_cast<double>(counts.tracks_lost));
  text.Begin("sightline_events_kept_total", "counter", "Events that were stored.");
  text.Add({}, static_cast<double>(counts.events_kept));
  text.Begin("sightline_events_failed_total", "counter", "Events that could not be stored.");
  text.Add({}, static_cast<double>(counts.events_failed));
  text.Begin("sightline_events_lost_total", "counter", "Events lost because too many waited to be stored.");
  text.Add({}, static_cast<double>(counts.events_lost));
  text.Begin("sightline_events_waiting", "gauge", "Events that wait to be stored.");
  text.Add({}, static_cast<double>(counts.events_waiting));
  AddSinks(counts.sinks, &text);
  text.Begin("sightline_evidence_files_total", "counter", "Evidence files written.");
  text.Add({{"kind", "snapshot"}}, static_cast<double>(counts.evidence.snapshots));
  text.Add({{"kind", "clip"}}, static_cast<double>(counts.evidence.clips));
  text.Begin("sightline_evidence_failed_total", "counter", "Evidence files that could not be written.");
  text.Add({}, static_cast<double>(counts.evidence.failed));
  text.Begin("sightline_evidence_dropped_total", "counter",
             "Evidence left out because too much was asked for.");
  text.Add({}, static_cast<double>(counts.evidence.dropped));
  text.Begin("sightline_evidence_ring_bytes", "gauge", "Packets kept in memory for clips.");
  text.Add({}, static_cast<double>(counts.evidence.ring_bytes));
  text.Begin("sightline_evidence_removed_total", "counter",
             "Evidence files removed to keep within the limit.");
  text.Add({}, static_cast<double>(counts.evidence.removed));
  text.Begin("sightline_evidence_bytes", "gauge", "Bytes of evidence kept.");
  text.Add({}, static_cast<double>(counts.evidence.bytes));
  AddProcess(counts.info, &text);
  return text.Take();
}

}  // namespace sightline::cameras
