#include "cameras/watch/watcher.h"

#include <gtest/gtest.h>

#include <fstream>
#include <latch>
#include <thread>

#include "cameras/watch/test_street.h"

namespace sightline::cameras {
namespace {

struct Seen {
  int64_t index = -1;  // of the frame; -1: none
  double delay_s = 0;
  std::vector<Event> events;
};

class Recorder : public WatchConsumer {
 public:
  void OnAnalysis(const Analysis& analysis) override {
    if (before) before(analysis);
    absl::MutexLock lock(&mutex_);
    Seen seen;
    if (analysis.frame != nullptr) seen.index = analysis.frame->index;
    seen.delay_s = analysis.delay_s;
    seen.events.assign(analysis.events.begin(), analysis.events.end());
    seen_[analysis.camera].push_back(std::move(seen));
  }
  std::vector<Seen> seen(int64_t camera) const {
    absl::MutexLock lock(&mutex_);
    const auto found = seen_.find(camera);
    return found == seen_.end() ? std::vector<Seen>() : found->second;
  }
  std::function<void(const Analysis&)> before;  // set before cameras are added

 private:
  mutable absl::Mutex mutex_;
  std::map<int64_t, std::vector<Seen>> seen_ ABSL_GUARDED_BY(mutex_);
};

class WatcherTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { engine_ = new std::shared_ptr<const pipeline::Engine>(StreetEngine()); }
  static void TearDownTestSuite() { delete engine_; }

  static WatchedCamera TestCamera(double rate, AttentionMode attention = AttentionMode::kFull) {
    WatchedCamera camera;
    camera.name = "test";
    camera.pipeline = "street@1";
    camera.engine = *engine_;
    camera.rate = rate;
    camera.attention = attention;
    return camera;
  }

  // The analysis of frame 0 has begun with `begun_` and ends with `go_on_`.
  void HoldFirst() {
    recorder_.before = [this](const Analysis& analysis) {
      if (analysis.frame == nullptr || analysis.frame->index != 0) return;
      begun_.count_down();
      go_on_.wait();
    };
  }

  static std::shared_ptr<const pipeline::Engine>* engine_;
  FramePool pool_;
  Recorder recorder_;
  std::latch begun_{1}, go_on_{1};
};
std::shared_ptr<const pipeline::Engine>* WatcherTest::engine_ = nullptr;

TEST_F(WatcherTest, results_come_in_the_order_of_a_cameras_frames_and_all_frames_are_counted) {
  for (const AttentionMode attention : {AttentionMode::kFull, AttentionMode::kAuto}) {
    Recorder recorder;
    const auto watcher = Watcher::Create({.workers = 3}, &recorder);
    std::vector<int64_t> cameras;
    for (int i = 0; i < 4; ++i) cameras.push_back(watcher->Add(TestCamera(0, attention)));
    for (int64_t index = 0; index < 60; ++index) {
      for (const int64_t camera : cameras) watcher->Offer(camera, GreyFrame(pool_, index));
      if (index % 4 == 0) {
        EXPECT_TRUE(watcher->Drain(20));
      }
    }
    EXPECT_TRUE(watcher->Drain(20));
    for (const int64_t camera : cameras) {
      const std::vector<Seen> seen = recorder.seen(camera);
      for (size_t i = 1; i < seen.size(); ++i) EXPECT_LT(seen[i - 1].index, seen[i].index);
      ASSERT_GE(seen.size(), 15u);
      EXPECT_EQ(seen.back().index, 59) << "the newest is analysed at last";
      const CameraCounts counts = watcher->counts(camera);
      EXPECT_EQ(counts.frames, 60u);
      EXPECT_EQ(counts.analysed, seen.size());
      EXPECT_EQ(counts.analysed + counts.dropped, 60u);
      EXPECT_EQ(counts.looks_full + counts.looks_regions + counts.looks_predicted + counts.looks_skipped,
                counts.analysed);
      EXPECT_EQ(counts.failed, 0u);
      EXPECT_GT(counts.cpu_s, 0);
      EXPECT_GT(counts.delay_p99_s, 0);
      watcher->Remove(camera);
    }
  }
}

TEST_F(WatcherTest, offers_do_not_wait_and_the_newest_frame_wins) {
  HoldFirst();
  const auto watcher = Watcher::Create({.age_max_s = 20}, &recorder_);
  const int64_t camera = watcher->Add(TestCamera(0));
  watcher->Offer(camera, GreyFrame(pool_, 0));
  begun_.wait();
  for (int64_t index = 1; index <= 10; ++index) watcher->Offer(camera, GreyFrame(pool_, index));
  EXPECT_FALSE(watcher->Drain(0.01));
  go_on_.count_down();
  EXPECT_TRUE(watcher->Drain(20));
  const std::vector<Seen> seen = recorder_.seen(camera);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].index, 10);
  EXPECT_EQ(watcher->counts(camera).dropped, 9u);
}

