// One worker's runners, one for each engine that its cameras use.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "pipeline/run/engine.h"
#include "pipeline/run/stage_times.h"
#include "pipeline/run/step_runner.h"

namespace sightline::cameras {

// Threads: one at a time.
class EngineRunners {
 public:
  pipeline::StepRunner& For(const std::shared_ptr<const pipeline::Engine>& engine) {
    auto& seat = seats_[engine.get()];
    if (seat == nullptr) seat = std::make_unique<Seat>(engine);
    return seat->runner;
  }
  // An engine lives as long as somebody runs it: lets go of the others.
  void KeepOnly(const std::vector<std::shared_ptr<const pipeline::Engine>>& engines) {
    std::erase_if(seats_, [&](const auto& seat) {
      return std::none_of(engines.begin(), engines.end(),
                          [&](const auto& engine) { return engine.get() == seat.first; });
    });
  }

 private:
  struct Seat {
    explicit Seat(const std::shared_ptr<const pipeline::Engine>& engine)
        : times(engine->steps()), runner(engine, &times) {}
    pipeline::StageTimes times;
    pipeline::StepRunner runner;
  };
  std::map<const pipeline::Engine*, std::unique_ptr<Seat>> seats_;
};

}  // namespace sightline::cameras
