// One worker's runners, one for each engine that its cameras use.
#pragma once

#include <array>
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
  // What the steps have taken since the last call, by stage.
  using Times = std::array<pipeline::StageTime, pipeline::kStageCount>;
  Times TakeTimes() {
    Times sum;
    for (auto& [engine, seat] : seats_) {
      for (int step = -1; step + 1 < seat->times.steps() + 1; ++step) {
        for (size_t i = 0; i < sum.size(); ++i) {
          pipeline::StageTime& time = seat->times.at(static_cast<pipeline::Stage>(i), step);
          sum[i].Add(time);
          time = {};
        }
      }
    }
    return sum;
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
