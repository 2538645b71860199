// Where to look. Motion that known tracks explain asks for nothing; what is left is grouped into regions, as
// are tracks that were not seen for too long. Places that moved and showed nothing when looked at (trees,
// flags, water) are left alone for a while, ever longer, but never by a full look.
#include <algorithm>
#include <cmath>

#include "stages/attention/attention.h"

namespace sightline::attention {
namespace {

constexpr float kExplainedGrowth = 0.15f;  // of a track's box, on each side
constexpr float kContext = 0.2f;           // of a region, on each side
constexpr float kStandingShare = 0.15f;    // of its height a second: slower stands
constexpr double kBarrenSeconds = 0.4;     // the first time; then doubled
constexpr int kBarrenStreakMax = 4;
constexpr float kInputStep = 32;    // inputs of parts have sides in such steps, in the model's pixels
constexpr float kRunShare = 0.04f;  // what a run costs beside its pixels, of a look at the whole
constexpr size_t kRegionsMax = 64;  // before they are joined
constexpr int kGap = 2;             // cells that may lie between parts of one group
constexpr size_t kGroupSure = 6;    // so many cells are believed at once
constexpr size_t kGroupMin = 2;     // cells; fewer are the fringe of something known

Box Grown(const Box& box, float share, float pixels) {
  const float x = std::max(box.width() * share, pixels), y = std::max(box.height() * share, pixels);
  return {box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y};
}

bool Overlap(const Box& a, const Box& b) { return a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2; }

void Join(const Box& other, Box* box) {
  *box = {std::min(box->x1, other.x1), std::min(box->y1, other.y1), std::max(box->x2, other.x2),
          std::max(box->y2, other.y2)};
}

bool IsMoving(const TrackedBox& track) {
  return track.speed_px_s > std::max(3.f, kStandingShare * track.predicted.height());
}

class GridPlanner final : public Planner {
 public:
  explicit GridPlanner(const PlannerOptions& options) : options_(options) {}

  void Reset() override { full_due_ = true; }

  const Look& Plan(const Motion& motion, absl::Span<const TrackedBox> tracks, Size picture,
                   double time_s) override {
    look_.regions.clear();
    if (motion.columns != columns_ || motion.rows != rows_ || picture != picture_) Layout(motion, picture);
    Remember(tracks, time_s);
    if (full_due_ || motion.whole || time_s - full_s_ >= options_.full_s || time_s < full_s_) {
      return Full(motion, tracks, time_s);
    }
    Explain(motion, tracks, time_s);
    Group();
    before_.assign(motion.moved.begin(), motion.moved.end());
    AddTracks(motion, tracks, time_s);
    if (look_.regions.empty()) {
      look_.kind = tracks.empty() ? LookKind::kSkip : LookKind::kPredict;
      return look_;
    }
    if (look_.regions.size() > kRegionsMax) return Full(motion, tracks, time_s);
    JoinRegions(tracks);
    if (CostShare() > options_.full_share) return Full(motion, tracks, time_s);
    look_.kind = LookKind::kRegions;
    Looked(motion, time_s);
    return look_;
  }

 private:
  void Layout(const Motion& motion, Size picture) {
    columns_ = motion.columns, rows_ = motion.rows, picture_ = picture;
    const size_t cells = motion.moved.size();
    cell_width_ = static_cast<float>(picture.width) / static_cast<float>(std::max(1, columns_));
    cell_height_ = static_cast<float>(picture.height) / static_cast<float>(std::max(1, rows_));
    const Size input = options_.model_input.empty() ? Size{640, 640} : options_.model_input;
    const float scale = std::max({1.f, static_cast<float>(picture.width) / static_cast<float>(input.width),
                                  static_cast<float>(picture.height) / static_cast<float>(input.height)});
    context_ = options_.context * scale;
    step_ = kInputStep * scale;
    wanted_.assign(cells, 0);
    before_.assign(cells, 0);
    looked_.assign(cells, 0);
    streak_.assign(cells, 0);
    quiet_s_.assign(cells, 0);
    stack_.reserve(cells);
    full_due_ = true;
  }

