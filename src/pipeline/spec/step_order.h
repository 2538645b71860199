// The order of steps that wait for each other.
#pragma once

#include <vector>

namespace sightline::pipeline {

struct StepOrder {
  std::vector<int>
      order;  // every step behind those it waits for, else as given; without those that can't run
  std::vector<std::vector<int>> cycles;  // each begins with its lowest step; a -> b means a waits for b
};

// `waits[i]`: the steps that step i waits for.
StepOrder OrderSteps(const std::vector<std::vector<int>>& waits);

}  // namespace sightline::pipeline
