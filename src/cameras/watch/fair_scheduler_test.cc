// Properties over simulated seconds: cameras that offer frames, servers that take a while for each.
#include "cameras/watch/fair_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace sightline::cameras {
namespace {

struct SimulatedCamera {
  double weight = 1, rate = 0;
  double frames_per_second = 25;
  double cost_s = 0.01;
  double from_s = 0;  // silent before
  double phase_s = 0;
};

struct Served {
  uint64_t picks = 0;
  double cost_s = 0, waited_max_s = 0, gap_max_s = 0, last_s = -1;
  std::vector<double> times;
};

// Runs `servers` over the cameras. Each camera's tickets count its frames, so that a pick tells which it was.
class Street {
 public:
  Street(std::vector<SimulatedCamera> cameras, int servers, uint64_t seed)
      : cameras_(std::move(cameras)), free_s_(static_cast<size_t>(servers), 0.0), random_(seed) {
    for (size_t i = 0; i < cameras_.size(); ++i) {
      scheduler_->Add(static_cast<int64_t>(i), cameras_[i].weight, cameras_[i].rate);
      cameras_[i].phase_s =
          std::uniform_real_distribution<double>(0, 1 / cameras_[i].frames_per_second)(random_);
      next_s_.push_back(cameras_[i].from_s + cameras_[i].phase_s);
      tickets_.push_back(0);
    }
    served_.resize(cameras_.size());
  }

  void RunUntil(double end_s) {
    for (; now_s_ < end_s; now_s_ += kStep) {
      for (size_t i = 0; i < cameras_.size(); ++i) {
        for (; next_s_[i] <= now_s_; next_s_[i] += 1 / cameras_[i].frames_per_second) {
          scheduler_->Offer(static_cast<int64_t>(i), ++tickets_[i], next_s_[i]);
        }
      }
      Finish();
      for (double& free_s : free_s_) Serve(&free_s);
    }
  }

  const Served& served(size_t i) const { return served_[i]; }
  FairScheduler& scheduler() { return *scheduler_; }
  bool newest_always() const { return newest_always_; }
  void ForgetServed() { std::fill(served_.begin(), served_.end(), Served{}); }
  double now_s() const { return now_s_; }

 private:
  static constexpr double kStep = 0.0005;

  void Finish() {
    std::erase_if(running_, [&](const Running& one) {
      if (one.end_s > now_s_) return false;
      scheduler_->Charge(one.camera, one.cost_s);
      return true;
    });
  }

  void Serve(double* free_s) {
    if (*free_s > now_s_) return;
    const auto pick = scheduler_->Next(now_s_);
    if (!pick) return;
    const size_t i = static_cast<size_t>(pick->camera);
    const double cost = cameras_[i].cost_s * std::uniform_real_distribution<double>(0.7, 1.3)(random_);
    *free_s = now_s_ + cost;
    running_.push_back({pick->camera, *free_s, cost});
    Served& served = served_[i];
    ++served.picks;
    served.cost_s += cost;
    served.waited_max_s = std::max(served.waited_max_s, pick->waited_s);
    if (served.last_s >= 0) served.gap_max_s = std::max(served.gap_max_s, now_s_ - served.last_s);
    served.last_s = now_s_;
    served.times.push_back(now_s_);
    // With a rate a frame before its time is refused; without one the latest is what is waiting.
    newest_always_ &= cameras_[i].rate > 0 || pick->ticket == tickets_[i];
  }

  struct Running {
    int64_t camera;
    double end_s, cost_s;
  };
  std::unique_ptr<FairScheduler> scheduler_ = FairScheduler::Create({});
  std::vector<SimulatedCamera> cameras_;
  std::vector<double> free_s_, next_s_;
  std::vector<uint64_t> tickets_;
  std::vector<Running> running_;
  std::vector<Served> served_;
  std::mt19937_64 random_;
  double now_s_ = 0;
  bool newest_always_ = true;
};

TEST(FairScheduler, shares_cpu_by_weight_whatever_a_frame_costs) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<SimulatedCamera> cameras(24);  // each could use more than its share
    double weights = 0;
    for (SimulatedCamera& camera : cameras) {
      camera.weight = static_cast<double>(1 << std::uniform_int_distribution<int>(0, 2)(random));
      camera.cost_s = std::uniform_real_distribution<double>(0.02, 0.06)(random);
      weights += camera.weight;
    }
    Street street(cameras, 2, seed);
    street.RunUntil(60);
    double cost = 0;
    for (size_t i = 0; i < cameras.size(); ++i) cost += street.served(i).cost_s;
    for (size_t i = 0; i < cameras.size(); ++i) {
      EXPECT_NEAR(street.served(i).cost_s / cost / (cameras[i].weight / weights), 1, 0.05) << "camera " << i;
    }
    EXPECT_TRUE(street.newest_always());
  }
}

TEST(FairScheduler, never_exceeds_a_rate_though_all_is_free) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::vector<SimulatedCamera> cameras;
    for (const double rate : {1.0, 3.0, 5.0, 8.0, 12.5}) cameras.push_back({.rate = rate, .cost_s = 0.002});
    Street street(cameras, 4, seed);
    street.RunUntil(30);
    for (size_t i = 0; i < cameras.size(); ++i) {
      const double rate = cameras[i].rate;
      const auto& times = street.served(i).times;
      EXPECT_GE(static_cast<double>(times.size()), 30 * rate * 0.95) << "rate " << rate;
      // In no window are there more than its share and two (one late, one early).
      for (const double window : {1.0, 5.0, 20.0}) {
        for (size_t first = 0; first < times.size(); ++first) {
          const auto end = std::lower_bound(times.begin(), times.end(), times[first] + window);
          ASSERT_LE(static_cast<double>(end - times.begin()) - static_cast<double>(first), rate * window + 2)
              << "rate " << rate << " window " << window;
        }
      }
    }
    EXPECT_GT(street.scheduler().served_share(), 0.97);
  }
}

