// After ByteTrack (Zhang et al. 2022: low scores extend tracks, only high ones start them) and OC-SORT (Cao
// et al. 2023: when an object is seen again, its way through the gap is drawn from what was seen, not from
// what was guessed).
#include "stages/track/tracker.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <tuple>

#include "absl/container/inlined_vector.h"
#include "base/check.h"
#include "stages/track/assignment.h"
#include "stages/track/kalman.h"

namespace sightline::track {
namespace {

constexpr size_t kTracksMax = 20'000;
constexpr float kLowMatchIouMin = 0.3f;  // low scores are often parts of something else: they must fit better
constexpr double kRecentShare =
    0.3;                        // of lost_s_max: who is out of sight for longer is not found by a low score
constexpr float kWiden = 0.5f;  // of each side, in the second look at what moves far between frames
// What was seen once may have gone far since: so many of its sizes a second, and it looks as large as before.
constexpr double kLeapMax_s = 0.4;                    // later it may have gone anywhere
constexpr float kLeapSpeed = 14, kLeapSizes = 2;      // sizes: at most so many times smaller or larger
constexpr float kAppearanceKept = 0.9f;               // of a track's appearance, at each new one
constexpr double kQuickStep = 0.04, kSlowStep = 0.2;  // seconds between looks
constexpr double kPatientStep = 0.15;  // from here on one miss does not end what is not confirmed yet
constexpr float kSlowCredit = 0.1f;    // of a score, at the slow step
constexpr float kDoubtCredit = 0.15f;  // with so much less it takes kDoubtHits more to be believed
constexpr int kDoubtHits = 2;
constexpr float kOtherClass = 0.8f;  // what a match with an alike class is worth
constexpr float kTwiceIou = 0.7f;    // alike boxes that overlap more are one thing
constexpr int kGapStepsMax = 8;
constexpr size_t kRivalsMax = 32;  // detections that one track considers: the best; keeps crowds affordable

struct Track {
  int64_t id = 0;  // 0: not confirmed
  int class_id = 0;
  int hits = 1;    // frames matched
  int misses = 0;  // frames since
  double seen_s = 0, looked_s = 0;
  double kept_s = 0;  // as seen_s, but not counting the time when nobody looked where it is
  float score = 0, best_score = 0, score_sum = 0;
  absl::InlinedVector<std::pair<int, float>, 2> votes;  // scores by class, where it has been seen as several
  Box seen_box;
  BoxFilter filter;       // now
  BoxFilter seen_filter;  // when it was seen
  std::vector<float> appearance;

  Track(const Detection& detection, double time_s)
      : class_id(detection.class_id),
        seen_s(time_s),
        looked_s(time_s),
        kept_s(time_s),
        score(detection.score),
        best_score(detection.score),
        score_sum(detection.score),
        seen_box(detection.box),
        filter(detection.box),
        seen_filter(detection.box) {}
};

bool IsUsable(const Box& box) {
  constexpr float kFar = 1e7f;
  return box.x1 > -kFar && box.y1 > -kFar && box.x2 < kFar && box.y2 < kFar && box.x2 > box.x1 &&
         box.y2 > box.y1;
}

Box Widened(const Box& box) {
  const float x = box.width() * kWiden, y = box.height() * kWiden;
  return {box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y};
}

Box Between(const Box& a, const Box& b, float share) {
  return {std::lerp(a.x1, b.x1, share), std::lerp(a.y1, b.y1, share), std::lerp(a.x2, b.x2, share),
          std::lerp(a.y2, b.y2, share)};
}

float Distance(const Box& a, const Box& b) {  // of their middles
  return std::hypot((a.x1 + a.x2 - b.x1 - b.x2) / 2, (a.y1 + a.y2 - b.y1 - b.y2) / 2);
}

class ByteTracker : public Tracker {
 public:
  explicit ByteTracker(const TrackerOptions& options) : options_(options) {
    for (size_t i = 0; i < options.alike.size(); ++i) {
      for (const int class_id : options.alike[i]) {
        CHECK(class_id >= 0) << "classes have numbers from 0 on";
        group_of_.resize(std::max(group_of_.size(), static_cast<size_t>(class_id) + 1));
        group_of_[static_cast<size_t>(class_id)] = -1 - static_cast<int>(i);
      }
    }
  }