  const Look& Full(const Motion& motion, absl::Span<const TrackedBox>, double time_s) {
    look_.kind = LookKind::kFull;
    look_.regions.clear();
    full_due_ = false;
    before_.assign(motion.moved.begin(), motion.moved.end());
    full_s_ = time_s;
    Looked(motion, time_s);
    return look_;
  }

  // Which moving cells the look at hand covers: whether anything was found there is known at the next plan.
  void Looked(const Motion& motion, double time_s) {
    look_s_ = time_s;
    std::fill(looked_.begin(), looked_.end(), uint8_t{0});
    if (motion.whole) return;
    if (look_.kind == LookKind::kFull) {
      looked_ = motion.moved;
      return;
    }
    for (const Box& region : look_.regions) {
      ForCells(region, [&](size_t at) { looked_[at] = motion.moved[at]; });
    }
  }

  void Remember(absl::Span<const TrackedBox> tracks, double time_s) {
    if (look_s_ < 0) return;
    for (const TrackedBox& track : tracks) {
      ForCells(Grown(track.predicted, 0.5f, context_), [&](size_t at) { looked_[at] = 0, streak_[at] = 0; });
    }
    for (size_t i = 0; i < looked_.size(); ++i) {
      if (!looked_[i]) continue;
      if (time_s - quiet_s_[i] > 10) streak_[i] = 0;
      quiet_s_[i] = look_s_ + kBarrenSeconds * (1 << streak_[i]);
      streak_[i] = static_cast<uint8_t>(std::min(kBarrenStreakMax, streak_[i] + 1));
    }
    look_s_ = -1;
  }

  void Explain(const Motion& motion, absl::Span<const TrackedBox> tracks, double time_s) {
    for (size_t i = 0; i < wanted_.size(); ++i)
      wanted_[i] = motion.moved[i] && !(time_s < quiet_s_[i] && streak_[i]);
    for (const TrackedBox& track : tracks) {
      ForCells(Grown(track.predicted, kExplainedGrowth, cell_width_), [&](size_t at) { wanted_[at] = 0; });
    }
  }

  // A small thing is believed when it moved near by at the plan before: rain falls elsewhere each time.
  bool MovedBefore(int left, int top, int right, int bottom) const {
    for (int y = std::max(0, top - kGap); y <= std::min(rows_ - 1, bottom + kGap); ++y) {
      for (int x = std::max(0, left - kGap); x <= std::min(columns_ - 1, right + kGap); ++x) {
        if (before_[Cell(x, y)]) return true;
      }
    }
    return false;
  }

  // Groups of wanted cells, each as a padded box.
  void Group() {
    for (int row = 0; row < rows_; ++row) {
      for (int column = 0; column < columns_; ++column) {
        if (!wanted_[Cell(column, row)]) continue;
        int left = column, right = column, top = row, bottom = row;
        size_t count = 0;
        wanted_[Cell(column, row)] = 0;
        stack_.assign(1, {column, row});
        while (!stack_.empty()) {
          const auto [x, y] = stack_.back();
          stack_.pop_back();
          ++count;
          left = std::min(left, x), right = std::max(right, x), top = std::min(top, y),
          bottom = std::max(bottom, y);
          for (int b = std::max(0, y - kGap); b <= std::min(rows_ - 1, y + kGap); ++b) {
            for (int a = std::max(0, x - kGap); a <= std::min(columns_ - 1, x + kGap); ++a) {
              if (!wanted_[Cell(a, b)]) continue;
              wanted_[Cell(a, b)] = 0;
              stack_.push_back({a, b});
            }
          }
        }
        if (count < kGroupMin || (count < kGroupSure && !MovedBefore(left, top, right, bottom))) continue;
        AddRegion(Grown(
            {static_cast<float>(left) * cell_width_, static_cast<float>(top) * cell_height_,
             static_cast<float>(right + 1) * cell_width_, static_cast<float>(bottom + 1) * cell_height_},
            kContext, context_));
      }
    }
  }

  void AddTracks(const Motion& motion, absl::Span<const TrackedBox> tracks, double time_s) {
    for (const TrackedBox& track : tracks) {
      // What was found once only, or just missed, is settled first.
      const bool is_open = !track.confirmed || track.misses == 1;
      if (!is_open && time_s - track.looked_s < options_.track_s - 1e-3) continue;
      bool moved = is_open || IsMoving(track);
      if (!moved) ForCells(track.predicted, [&](size_t at) { moved |= motion.moved[at] != 0; });
      if (moved) AddRegion(Grown(track.predicted, kContext, context_));
    }
  }

