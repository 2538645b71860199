#include "pipeline/spec/step_order.h"

#include <algorithm>

namespace sightline::pipeline {
namespace {

// Walks from `start` along steps that can't run until one comes up again.
std::vector<int> FindCycle(int start, const std::vector<std::vector<int>>& waits,
                           const std::vector<bool>& placed) {
  std::vector<int> path;
  for (int at = start;;) {
    const auto seen = std::find(path.begin(), path.end(), at);
    if (seen != path.end()) {
      path.erase(path.begin(), seen);
      std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
      return path;
    }
    path.push_back(at);
    // A step is left over only because something that it waits for is.
    at = *std::find_if(waits[at].begin(), waits[at].end(), [&](int other) { return !placed[other]; });
  }
}

}  // namespace

StepOrder OrderSteps(const std::vector<std::vector<int>>& waits) {
  StepOrder result;
  std::vector<bool> placed(waits.size(), false);
  const auto ready = [&](int step) {
    return !placed[step] &&
           std::all_of(waits[step].begin(), waits[step].end(), [&](int other) { return placed[other]; });
  };
  // The first step that is ready, again and again: 64 steps at most, and the given order stays where it can.
  for (bool found = true; found;) {
    found = false;
    for (int step = 0; step < static_cast<int>(waits.size()) && !found; ++step) {
      if (!ready(step)) continue;
      placed[step] = found = true;
      result.order.push_back(step);
    }
  }
  for (int step = 0; step < static_cast<int>(waits.size()); ++step) {
    if (placed[step]) continue;
    std::vector<int> cycle = FindCycle(step, waits, placed);
    if (std::find(result.cycles.begin(), result.cycles.end(), cycle) == result.cycles.end()) {
      result.cycles.push_back(std::move(cycle));
    }
  }
  return result;
}

}  // namespace sightline::pipeline