  void Reset() override {
    tracks_.clear();
    time_s_.reset();
    next_id_ = 1;
  }

  void Update(double time_s, absl::Span<Detection> detections,
              absl::Span<const absl::Span<const float>> embeddings) override {
    UpdatePart(time_s, detections, embeddings, {});
  }

  void UpdatePart(double time_s, absl::Span<Detection> detections,
                  absl::Span<const absl::Span<const float>> embeddings, const Looked& looked) override {
    CHECK(embeddings.empty() || embeddings.size() == detections.size())
        << "one embedding per detection, or none";
    Begin(time_s, detections, embeddings);
    sure_score_ = HighScore(kSlowCredit);
    const std::vector<int> high = Usable(sure_score_, 2), low = Usable(options_.low_score, sure_score_),
                           starting = Usable(HighScore(kDoubtCredit), 2);
    const std::vector<int> confirmed = TracksWhere([](const Track& track) { return track.id != 0; });
    Match(confirmed, high, options_.match_iou, Look::kPlain);
    Match(confirmed, low, std::max(options_.match_iou, kLowMatchIouMin), Look::kRecent);
    Match(confirmed, high, options_.match_iou, Look::kWide);
    const std::vector<int> tentative = TracksWhere([](const Track& track) { return track.id == 0; });
    Match(tentative, starting, options_.match_iou, Look::kPlain);
    Match(tentative, starting, options_.match_iou, Look::kWide);
    Leap(tentative, starting);
    End(starting, looked);
  }

  void Predict(double time_s, std::vector<TrackState>* tracks) const override {
    tracks->clear();
    for (const Track& track : tracks_) {
      BoxFilter filter = track.filter;
      const Box now = filter.box();
      constexpr double kStep = 0.1;
      filter.Predict(kStep, true);
      const Box soon = filter.box();
      const float x = (soon.x1 + soon.x2 - now.x1 - now.x2) / 2,
                  y = (soon.y1 + soon.y2 - now.y1 - now.y2) / 2;
      filter = track.filter;
      filter.Predict(std::max(0.0, time_s - time_s_.value_or(time_s)), track.misses > 0);
      tracks->push_back({track.id, track.class_id, track.score, filter.box(),
                         std::sqrt(x * x + y * y) / static_cast<float>(kStep), track.seen_s, track.looked_s,
                         track.id != 0, track.misses});
    }
  }

 private:
  // How tracks and detections are compared: as they are, only tracks seen lately, or with both boxes widened
  // (and again only what is left).
  enum class Look { kPlain, kRecent, kWide };

  void Begin(double time_s, absl::Span<Detection> detections,
             absl::Span<const absl::Span<const float>> embeddings) {
    if (!std::isfinite(time_s)) time_s = time_s_.value_or(0);
    // Another run through the video: nothing goes on, but no id is given twice.
    if (time_s_ && time_s < *time_s_) tracks_.clear();
    const double step = time_s_ ? std::max(0.0, time_s - *time_s_) : 0;
    time_s_ = time_s;
    detections_ = detections;
    embeddings_ = embeddings;
    step_s_ = step;
    std::erase_if(tracks_, [&](const Track& track) { return time_s - track.kept_s > options_.lost_s_max; });
    for (Track& track : tracks_) track.filter.Predict(step, track.misses > 0);
    track_matched_.assign(tracks_.size(), 0);
    detection_track_.assign(detections.size(), -1);
    for (Detection& detection : detections) detection.track_id = -1;
    // A fixed order, so that ids do not depend on the order in which detections come.
    order_.resize(detections.size());
    std::iota(order_.begin(), order_.end(), 0);
    const auto key = [&](int index) {
      const Detection& d = detections[static_cast<size_t>(index)];
      return std::make_tuple(-d.score, d.class_id, d.box.x1, d.box.y1, d.box.x2, d.box.y2);
    };
    std::erase_if(order_, [&](int index) {
      const Detection& d = detections[static_cast<size_t>(index)];
      return !IsUsable(d.box) || std::isnan(d.score);
    });
    std::stable_sort(order_.begin(), order_.end(), [&](int a, int b) { return key(a) < key(b); });
    DropTwice();
  }