TEST_F(WatcherTest, of_patient_frames_none_is_lost_to_rate_age_or_a_newer_one) {
  const auto watcher = Watcher::Create({.workers = 2, .age_max_s = 0.001}, &recorder_);
  recorder_.before = [](const Analysis&) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  const std::vector<int64_t> cameras = {watcher->Add(TestCamera(1)), watcher->Add(TestCamera(0))};
  std::vector<std::jthread> streams;
  for (const int64_t camera : cameras) {
    streams.emplace_back([&, camera] {
      for (int64_t index = 0; index < 40; ++index) {
        while (!watcher->WaitForRoom(camera, 0.01)) {
        }
        LiveFrame frame = GreyFrame(pool_, index);
        frame.patient = true;
        watcher->Offer(camera, frame);
      }
    });
  }
  streams.clear();
  EXPECT_TRUE(watcher->Drain(20));
  for (const int64_t camera : cameras) {
    EXPECT_EQ(recorder_.seen(camera).size(), 40u);
    EXPECT_EQ(watcher->counts(camera).dropped, 0u);
    EXPECT_TRUE(watcher->WaitForRoom(camera, 0));
  }
}

TEST_F(WatcherTest, who_waits_for_room_is_told_when_the_camera_goes) {
  HoldFirst();
  const auto watcher = Watcher::Create({}, &recorder_);
  const int64_t camera = watcher->Add(TestCamera(0));
  watcher->Offer(camera, GreyFrame(pool_, 0));
  begun_.wait();
  watcher->Offer(camera, GreyFrame(pool_, 1));
  EXPECT_FALSE(watcher->WaitForRoom(camera, 0.01));
  {
    std::jthread remove([&] { watcher->Remove(camera); });
    EXPECT_TRUE(watcher->WaitForRoom(camera, 20));
    go_on_.count_down();
  }
  EXPECT_TRUE(watcher->WaitForRoom(camera, 0)) << "whom nobody knows nobody waits for";
}

TEST_F(WatcherTest, after_remove_nothing_comes_and_open_states_have_ended) {
  HoldFirst();
  const auto watcher = Watcher::Create({.workers = 2}, &recorder_);
  WatchedCamera setup = TestCamera(0);
  setup.rules.push_back(std::make_shared<LifeRule>());
  const int64_t camera = watcher->Add(std::move(setup));
  watcher->Offer(camera, GreyFrame(pool_, 0));
  begun_.wait();
  watcher->Offer(camera, GreyFrame(pool_, 1));
  std::atomic<bool> removed{false};
  std::thread remover([&] {
    watcher->Remove(camera);
    removed = true;
  });
  // Frames that come while it waits are refused, sooner or later: none is analysed after the removal.
  for (int64_t index = 2; index < 50; ++index) watcher->Offer(camera, GreyFrame(pool_, index));
  EXPECT_FALSE(removed) << "an analysis is under way";
  go_on_.count_down();
  remover.join();
  const std::vector<Seen> seen = recorder_.seen(camera);
  ASSERT_GE(seen.size(), 2u);
  ASSERT_EQ(seen.front().events.size(), 1u);
  EXPECT_EQ(seen.front().events[0].phase, EventPhase::kBegin);
  EXPECT_EQ(seen.back().index, -1);
  ASSERT_EQ(seen.back().events.size(), 1u);
  EXPECT_EQ(seen.back().events[0].phase, EventPhase::kEnd);
  watcher->Offer(camera, GreyFrame(pool_, 50));
  watcher->Remove(camera);
  EXPECT_TRUE(watcher->Drain(20));
  EXPECT_EQ(recorder_.seen(camera).size(), seen.size());
  EXPECT_EQ(watcher->counts(camera).frames, 0u);
}

