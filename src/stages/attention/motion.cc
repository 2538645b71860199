// What moved: cells of luma against two memories of the cell. One forgets within half a second (what is new
// now), one creeps towards what is there like a running median (what belongs to the place). A cell changed
// when it is far from both: a thing that passes changes cells where it comes, not where it leaves; light that
// changes gradually is followed by the first; what stopped is new no longer. Before that, what most cells
// share of the change (exposure, a cloud) is taken out.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "stages/attention/attention.h"

namespace sightline::attention {
namespace {

constexpr int kColumnsMax = 80;
constexpr int kRowsSampledMax = 4;    // of each cell: half the rows say as much about its mean
constexpr double kFastSeconds = 0.5;  // time constant of the quick memory
constexpr double kSlowLevels = 6;     // a second, of the slow one
constexpr double kNoiseSeconds = 2;   // time constant of the noise level
constexpr float kNewLevels = 0.8f, kNewNoise = 2.4f;      // change beyond: levels + noise * factor
constexpr float kPlaceLevels = 1.5f, kPlaceNoise = 1.8f;  // and not what belongs there
constexpr double kWarmSeconds = 5;                        // so long after the start it is learnt faster
constexpr float kNoiseFirst = 2;
constexpr float kNoiseMin = 0.2f, kNoiseMax = 12;
constexpr float kNoiseShare = 0.9f;    // of a cell's changes are within its noise level: rain has long tails
constexpr float kMovedWeight = 0.25f;  // what moves there counts for little
constexpr float kGainMax = 0.25f, kGainStep = 0.005f;  // of exposure, from frame to frame
constexpr float kGainDark = 16;                        // levels: darker cells tell nothing of it
constexpr int kGainBins = 2 * static_cast<int>(kGainMax / kGainStep) + 1;
// Change of 3 x 3 cells together, in half limits: two cells, one of them well beyond its limit, or three.
// Streaks of rain and lone noise are less.
constexpr float kStrengthMax = 4;
constexpr int kClusterMin = 6;
constexpr float kWholeShare = 0.55f;  // so much of the picture at once is no traffic

class BlockMotion final : public MotionDetector {
 public:
  const Motion& Update(const Frame& frame, double time_s) override {
    if (frame.size != size_ || frame.format != format_ || frame.source_size != motion_.picture) Layout(frame);
    Sum(frame);
    const bool first = !started_;
    if (!std::isfinite(time_s)) time_s = time_s_;
    const double step = std::clamp(time_s - time_s_, 0.0, 2.0);
    time_s_ = time_s;
    if (!first) FollowGain();
    std::fill(motion_.moved.begin(), motion_.moved.end(), uint8_t{0});
    motion_.share = 0;
    motion_.whole = first || Compare(step);
    if (motion_.whole) {
      Restart(first);
      return motion_;
    }
    const size_t moved = Cluster();
    Spread();
    Learn(step);
    motion_.share = static_cast<float>(moved) / static_cast<float>(value_.size());
    return motion_;
  }

 private:
  void Layout(const Frame& frame) {
    size_ = frame.size;
    format_ = frame.format;
    bytes_ = format_ == PixelFormat::kRgb24 ? 3 : 1;  // the mean of R, G and B is as good as luma here
    cell_ = 8 * std::max(1, (size_.width + 8 * kColumnsMax - 1) / (8 * kColumnsMax));
    cell_ = std::max(1, std::min({cell_, size_.width, size_.height}));
    row_step_ = (cell_ + kRowsSampledMax - 1) / kRowsSampledMax;
    motion_.columns = std::max(1, size_.width / cell_);
    motion_.rows = std::max(1, size_.height / cell_);
    motion_.picture = frame.source_size;
    const size_t cells = static_cast<size_t>(motion_.columns) * static_cast<size_t>(motion_.rows);
    motion_.moved.assign(cells, 0);
    for (auto* memory : {&value_, &fast_, &slow_, &noise_}) memory->assign(cells, 0);
    changed_.assign(cells, 0);
    place_.assign(cells, 0);
    sums_.assign(static_cast<size_t>(motion_.columns * cell_ * bytes_), 0);
    started_ = false;
  }

  void Sum(const Frame& frame) {
    const Plane& plane = frame.planes[0];
    const int sampled = (cell_ + row_step_ - 1) / row_step_, run = cell_ * bytes_;
    const float scale = 1.f / static_cast<float>(sampled * run);
    const size_t width = sums_.size();
    for (int row = 0; row < motion_.rows; ++row) {
      std::fill(sums_.begin(), sums_.end(), uint16_t{0});
      for (int y = row * cell_; y < (row + 1) * cell_; y += row_step_) {
        const uint8_t* samples = plane.data + static_cast<ptrdiff_t>(y) * plane.stride;
        uint16_t* sums = sums_.data();
        for (size_t x = 0; x < width; ++x) sums[x] = static_cast<uint16_t>(sums[x] + samples[x]);
      }
      float* out = value_.data() + static_cast<ptrdiff_t>(row) * motion_.columns;
      const uint16_t* in = sums_.data();
      for (int column = 0; column < motion_.columns; ++column, in += run) {
        uint32_t sum = 0;
        for (int x = 0; x < run; ++x) sum += in[x];
        out[column] = static_cast<float>(sum) * scale;
      }
    }
  }

