// Whose frame is analysed next. Pure: no threads, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace sightline::cameras {

// Each camera has one waiting frame at most: a newer one takes its place (and the older counts as dropped).
// Among cameras that have one waiting, the one goes first that had least of its share: served cost divided by
// weight, as in start-time fair queueing. A camera that was idle gains no credit. A camera that asks for a
// rate is not served more often, whatever is free. Frames older than `age_max_s` are not given out: dropped.
class FairScheduler {
 public:
  struct Options {
    double age_max_s = 0.5;
  };
  struct Pick {
    int64_t camera = 0;
    uint64_t ticket = 0;  // as offered
    double waited_s = 0;
  };
  struct Counts {
    uint64_t offered = 0, picked = 0, replaced = 0, too_old = 0, not_due = 0;
    double rate = 0;         // picks a second, over the last ten
    double wanted_rate = 0;  // as set
    double share = 1;        // of what was asked for, served over the last ten seconds
    bool waiting = false;
  };
  static std::unique_ptr<FairScheduler> Create(const Options& options);
  virtual ~FairScheduler() = default;

  virtual void Add(int64_t camera, double weight, double rate) = 0;  // rate: picks a second; 0: each frame
  virtual void Remove(int64_t camera) = 0;
  enum class Haste {
    kLive,
    kPatient,  // of a recording: chosen by its own time, so always due, and never too old
  };
  // A frame is there: what it is is up to the caller, who keeps it under `ticket`. False: not wanted now (not
  // due by the rate).
  virtual bool Offer(int64_t camera, uint64_t ticket, double now_s, Haste haste = Haste::kLive) = 0;
  virtual std::optional<Pick> Next(double now_s) = 0;
  // What a pick cost (seconds of CPU), once it is done. Until then the camera is not picked again, so that
  // its frames stay in order; what is offered meanwhile waits.
  virtual void Charge(int64_t camera, double cost_s) = 0;
  virtual Counts counts(int64_t camera) const = 0;
  // Share of what was asked for that was served over the last ten seconds; below about 0.95: overloaded.
  virtual double served_share() const = 0;
};

}  // namespace sightline::cameras