  // Of boxes of alike classes on one thing the best is left.
  void DropTwice() {
    if (group_of_.empty()) return;
    size_t kept = 0;
    for (const int index : order_) {
      const Detection& detection = detections_[static_cast<size_t>(index)];
      const int group = GroupOf(detection.class_id);
      const bool is_twice =
          group < 0 &&
          std::any_of(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(kept), [&](int better) {
            const Detection& other = detections_[static_cast<size_t>(better)];
            return other.class_id != detection.class_id && GroupOf(other.class_id) == group &&
                   IntersectionOverUnion(other.box, detection.box) > kTwiceIou;
          });
      if (!is_twice) order_[kept++] = index;
    }
    order_.resize(kept);
  }

  // Classes of one group may be one thing. Negative: several are in it.
  int GroupOf(int class_id) const {
    if (!options_.per_class) return 0;
    const auto index = static_cast<size_t>(class_id);
    return index < group_of_.size() && group_of_[index] < 0 ? group_of_[index] : class_id;
  }

  // Where looks are few, so are the chances of a good score, and of a false alarm to repeat.
  float HighScore(float credit) const {
    const double slow = std::clamp((step_s_ - kQuickStep) / (kSlowStep - kQuickStep), 0.0, 1.0);
    return std::max(options_.low_score, options_.high_score - credit * static_cast<float>(slow));
  }

  std::vector<int> Usable(float score_min, float score_end) const {
    std::vector<int> indices;
    for (const int index : order_) {
      const float score = detections_[static_cast<size_t>(index)].score;
      if (score >= score_min && score < score_end) indices.push_back(index);
    }
    return indices;
  }

  template <typename Condition>
  std::vector<int> TracksWhere(Condition condition) const {
    std::vector<int> indices;
    for (size_t i = 0; i < tracks_.size(); ++i) {
      if (condition(tracks_[i])) indices.push_back(static_cast<int>(i));
    }
    return indices;
  }

  bool IsLookedAt(int index, Look look) const {
    const Track& track = tracks_[static_cast<size_t>(index)];
    if (track_matched_[static_cast<size_t>(index)]) return false;
    return look == Look::kPlain || *time_s_ - track.kept_s <= kRecentShare * options_.lost_s_max ||
           track.misses == 0;
  }

  // 1: looks the same; 0: does not, or is not known. Both are of unit length.
  float Likeness(const Track& track, int detection) const {
    if (embeddings_.empty()) return 0;
    const absl::Span<const float> embedding = embeddings_[static_cast<size_t>(detection)];
    if (embedding.empty() || embedding.size() != track.appearance.size()) return 0;
    const float cosine =
        std::inner_product(embedding.begin(), embedding.end(), track.appearance.begin(), 0.f);
    return std::isfinite(cosine) ? std::clamp(cosine, 0.f, 1.f) : 0;
  }

  bool MayTake(const Track& track, int detection) const {
    const size_t index = static_cast<size_t>(detection);
    return detection_track_[index] < 0 && GroupOf(detections_[index].class_id) == GroupOf(track.class_id);
  }

  void Match(const std::vector<int>& tracks, const std::vector<int>& detections, float iou_min, Look look) {
    candidates_.clear();
    const float weight = embeddings_.empty() ? 0 : std::clamp(options_.appearance_weight, 0.f, 1.f);
    for (size_t i = 0; i < tracks.size(); ++i) {
      if (!IsLookedAt(tracks[i], look)) continue;
      const Track& track = tracks_[static_cast<size_t>(tracks[i])];
      const size_t begin = candidates_.size();
      const Box predicted = look == Look::kWide ? Widened(track.filter.box()) : track.filter.box();
      for (size_t j = 0; j < detections.size(); ++j) {
        const Detection& detection = detections_[static_cast<size_t>(detections[j])];
        if (!MayTake(track, detections[j])) continue;
        const float iou =
            IntersectionOverUnion(predicted, look == Look::kWide ? Widened(detection.box) : detection.box);
        if (iou < iou_min || iou <= 0) continue;
        const float same = detection.class_id == track.class_id ? 1 : kOtherClass;
        const float gain =
            same * ((1 - weight) * iou + (weight > 0 ? weight * Likeness(track, detections[j]) : 0));
        candidates_.push_back({static_cast<int>(i), static_cast<int>(j), std::max(gain, 1e-6f)});
      }
      KeepBest(begin);
    }
    for (const Candidate& pair :
         BestMatching(static_cast<int>(tracks.size()), static_cast<int>(detections.size()), candidates_)) {
      Extend(tracks[static_cast<size_t>(pair.row)], detections[static_cast<size_t>(pair.column)]);
    }
  }

