#include "pipeline/run/work_order.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/text.h"

namespace sightline::pipeline {
namespace {

// Inputs "0", "1", ...: as many as asked for.
class CountedInputs final : public ingest::InputList {
 public:
  explicit CountedInputs(int count) : count_(count) {}
  std::optional<ingest::Input> Next() override {
    if (next_ == count_) return std::nullopt;
    ingest::Input input;
    input.name = fmt::format("{}", next_++);
    return input;
  }
  int taken() const { return next_; }

 private:
  int count_;
  std::atomic<int> next_{0};
};

class Recorder final : public WorkOrder::Emitter {
 public:
  void EmitFrame(WorkInput& input, FrameResult& result) override {
    EXPECT_FALSE(inside_.exchange(true)) << "two threads hand on at once";
    seen.push_back(input.summary.name + "/" + fmt::format("{}", result.frame));
    inside_ = false;
  }
  void EmitEnd(WorkInput& input) override { seen.push_back(input.summary.name + "/end"); }
  std::vector<std::string> seen;

 private:
  std::atomic<bool> inside_{false};
};

// Every third input is a "video" of `frames` frames that all workers share; each step takes a random little
// while.
struct Scenario {
  int inputs, frames, workers;
  uint32_t seed;
};

void WorkOnce(WorkOrder& order, const Scenario& scenario, const WorkOrder::Claim& claim,
              std::mt19937& random) {
  const auto pause = [&] {
    for (uint32_t i = random() % 2000; i > 0; --i) std::atomic_signal_fence(std::memory_order_seq_cst);
  };
  WorkInput& input = *claim.input;
  const bool video = std::stoi(input.summary.name) % 3 == 2;
  if (claim.fresh && video) return order.Share(claim.input);
  int64_t ordinal = 0;
  if (video) {
    absl::ReleasableMutexLock lock(&input.mutex);
    if (input.exhausted) return;
    ordinal = input.next_ordinal++;
    if (ordinal == scenario.frames) {
      input.exhausted = true;
      lock.Release();
      return order.End(&input, ordinal);
    }
  }
  pause();
  auto result = order.NewResult();
  result->Clear(0);
  result->frame = ordinal;
  order.Deliver(&input, ordinal, std::move(result));
  if (!video) order.End(&input, 1);
}

std::vector<std::string> Expected(const Scenario& scenario) {
  std::vector<std::string> expected;
  for (int i = 0; i < scenario.inputs; ++i) {
    for (int f = 0; f < (i % 3 == 2 ? scenario.frames : 1); ++f)
      expected.push_back(fmt::format("{}/{}", i, f));
    expected.push_back(fmt::format("{}/end", i));
  }
  return expected;
}

class InAnyCrowd : public testing::TestWithParam<Scenario> {};

TEST_P(InAnyCrowd, results_leave_in_order_and_none_is_lost) {
  const Scenario& scenario = GetParam();
  CountedInputs inputs(scenario.inputs);
  Recorder recorder;
  const std::atomic<bool> stop{false};
  WorkOrder order(&inputs, static_cast<size_t>(scenario.workers) * 2, &recorder, &stop);
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < scenario.workers; ++w) {
      workers.emplace_back([&, w] {
        std::mt19937 random(scenario.seed + static_cast<uint32_t>(w));
        for (auto claim = order.Next(); claim.input != nullptr; claim = order.Next()) {
          WorkOnce(order, scenario, claim, random);
          order.Release(claim);
        }
      });
    }
  }
  order.Abandon();
  EXPECT_EQ(recorder.seen, Expected(scenario)) << "seed " << scenario.seed;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, InAnyCrowd,
                         testing::Values(Scenario{30, 7, 1, 1}, Scenario{30, 7, 2, 2}, Scenario{60, 11, 4, 3},
                                         Scenario{200, 3, 8, 4}, Scenario{3, 500, 3, 5},
                                         Scenario{0, 0, 2, 6}));

TEST(WorkOrder, does_not_run_ahead_of_a_slow_first_input_by_more_than_its_window) {
  CountedInputs inputs(1000);
  Recorder recorder;
  const std::atomic<bool> stop{false};
  WorkOrder order(&inputs, 4, &recorder, &stop);
  const WorkOrder::Claim slow = order.Next();
  std::atomic<bool> finished{false};
  std::jthread fast([&] {
    std::mt19937 random(1);
    for (auto claim = order.Next(); claim.input != nullptr; claim = order.Next()) {
      WorkOnce(order, {1000, 2, 2, 0}, claim, random);
      order.Release(claim);
    }
    finished = true;
  });
  while (inputs.taken() < 3) std::this_thread::yield();
  for (int i = 0; i < 10000; ++i) std::this_thread::yield();
  EXPECT_LE(inputs.taken(), 5) << "window of 4";
  EXPECT_FALSE(finished);
  std::mt19937 random(2);
  WorkOnce(order, {1000, 2, 2, 0}, slow, random);
  order.Release(slow);
  fast.join();
  EXPECT_TRUE(finished);
  EXPECT_EQ(recorder.seen, Expected({1000, 2, 2, 0}));
}

TEST(WorkOrder, stop_ends_the_input_that_was_cut_short) {
  CountedInputs inputs(5);
  Recorder recorder;
  std::atomic<bool> stop{false};
  WorkOrder order(&inputs, 4, &recorder, &stop);
  const WorkOrder::Claim claim = order.Next();
  order.Share(claim.input);
  auto result = order.NewResult();
  result->Clear(0);
  order.Deliver(claim.input.get(), 0, std::move(result));
  order.Release(claim);
  stop = true;
  EXPECT_EQ(order.Next().input, nullptr);
  order.Abandon();
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"0/0", "0/end"}));
}

}  // namespace
}  // namespace sightline::pipeline