TEST_F(WatcherTest, cameras_come_and_go_while_others_are_analysed) {
  const auto watcher = Watcher::Create({.workers = 2}, &recorder_);
  const int64_t stays = watcher->Add(TestCamera(0, AttentionMode::kAuto));
  std::atomic<bool> done{false};
  std::thread offers([&] {
    for (int64_t index = 0; !done; ++index) watcher->Offer(stays, GreyFrame(pool_, index));
  });
  FramePool pool;
  for (size_t i = 0; i < 40; ++i) {
    while (recorder_.seen(stays).size() < i) std::this_thread::yield();
    const int64_t camera = watcher->Add(TestCamera(0, AttentionMode::kAuto));
    for (int64_t index = 0; index < 3; ++index) watcher->Offer(camera, GreyFrame(pool, index));
    watcher->Remove(camera);
    const size_t count = recorder_.seen(camera).size();
    EXPECT_LE(count, 3u);
    EXPECT_EQ(recorder_.seen(camera).size(), count);
  }
  done = true;
  offers.join();
  EXPECT_TRUE(watcher->Drain(20));
  EXPECT_GE(watcher->counts(stays).analysed, 39u);
}

TEST_F(WatcherTest, a_new_epoch_ends_open_states_and_begins_anew) {
  const auto watcher = Watcher::Create({}, &recorder_);
  WatchedCamera setup = TestCamera(0, AttentionMode::kAuto);
  setup.rules.push_back(std::make_shared<LifeRule>());
  const int64_t camera = watcher->Add(std::move(setup));
  for (int64_t index = 0; index < 6; ++index) {
    watcher->Offer(camera, GreyFrame(pool_, index, {640, 360}, index < 3 ? 0 : 1));
    ASSERT_TRUE(watcher->Drain(20));
  }
  const std::vector<Seen> seen = recorder_.seen(camera);
  ASSERT_EQ(seen.size(), 6u);
  ASSERT_EQ(seen[0].events.size(), 1u);
  EXPECT_TRUE(seen[1].events.empty() && seen[2].events.empty() && seen[4].events.empty());
  ASSERT_EQ(seen[3].events.size(), 2u);
  EXPECT_EQ(seen[3].events[0].phase, EventPhase::kEnd);
  EXPECT_EQ(seen[3].events[1].phase, EventPhase::kBegin);
  EXPECT_GE(watcher->counts(camera).looks_full, 2u) << "the first look of an epoch is a full one";
  EXPECT_EQ(watcher->counts(camera).events, 3u);
}

TEST_F(WatcherTest, what_is_published_reaches_the_rules_with_the_next_frame) {
  const auto watcher = Watcher::Create({}, &recorder_);
  WatchedCamera setup = TestCamera(0);
  setup.rules.push_back(std::make_shared<LifeRule>());
  const int64_t camera = watcher->Add(std::move(setup));
  watcher->Publish(camera, {"signal/north", "red"});
  watcher->Publish(camera, {"signal/north", "green"});
  for (int64_t index = 0; index < 2; ++index) {
    watcher->Offer(camera, GreyFrame(pool_, index));
    ASSERT_TRUE(watcher->Drain(20));
  }
  for (int i = 0; i < 1000; ++i) watcher->Publish(camera, {"signal/north", std::to_string(i)});
  watcher->Offer(camera, GreyFrame(pool_, 2));
  ASSERT_TRUE(watcher->Drain(20));
  const std::vector<Seen> seen = recorder_.seen(camera);
  ASSERT_EQ(seen.size(), 3u);
  ASSERT_EQ(seen[0].events.size(), 3u);
  EXPECT_EQ(seen[0].events[1].zone, "red");
  EXPECT_EQ(seen[0].events[2].zone, "green");
  EXPECT_TRUE(seen[1].events.empty());
  ASSERT_LE(seen[2].events.size(), 64u) << "bounded, whoever publishes";
  EXPECT_EQ(seen[2].events.back().zone, "999");
}

TEST_F(WatcherTest, frames_on_which_the_detector_fails_are_counted_and_the_camera_goes_on) {
  const auto watcher = Watcher::Create({}, &recorder_);
  WatchedCamera broken = TestCamera(0);
  broken.engine = StreetEngine(TestModel::kBroken);
  ASSERT_NE(broken.engine, nullptr);
  broken.rules.push_back(std::make_shared<LifeRule>());
  const int64_t camera = watcher->Add(std::move(broken)), other = watcher->Add(TestCamera(0));
  for (int64_t index = 0; index < 5; ++index) {
    watcher->Offer(camera, GreyFrame(pool_, index));
    watcher->Offer(other, GreyFrame(pool_, index));
    ASSERT_TRUE(watcher->Drain(20));
  }
  EXPECT_EQ(watcher->counts(camera).failed, 5u);
  EXPECT_EQ(watcher->counts(other).failed, 0u);
  ASSERT_EQ(recorder_.seen(camera).size(), 5u);
  EXPECT_EQ(recorder_.seen(camera)[0].events.size(), 1u) << "rules go on";
  EXPECT_EQ(recorder_.seen(other).size(), 5u);
}