// As streams of uneven frames give them: on the beat, but for half a frame's time.
TEST(FairScheduler, frames_that_lie_off_the_beat_keep_the_rate) {
  const auto scheduler = FairScheduler::Create({});
  scheduler->Add(0, 1, 5);
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> off(-0.06, 0.06);
  int picks = 0;
  for (int i = 0; i < 500; ++i) {
    const double now_s = 1 + 0.2 * i + off(random);
    if (!scheduler->Offer(0, static_cast<uint64_t>(i), now_s) || !scheduler->Next(now_s)) continue;
    ++picks;
    scheduler->Charge(0, 0.005);
  }
  EXPECT_GE(picks, 490);
}

TEST(FairScheduler, under_threefold_load_waits_stay_short_and_nobody_starves) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::vector<SimulatedCamera> cameras(30);  // ask for 30 * 5 * 0.04 = 6 CPUs of two
    for (SimulatedCamera& camera : cameras) camera = {.rate = 5, .cost_s = 0.04};
    cameras[0].weight = 4;
    Street street(cameras, 2, seed);
    street.RunUntil(40);
    for (size_t i = 0; i < cameras.size(); ++i) {
      EXPECT_LE(street.served(i).waited_max_s, 0.5) << "camera " << i;
      EXPECT_LE(street.served(i).gap_max_s, 1.5) << "camera " << i;
    }
    // 50 picks a second for 33 shares: the heavy one gets all that it asks for.
    EXPECT_GE(street.served(0).picks, static_cast<uint64_t>(40 * 5 * 0.9));
    for (size_t i = 1; i < cameras.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(street.served(i).picks), 40 * 45 / 29.0, 8) << "camera " << i;
    }
    EXPECT_NEAR(street.scheduler().served_share(), 1 / 3.0, 0.05);
    EXPECT_LT(street.scheduler().counts(1).share, 0.5);
    EXPECT_GT(street.scheduler().counts(0).share, 0.9);
  }
}

TEST(FairScheduler, being_idle_gains_no_credit) {
  std::vector<SimulatedCamera> cameras(2);
  cameras[1].from_s = 20;
  for (SimulatedCamera& camera : cameras) camera.cost_s = 0.08;  // each asks for two CPUs of one
  Street street(cameras, 1, 1);
  street.RunUntil(20);
  EXPECT_EQ(street.served(1).picks, 0u);
  street.ForgetServed();
  street.RunUntil(21);
  EXPECT_NEAR(street.served(0).cost_s, 0.5, 0.17) << "the one that comes late takes no more than its share";
  street.RunUntil(50);
  EXPECT_NEAR(street.served(0).cost_s, street.served(1).cost_s, 0.5);
}

TEST(FairScheduler, the_newest_frame_wins_and_the_others_count_as_replaced) {
  auto scheduler = FairScheduler::Create({});
  scheduler->Add(7, 1, 0);
  for (uint64_t ticket = 1; ticket <= 4; ++ticket)
    EXPECT_TRUE(scheduler->Offer(7, ticket, 1 + 0.01 * static_cast<double>(ticket)));
  const auto pick = scheduler->Next(1.1);
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->ticket, 4u);
  EXPECT_NEAR(pick->waited_s, 0.06, 1e-9);
  const auto counts = scheduler->counts(7);
  EXPECT_EQ(counts.offered, 4u);
  EXPECT_EQ(counts.replaced, 3u);
  EXPECT_EQ(counts.picked, 1u);
}

TEST(FairScheduler, a_frame_that_is_too_old_is_dropped) {
  auto scheduler = FairScheduler::Create({.age_max_s = 0.5});
  scheduler->Add(1, 1, 0);
  scheduler->Offer(1, 1, 10);
  EXPECT_FALSE(scheduler->Next(10.51));
  EXPECT_EQ(scheduler->counts(1).too_old, 1u);
  scheduler->Offer(1, 2, 10.6);
  EXPECT_TRUE(scheduler->Next(11.1));
}

TEST(FairScheduler, a_camera_is_not_picked_again_before_it_is_charged) {
  auto scheduler = FairScheduler::Create({});
  scheduler->Add(1, 1, 0);
  scheduler->Offer(1, 1, 1);
  ASSERT_TRUE(scheduler->Next(1));
  scheduler->Offer(1, 2, 1.04);
  EXPECT_FALSE(scheduler->Next(1.05));
  scheduler->Charge(1, 0.02);
  const auto pick = scheduler->Next(1.06);
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->ticket, 2u);
}

TEST(FairScheduler, unknown_cameras_and_strange_numbers_do_no_harm) {
  auto scheduler = FairScheduler::Create({});
  EXPECT_FALSE(scheduler->Offer(9, 1, 1));
  scheduler->Charge(9, 1);
  scheduler->Remove(9);
  EXPECT_EQ(scheduler->counts(9).offered, 0u);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  scheduler->Add(1, nan, nan);
  scheduler->Add(2, -1, -5);
  for (int i = 0; i < 20; ++i) {
    scheduler->Offer(1, 1, i);
    scheduler->Offer(2, 1, i);
    const auto first = scheduler->Next(i), second = scheduler->Next(i);
    ASSERT_TRUE(first && second);
    scheduler->Charge(first->camera, nan);
    scheduler->Charge(second->camera, -3);
  }
  scheduler->Remove(1);
  EXPECT_FALSE(scheduler->Offer(1, 1, 30));
}

}  // namespace
}  // namespace sightline::cameras
