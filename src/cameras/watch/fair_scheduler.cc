// Start-time fair queueing (Goyal and others 1996) over CPU seconds, with one waiting frame a camera. A
// linear look over the cameras is enough: hundreds of them take less than a microsecond beside a detection's
// milliseconds.
#include "cameras/watch/fair_scheduler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace sightline::cameras {
namespace {

constexpr int kWindowSeconds = 10;
constexpr double kCostLearnt = 0.2;   // of the expected cost, by each new one
constexpr double kFirstCost = 0.005;  // seconds, before any is known

// How many in each of the last seconds.
class RecentCount {
 public:
  void Add(double now_s) {
    const int64_t second = static_cast<int64_t>(std::floor(now_s));
    Cell& cell = cells_[static_cast<size_t>(((second % kCells) + kCells) % kCells)];
    if (cell.second != second) cell = {second, 0};
    ++cell.count;
  }
  // Over the whole seconds before this one, at most ten; a younger counter tells what it has.
  double Sum(double now_s) const {
    const int64_t second = static_cast<int64_t>(std::floor(now_s));
    double sum = 0;
    for (const Cell& cell : cells_) {
      if (cell.second < second && cell.second >= second - kWindowSeconds)
        sum += static_cast<double>(cell.count);
    }
    return sum;
  }

 private:
  static constexpr int kCells = kWindowSeconds + 2;
  struct Cell {
    int64_t second = INT64_MIN;
    int64_t count = 0;
  };
  std::array<Cell, kCells> cells_;
};

struct Camera {
  double weight = 1, rate = 0;
  double served = 0;         // virtual: cost divided by weight
  double cost = kFirstCost;  // expected
  double charged = 0;        // at the pick, until the true cost is known
  bool waiting = false, busy = false;
  FairScheduler::Haste haste = FairScheduler::Haste::kLive;  // of what waits
  uint64_t ticket = 0;
  double offered_s = 0;
  std::optional<double> due_s;  // of the next pick
  double since_s = 0;
  FairScheduler::Counts counts;
  RecentCount offers, picks;
};

class StartTimeFair final : public FairScheduler {
 public:
  explicit StartTimeFair(const Options& options) : options_(options) {}

  void Add(int64_t id, double weight, double rate) override {
    Camera& camera = cameras_[id];
    camera.weight = std::isfinite(weight) && weight > 0 ? weight : 1;
    camera.rate = std::isfinite(rate) && rate > 0 ? rate : 0;
    camera.counts.wanted_rate = camera.rate;
    camera.served = virtual_;
    camera.since_s = now_s_;
  }

  void Remove(int64_t id) override { cameras_.erase(id); }

  bool Offer(int64_t id, uint64_t ticket, double now_s, Haste haste) override {
    const auto found = cameras_.find(id);
    if (found == cameras_.end()) return false;
    Camera& camera = found->second;
    now_s_ = std::max(now_s_, now_s);
    if (camera.counts.offered++ == 0) camera.since_s = now_s;
    camera.offers.Add(now_s);
    if (camera.rate > 0 && haste == Haste::kLive) {
      if (!camera.due_s) camera.due_s = now_s;
      if (!camera.waiting && now_s < *camera.due_s - kEarly / camera.rate) {
        ++camera.counts.not_due;
        return false;
      }
    }
    if (camera.waiting) {
      ++camera.counts.replaced;
    } else if (!camera.busy) {
      camera.served = std::max(camera.served, virtual_);  // what was not used is gone
    }
    camera.waiting = true;
    camera.haste = haste;
    camera.ticket = ticket;
    camera.offered_s = now_s;
    return true;
  }

  std::optional<Pick> Next(double now_s) override {
    now_s_ = std::max(now_s_, now_s);
    Camera* best = nullptr;
    int64_t best_id = 0;
    for (auto& [id, camera] : cameras_) {
      if (!camera.waiting || camera.busy) continue;
      if (camera.haste == Haste::kLive && now_s - camera.offered_s > options_.age_max_s) {
        camera.waiting = false;
        ++camera.counts.too_old;
        continue;
      }
      // Who waits longest goes first among equals.
      if (best == nullptr || camera.served < best->served ||
          (camera.served == best->served && camera.offered_s < best->offered_s)) {
        best = &camera;
        best_id = id;
      }
    }
    if (best == nullptr) return std::nullopt;
    best->waiting = false;
    best->busy = true;
    virtual_ = std::max(virtual_, best->served);
    best->charged = best->cost;
    best->served += best->charged / best->weight;
    ++best->counts.picked;
    best->picks.Add(now_s);
    if (best->rate > 0) {
      // In phase with the wish, unless it fell behind.
      const double interval = 1 / best->rate;
      best->due_s = std::max(best->due_s.value_or(now_s) + interval, best->offered_s);
    }
    return Pick{best_id, best->ticket, now_s - best->offered_s};
  }

  void Charge(int64_t id, double cost_s) override {
    const auto found = cameras_.find(id);
    if (found == cameras_.end() || !found->second.busy) return;
    Camera& camera = found->second;
    cost_s = std::isfinite(cost_s) && cost_s > 0 ? cost_s : 0;
    camera.busy = false;
    camera.served += (cost_s - camera.charged) / camera.weight;
    camera.cost += kCostLearnt * (cost_s - camera.cost);
  }

  Counts counts(int64_t id) const override {
    const auto found = cameras_.find(id);
    if (found == cameras_.end()) return {};
    const Camera& camera = found->second;
    Counts counts = camera.counts;
    const double picks = camera.picks.Sum(now_s_), asked = Asked(camera);
    counts.rate = picks / Window(camera);
    counts.share = asked > 0 ? std::min(1.0, (picks + 1) / asked) : 1;  // one may be about to come
    counts.waiting = camera.waiting;
    return counts;
  }

  double served_share() const override {
    double wanted = 0, served = 0;
    for (const auto& [id, camera] : cameras_) {
      const double asked = Asked(camera);
      wanted += asked;
      served += std::min(asked, camera.picks.Sum(now_s_));
    }
    return wanted > 0 ? served / wanted : 1;
  }

 private:
  // Of the interval. Streams choose frames by their own clock, and frames do not lie on the beat: one that
  // comes before its time is as good as the next, and the beat goes on from when it was due.
  static constexpr double kEarly = 0.5;

  // Over the window. A stream that gives less than is asked for is served in full when all of it is.
  double Asked(const Camera& camera) const {
    const double offered = camera.offers.Sum(now_s_);
    return camera.rate > 0 ? std::min(camera.rate * Window(camera), offered) : offered;
  }

  double Window(const Camera& camera) const {
    return std::clamp(std::floor(now_s_) - std::floor(camera.since_s), 1.0,
                      static_cast<double>(kWindowSeconds));
  }

  const Options options_;
  std::map<int64_t, Camera> cameras_;
  double virtual_ = 0;  // start of the latest pick's share
  double now_s_ = 0;
};

}  // namespace

std::unique_ptr<FairScheduler> FairScheduler::Create(const Options& options) {
  return std::make_unique<StartTimeFair>(options);
}

}  // namespace sightline::cameras
