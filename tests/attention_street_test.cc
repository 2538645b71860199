// Looking only where it pays, on simulated streets: motion as the camera gives it, and tracks that last.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "simulate/clip/street_clip.h"
#include "stages/attention/attention.h"
#include "stages/track/tracker.h"

namespace sightline {
namespace {

std::unique_ptr<simulate::StreetClip> Street(uint64_t seed, const std::string& weather, double seconds = 10) {
  simulate::StreetOptions options;
  options.seed = seed;
  options.weather = weather;
  options.seconds = seconds;
  options.frames_per_second = 5;
  auto clip = simulate::StreetClip::Create(options);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return *std::move(clip);
}

bool MovedIn(const attention::Motion& motion, const Box& box) {
  const float width = static_cast<float>(motion.picture.width) / static_cast<float>(motion.columns);
  const float height = static_cast<float>(motion.picture.height) / static_cast<float>(motion.rows);
  for (int row = 0; row < motion.rows; ++row) {
    for (int column = 0; column < motion.columns; ++column) {
      const float x = (static_cast<float>(column) + 0.5f) * width,
                  y = (static_cast<float>(row) + 0.5f) * height;
      if (motion.moved[static_cast<size_t>(row * motion.columns + column)] && x > box.x1 - width &&
          x < box.x2 + width && y > box.y1 - height && y < box.y2 + height) {
        return true;
      }
    }
  }
  return false;
}

struct Found {
  int64_t movers = 0, found = 0;
  double share = 0, whole = 0;
  int frames = 0;
};

// Objects that moved by a third of their width or more since the frame before, and whether motion says so.
Found FindMovers(simulate::StreetClip* clip) {
  Found found;
  auto detector = attention::MotionDetector::Create();
  std::map<int64_t, Box> before;
  for (int i = 0;; ++i) {
    const auto frame = clip->Next();
    if (!frame.ok()) break;
    const attention::Motion& motion = detector->Update(*frame->frame, frame->frame->time_s.value_or(0));
    if (i >= 5) {
      ++found.frames;
      found.whole += motion.whole;
      found.share += static_cast<double>(motion.share);
    }
    for (const simulate::TrueBox& box : clip->boxes()) {
      const auto last = before.find(box.id);
      if (i >= 5 && !motion.whole && box.measured && last != before.end() &&
          std::abs(box.box.x1 + box.box.x2 - last->second.x1 - last->second.x2) / 2 > box.box.width() / 3) {
        ++found.movers;
        found.found += MovedIn(motion, box.box);
      }
      before[box.id] = box.box;
    }
  }
  return found;
}

TEST(AttentionOnStreets, motion_finds_who_moves_by_weather_and_little_else) {
  // In the dark and in rain who is far away differs by less than the noise: looks at the whole find them.
  const std::vector<std::pair<std::string, double>> least = {
      {"day", 0.8}, {"dusk", 0.6}, {"night", 0.4}, {"rain", 0.25}, {"night,rain", 0.25}};
  for (const auto& [weather, share_min] : least) {
    Found all;
    for (const uint64_t seed : {31, 32}) {
      const Found found = FindMovers(Street(seed, weather).get());
      all.movers += found.movers, all.found += found.found, all.share += found.share;
      all.whole += found.whole, all.frames += found.frames;
    }
    std::printf(
        "%-11s %lld of %lld moving boxes found; %.1f %% of the cells moved, %.1f %% of the frames said "
        "nothing\n",
        weather.c_str(), static_cast<long long>(all.found), static_cast<long long>(all.movers),
        100 * all.share / all.frames, 100 * all.whole / all.frames);
    ASSERT_GT(all.movers, 60) << weather;
    EXPECT_GE(static_cast<double>(all.found), share_min * static_cast<double>(all.movers)) << weather;
    EXPECT_LT(all.share / all.frames, 0.05) << weather;
    EXPECT_LT(all.whole / all.frames, 0.05) << weather;
  }
}

// With true boxes for a detector the planner alone is measured: how much of the truth a track covers.
TEST(AttentionOnStreets, tracks_cover_the_truth_with_a_part_of_the_looks) {
  int64_t truths = 0, covered = 0;
  double area = 0;
  int frames = 0;
  for (const uint64_t seed : {41, 42}) {
    const auto clip = Street(seed, "day", 20);
    auto detector = attention::MotionDetector::Create();
    auto tracker = track::Tracker::Create({});
    auto planner = attention::Planner::Create({.model_input = {576, 320}});
    std::vector<track::TrackState> states;
    std::vector<attention::TrackedBox> tracks;
    std::vector<Detection> detections;
    for (;; ++frames) {
      const auto frame = clip->Next();
      if (!frame.ok()) break;
      const double now = frame->frame->time_s.value_or(0);
      const Size size = frame->frame->source_size;
      tracker->Predict(now, &states);
      tracks.clear();
      for (const track::TrackState& state : states) {
        tracks.push_back(
            {state.id, state.box, state.speed_px_s, state.seen_s, state.confirmed, state.misses});
      }
      const attention::Look& look = planner->Plan(detector->Update(*frame->frame, now), tracks, size, now);
      const bool whole = look.kind == attention::LookKind::kFull;
      detections.clear();
      for (const simulate::TrueBox& truth : clip->boxes()) {
        const Box& box = truth.box;
        const bool seen =
            whole || std::any_of(look.regions.begin(), look.regions.end(), [&](const Box& region) {
              return box.x1 >= region.x1 && box.y1 >= region.y1 && box.x2 <= region.x2 && box.y2 <= region.y2;
            });
        if (!seen || !truth.measured) continue;
        Detection& detection = detections.emplace_back();
        detection.box = box;
        detection.score = 0.9f;
        detection.class_id = static_cast<int>(truth.kind);
      }
      area += whole ? 1 : 0;
      for (const Box& region : look.regions)
        area += static_cast<double>(region.area() / WholeBox(size).area());
      tracker->UpdatePart(now, absl::MakeSpan(detections), {}, {whole, look.regions});
      tracker->Predict(now, &states);
      for (const simulate::TrueBox& truth : clip->boxes()) {
        if (!truth.measured) continue;
        ++truths;
        covered += std::any_of(states.begin(), states.end(), [&](const track::TrackState& state) {
          return IntersectionOverUnion(state.box, truth.box) >= 0.5f;
        });
      }
    }
  }
  std::printf("%lld of %lld true boxes are covered by a track; %.2f of the pictures were looked at\n",
              static_cast<long long>(covered), static_cast<long long>(truths), area / frames);
  EXPECT_GE(static_cast<double>(covered), 0.9 * static_cast<double>(truths));
  EXPECT_LT(area / frames, 0.75);
}

}  // namespace
}  // namespace sightline