  // At few looks a second what is small and fast is beside its own width by the next. Nothing overlaps then,
  // so the nearest of a like size is tried; it counts as found when it is where that leads to at the look
  // after.
  void Leap(const std::vector<int>& tracks, const std::vector<int>& detections) {
    candidates_.clear();
    for (size_t i = 0; i < tracks.size(); ++i) {
      const Track& track = tracks_[static_cast<size_t>(tracks[i])];
      if (track.hits > 1 || track_matched_[static_cast<size_t>(tracks[i])]) continue;
      const size_t begin = candidates_.size();
      const float size = std::sqrt(track.seen_box.area());
      const float limit =
          kLeapSpeed * size * static_cast<float>(std::min(*time_s_ - track.seen_s, kLeapMax_s));
      for (size_t j = 0; j < detections.size(); ++j) {
        const Detection& detection = detections_[static_cast<size_t>(detections[j])];
        if (!MayTake(track, detections[j])) continue;
        const float ratio = std::sqrt(detection.box.area()) / size;
        if (!(ratio < kLeapSizes && ratio > 1 / kLeapSizes)) continue;
        const float distance = Distance(track.seen_box, detection.box);
        if (distance < limit)
          candidates_.push_back({static_cast<int>(i), static_cast<int>(j), 1 - distance / limit});
      }
      KeepBest(begin);
    }
    for (const Candidate& pair :
         BestMatching(static_cast<int>(tracks.size()), static_cast<int>(detections.size()), candidates_)) {
      const int track = tracks[static_cast<size_t>(pair.row)];
      Extend(track, detections[static_cast<size_t>(pair.column)]);
      --tracks_[static_cast<size_t>(track)].hits;
    }
  }

  // Of the candidates from `begin` on, which are one track's.
  void KeepBest(size_t begin) {
    if (candidates_.size() - begin <= kRivalsMax) return;
    const auto first = candidates_.begin() + static_cast<ptrdiff_t>(begin);
    std::nth_element(first, first + kRivalsMax, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) {
                       return a.gain != b.gain ? a.gain > b.gain : a.column < b.column;
                     });
    candidates_.resize(begin + kRivalsMax);
  }

  void Extend(int track_index, int detection_index) {
    Track& track = tracks_[static_cast<size_t>(track_index)];
    const Detection& detection = detections_[static_cast<size_t>(detection_index)];
    track_matched_[static_cast<size_t>(track_index)] = 1;
    detection_track_[static_cast<size_t>(detection_index)] = track_index;
    if (track.misses > 0) {
      CrossGap(detection.box, &track);
    } else {
      track.filter.Update(detection.box);
    }
    track.seen_filter = track.filter;
    track.seen_box = detection.box;
    track.seen_s = track.kept_s = track.looked_s = *time_s_;
    if (detection.class_id != track.class_id || !track.votes.empty()) Vote(detection, &track);
    track.score_sum += detection.score;
    track.score = detection.score;
    track.best_score = std::max(track.best_score, detection.score);
    track.misses = 0;
    ++track.hits;
    // A low score often means that something covers the object: it says little of how it looks.
    if (detection.score >= options_.high_score) Remember(detection_index, &track);
  }

  // The class that was seen most, by score.
  static void Vote(const Detection& detection, Track* track) {
    const auto votes_of = [&](int class_id) -> float& {
      const auto found = std::find_if(track->votes.begin(), track->votes.end(),
                                      [&](const auto& vote) { return vote.first == class_id; });
      return found != track->votes.end() ? found->second : track->votes.emplace_back(class_id, 0.f).second;
    };
    if (track->votes.empty()) votes_of(track->class_id) = track->score_sum;
    votes_of(detection.class_id) += detection.score;
    if (votes_of(detection.class_id) > votes_of(track->class_id)) track->class_id = detection.class_id;
  }