  // The median of the cells' relative change is nobody's motion.
  void FollowGain() {
    bins_.fill(0);
    for (size_t i = 0; i < value_.size(); ++i) {
      const float change = (value_[i] - fast_[i]) / (fast_[i] + kGainDark);
      const float bin =
          std::clamp(change, -kGainMax, kGainMax) / kGainStep + static_cast<float>(kGainBins / 2) + 0.5f;
      ++bins_[static_cast<size_t>(bin)];
    }
    size_t bin = 0, below = 0;
    while (below + bins_[bin] < (value_.size() + 1) / 2) below += bins_[bin++];
    const float gain = static_cast<float>(static_cast<int>(bin) - kGainBins / 2) * kGainStep;
    if (gain == 0) return;
    for (size_t i = 0; i < value_.size(); ++i) {
      fast_[i] += gain * (fast_[i] + kGainDark);
      slow_[i] += gain * (slow_[i] + kGainDark);
    }
  }

  // True: so much is new that the grid says nothing.
  bool Compare(double step) {
    const float creep = static_cast<float>(kSlowLevels * step);
    size_t fresh = 0;
    for (size_t i = 0; i < value_.size(); ++i) {
      const float away = std::abs(value_[i] - fast_[i]);
      slow_[i] += std::clamp(value_[i] - slow_[i], -creep, creep);
      const float limit = kNewLevels + kNewNoise * noise_[i];
      const bool is_new = away > limit;
      const bool is_strange = std::abs(value_[i] - slow_[i]) > kPlaceLevels + kPlaceNoise * noise_[i];
      fresh += is_new;
      place_[i] = is_strange;
      changed_[i] = is_new && is_strange ? static_cast<uint8_t>(std::min(2 * away / limit, kStrengthMax)) : 0;
    }
    return static_cast<float>(fresh) > kWholeShare * static_cast<float>(value_.size());
  }

  void Restart(bool first) {
    fast_ = value_;
    slow_ = value_;
    if (first) std::fill(noise_.begin(), noise_.end(), kNoiseFirst), age_s_ = 0;
    std::fill(changed_.begin(), changed_.end(), uint8_t{0});
    started_ = true;
  }

  size_t Cluster() {
    const int columns = motion_.columns, rows = motion_.rows;
    size_t moved = 0;
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        const size_t at = static_cast<size_t>(row * columns + column);
        if (!changed_[at]) continue;
        int near = 0;
        for (int y = std::max(0, row - 1); y <= std::min(rows - 1, row + 1); ++y) {
          for (int x = std::max(0, column - 1); x <= std::min(columns - 1, column + 1); ++x) {
            near += changed_[static_cast<size_t>(y * columns + x)];
          }
        }
        if (near >= kClusterMin || value_.size() < 4) motion_.moved[at] = 1, ++moved;
      }
    }
    return moved;
  }

  // From moved cells into what stands out beside them: of a bus only its ends change, all of it is meant.
  void Spread() {
    const int columns = motion_.columns, rows = motion_.rows;
    const auto visit = [&](int row, int column, int back) {
      const size_t at = static_cast<size_t>(row * columns + column);
      if (!place_[at] || motion_.moved[at]) return;
      const bool beside =
          column - back >= 0 && column - back < columns && motion_.moved[at - static_cast<size_t>(back)];
      const bool above =
          row - back >= 0 && row - back < rows && motion_.moved[at - static_cast<size_t>(back * columns)];
      motion_.moved[at] = beside || above;
    };
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) visit(row, column, 1);
    }
    for (int row = rows - 1; row >= 0; --row) {
      for (int column = columns - 1; column >= 0; --column) visit(row, column, -1);
    }
  }

  // The noise level creeps to the quantile of what a cell changes by.
  void Learn(double step) {
    const float quick = static_cast<float>(1 - std::exp(-step / kFastSeconds));
    age_s_ += step;
    const double noise_seconds = age_s_ < kWarmSeconds ? kNoiseSeconds / 8 : kNoiseSeconds;
    const float gentle = static_cast<float>(1 - std::exp(-step / noise_seconds));
    for (size_t i = 0; i < value_.size(); ++i) {
      const float away = value_[i] - fast_[i], amount = std::abs(away);
      const float surprise = amount > noise_[i] ? kNoiseShare : kNoiseShare - 1;
      const float weight = motion_.moved[i] ? kMovedWeight : 1;
      noise_[i] =
          std::clamp(noise_[i] + weight * gentle * (noise_[i] + 0.3f) * surprise, kNoiseMin, kNoiseMax);
      fast_[i] += quick * away;
    }
  }

  Motion motion_;
  Size size_;
  PixelFormat format_ = PixelFormat::kGray8;
  int cell_ = 8, row_step_ = 2, bytes_ = 1;
  bool started_ = false;
  double time_s_ = 0, age_s_ = 0;
  std::vector<float> value_, fast_, slow_, noise_;
  std::vector<uint8_t> changed_, place_;  // new and strange: how much; strange
  std::vector<uint16_t> sums_;
  std::array<uint32_t, kGainBins> bins_{};  // of relative change: how many cells
};

}  // namespace

std::unique_ptr<MotionDetector> MotionDetector::Create() { return std::make_unique<BlockMotion>(); }

}  // namespace sightline::attention