TEST_F(WatcherTest, lets_go_of_an_engine_with_its_last_camera) {
  auto engine = StreetEngine();
  ASSERT_NE(engine, nullptr);
  const std::weak_ptr<const pipeline::Engine> watched = engine;
  const auto watcher = Watcher::Create({.workers = 2}, &recorder_);
  WatchedCamera setup = TestCamera(0);
  setup.engine = std::move(engine);
  const int64_t camera = watcher->Add(std::move(setup));
  for (int64_t index = 0; index < 8; ++index) {
    watcher->Offer(camera, GreyFrame(pool_, index));
    ASSERT_TRUE(watcher->Drain(20));
  }
  EXPECT_FALSE(watched.expired());
  watcher->Remove(camera);
  const MonotonicTime end = MonotonicClock::now() + std::chrono::seconds(10);
  while (!watched.expired() && MonotonicClock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(watched.expired());
}

double ResidentMegabytes() {
  double whole = 0, resident = 0;  // pages
  std::ifstream("/proc/self/statm") >> whole >> resident;
  EXPECT_GT(resident, 0);
  return resident * 4096 / 1e6;
}

// Cameras that ask for more than three times what one worker can do.
TEST_F(WatcherTest, under_threefold_load_results_are_fresh_memory_is_flat_and_weights_decide) {
  constexpr double kRate = 5;
  const auto watcher = Watcher::Create({.workers = 1}, &recorder_);
  const int64_t alone = watcher->Add(TestCamera(0));
  for (int64_t index = 0; index < 40; ++index) {
    watcher->Offer(alone, GreyFrame(pool_, index));
    ASSERT_TRUE(watcher->Drain(20));
  }
  const double cost_s = watcher->counts(alone).cpu_s / 40;
  watcher->Remove(alone);

  std::vector<int64_t> cameras;
  const int count = std::clamp(static_cast<int>(std::ceil(3.2 / (kRate * cost_s))), 6, 400);
  for (int i = 0; i < count; ++i) {
    WatchedCamera setup = TestCamera(kRate);
    if (i == 0) setup.weight = 100;
    cameras.push_back(watcher->Add(std::move(setup)));
  }
  double resident = 0;
  const MonotonicTime begin = MonotonicClock::now();
  constexpr int kFrames = 14 * 25, kWarm = 3 * 25;
  for (int64_t index = 0; index < kFrames; ++index) {
    std::this_thread::sleep_until(begin + index * std::chrono::milliseconds(40));  // for all
    // Each gives five frames a second, at a time of its own.
    for (size_t i = static_cast<size_t>(index) % 5; i < cameras.size(); i += 5)
      watcher->Offer(cameras[i], GreyFrame(pool_, index));
    if (index == kWarm) resident = ResidentMegabytes();
  }
  EXPECT_LT(ResidentMegabytes() - resident, 16) << "of " << resident << " MB";
  const double served = watcher->served_share();
  EXPECT_LT(served, 0.75);
  std::vector<double> delays;
  uint64_t analysed_least = UINT64_MAX, analysed_most = 0;
  for (size_t i = 0; i < cameras.size(); ++i) {
    const CameraCounts counts = watcher->counts(cameras[i]);
    EXPECT_LE(counts.delay_p99_s, 1.0) << "camera " << i;
    if (i > 0) {
      analysed_least = std::min(analysed_least, counts.analysed);
      analysed_most = std::max(analysed_most, counts.analysed);
      EXPECT_TRUE(counts.degraded);
    } else {
      EXPECT_FALSE(counts.degraded) << counts.rate << " of " << counts.wanted_rate;
      EXPECT_NEAR(counts.rate, kRate, 0.6);
    }
    for (const Seen& seen : recorder_.seen(cameras[i])) delays.push_back(seen.delay_s);
  }
  std::sort(delays.begin(), delays.end());
  const double p99 = delays[delays.size() * 99 / 100];
  EXPECT_LE(p99, 1.0);
  EXPECT_LE(analysed_most, analysed_least * 3 / 2 + 3) << "equal weights, equal shares";
  std::printf(
      "%d cameras, %.1f ms a frame: served %.2f, delay p50 %.3f p99 %.3f max %.3f s, analysed %lu..%lu\n",
      count, cost_s * 1e3, served, delays[delays.size() / 2], p99, delays.back(),
      static_cast<unsigned long>(analysed_least), static_cast<unsigned long>(analysed_most));
}

}  // namespace
}  // namespace sightline::cameras