  void AddRegion(const Box& box) {
    Box region = Clip(box, picture_);
    region = {std::floor(region.x1 / 2) * 2, std::floor(region.y1 / 2) * 2, std::ceil(region.x2 / 2) * 2,
              std::ceil(region.y2 / 2) * 2};
    region.x2 = std::min(region.x2, static_cast<float>(picture_.width));
    region.y2 = std::min(region.y2, static_cast<float>(picture_.height));
    if (region.area() > 0) look_.regions.push_back(region);
  }

  // Until no region meets another, and none cuts a track.
  void JoinRegions(absl::Span<const TrackedBox> tracks) {
    auto& regions = look_.regions;
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < regions.size(); ++i) {
        for (const TrackedBox& track : tracks) {
          const Box box = Clip(Grown(track.predicted, 0.05f, 4), picture_);
          if (!Overlap(box, regions[i])) continue;
          Box grown = regions[i];
          Join(box, &grown);
          grown = {std::floor(grown.x1 / 2) * 2, std::floor(grown.y1 / 2) * 2,
                   std::min(std::ceil(grown.x2 / 2) * 2, static_cast<float>(picture_.width)),
                   std::min(std::ceil(grown.y2 / 2) * 2, static_cast<float>(picture_.height))};
          changed |= !(grown == regions[i]);
          regions[i] = grown;
        }
        for (size_t j = i + 1; j < regions.size();) {
          if (!BelongTogether(regions[i], regions[j])) {
            ++j;
            continue;
          }
          Join(regions[j], &regions[i]);
          regions[j] = regions.back();
          regions.pop_back();
          changed = true;
        }
      }
    }
  }

  // Of a look, in source pixels: a part's input is a window at whole steps, and each run costs by itself.
  float Cost(const Box& region) const {
    return (region.width() + step_) * (region.height() + step_) + kRunShare * WholeBox(picture_).area();
  }

  float CostShare() const {
    float cost = 0;
    for (const Box& region : look_.regions) cost += Cost(region);
    return cost / std::max(1.f, WholeBox(picture_).area());
  }

  // Regions that meet are one; so are those that cost less together.
  bool BelongTogether(const Box& a, const Box& b) const {
    if (Overlap(a, b)) return true;
    Box both = a;
    Join(b, &both);
    return Cost(both) <= Cost(a) + Cost(b);
  }

  size_t Cell(int column, int row) const { return static_cast<size_t>(row * columns_ + column); }

  template <typename Visit>
  void ForCells(const Box& box, Visit visit) {
    const Box inside = Clip(box, picture_);
    if (!(inside.area() > 0)) return;
    const int right = std::min(columns_, static_cast<int>(std::ceil(inside.x2 / cell_width_)));
    const int bottom = std::min(rows_, static_cast<int>(std::ceil(inside.y2 / cell_height_)));
    for (int row = static_cast<int>(inside.y1 / cell_height_); row < bottom; ++row) {
      for (int column = static_cast<int>(inside.x1 / cell_width_); column < right; ++column)
        visit(Cell(column, row));
    }
  }

  struct Position {
    int x, y;
  };
  const PlannerOptions options_;
  Look look_;
  int columns_ = 0, rows_ = 0;
  Size picture_;
  float cell_width_ = 1, cell_height_ = 1, context_ = 0, step_ = 0;
  bool full_due_ = true;
  double full_s_ = 0;
  double look_s_ = -1;                             // of a look whose outcome is not known yet
  std::vector<uint8_t> before_;                    // what moved at the plan before
  std::vector<uint8_t> wanted_, looked_, streak_;  // streak: looks in a row that found nothing here
  std::vector<double> quiet_s_;                    // until then motion here asks for nothing
  std::vector<Position> stack_;
};

}  // namespace

std::unique_ptr<Planner> Planner::Create(const PlannerOptions& options) {
  return std::make_unique<GridPlanner>(options);
}

}  // namespace sightline::attention