  // From where it was last seen straight to where it is.
  void CrossGap(const Box& box, Track* track) const {
    const int steps = std::min(track->misses + 1, kGapStepsMax);
    track->filter = track->seen_filter;
    for (int i = 1; i <= steps; ++i) {
      track->filter.Predict((*time_s_ - track->seen_s) / steps, false);
      track->filter.Update(Between(track->seen_box, box, static_cast<float>(i) / static_cast<float>(steps)));
    }
  }

  void Remember(int detection_index, Track* track) const {
    if (embeddings_.empty()) return;
    const absl::Span<const float> embedding = embeddings_[static_cast<size_t>(detection_index)];
    if (track->appearance.size() != embedding.size()) {
      track->appearance.assign(embedding.begin(), embedding.end());
      return;
    }
    double length = 0;
    for (size_t i = 0; i < embedding.size(); ++i) {
      float& value = track->appearance[i];
      value = std::lerp(embedding[i], value, kAppearanceKept);
      length += static_cast<double>(value) * value;
    }
    if (!(length > 0)) return;
    for (float& value : track->appearance) value /= static_cast<float>(std::sqrt(length));
  }

  static bool IsIn(const Box& box, const Looked& looked) {
    if (looked.whole) return true;
    const float x = (box.x1 + box.x2) / 2, y = (box.y1 + box.y2) / 2;
    return std::any_of(looked.regions.begin(), looked.regions.end(), [&](const Box& region) {
      return x >= region.x1 && x < region.x2 && y >= region.y1 && y < region.y2;
    });
  }

  void End(const std::vector<int>& starting, const Looked& looked) {
    for (size_t i = 0; i < tracks_.size(); ++i) {
      if (track_matched_[i]) continue;
      if (IsIn(tracks_[i].filter.box(), looked)) {
        ++tracks_[i].misses;
        tracks_[i].looked_s = *time_s_;
      } else {
        tracks_[i].kept_s += step_s_;
      }
    }
    for (const int index : starting) {
      int& track_index = detection_track_[static_cast<size_t>(index)];
      if (track_index >= 0 || tracks_.size() >= kTracksMax) continue;
      const Detection& detection = detections_[static_cast<size_t>(index)];
      track_index = static_cast<int>(tracks_.size());
      tracks_.emplace_back(detection, *time_s_);
      Remember(index, &tracks_.back());
    }
    for (const int index : order_) {
      const int track_index = detection_track_[static_cast<size_t>(index)];
      if (track_index < 0) continue;
      Track& track = tracks_[static_cast<size_t>(track_index)];
      const int doubt = track.best_score < sure_score_ ? kDoubtHits : 0;
      if (track.id == 0 && track.hits >= options_.confirm_hits + doubt) track.id = next_id_++;
      if (track.id == 0) continue;
      detections_[static_cast<size_t>(index)].track_id = track.id;
      detections_[static_cast<size_t>(index)].class_id = track.class_id;
    }
    // What was seen too rarely to be confirmed and is gone again was no object.
    const int misses_max = step_s_ >= kPatientStep ? 1 : 0;
    std::erase_if(tracks_, [&](const Track& track) { return track.id == 0 && track.misses > misses_max; });
  }

  const TrackerOptions options_;
  std::vector<int> group_of_;  // by class; negative: alike to others
  std::vector<Track> tracks_;
  std::optional<double> time_s_;  // of the last update
  double step_s_ = 0;             // since the update before
  float sure_score_ = 0;          // at or above: counts as seen well, at this step
  int64_t next_id_ = 1;
  // Of the frame at hand.
  absl::Span<Detection> detections_;
  absl::Span<const absl::Span<const float>> embeddings_;
  std::vector<int> order_;  // usable detections, in the fixed order
  std::vector<char> track_matched_;
  std::vector<int> detection_track_;  // index of the detection's track; -1: none
  std::vector<Candidate> candidates_;
};

}  // namespace

std::unique_ptr<Tracker> Tracker::Create(const TrackerOptions& options) {
  return std::make_unique<ByteTracker>(options);
}

}  // namespace sightline::track
