// All that a node tells Prometheus.
#pragma once

#include <string>
#include <vector>

#include "cameras/delivery/delivery.h"
#include "cameras/evidence/evidence.h"
#include "cameras/node/event_desk.h"
#include "cameras/node/node.h"

namespace sightline::cameras {

struct NodeCounts {
  NodeInfo info;
  std::vector<CameraInfo> cameras;
  std::vector<SinkCounts> sinks;
  EvidenceRecorder::Counts evidence;
  std::vector<WatchStage> stages;
  uint64_t tracks_lost = 0;  // rows' batches that the track log was too slow for, or had no room for
  uint64_t events_kept = 0, events_failed = 0, events_lost = 0, events_waiting = 0;
};
std::string MetricsOf(const NodeCounts& counts);

}  // namespace sightline::cameras
