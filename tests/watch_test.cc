// The watcher over simulated streets, with the detector that ships: what it finds against the truth.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "cameras/watch/packed_look.h"
#include "cameras/watch/watcher.h"
#include "evaluate/metrics.h"
#include "pipeline/run/step_runner.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "simulate/clip/street_clip.h"

namespace sightline::cameras {
namespace {

enum class InputSize { kAny, kFixed };

// kFixed: as of a model that runs at one size only.
std::shared_ptr<const pipeline::Engine> StreetEngine(InputSize size = InputSize::kAny) {
  const registry::ModelStore store({"models"});
  auto plan = pipeline::LoadPipeline("examples/street.yaml", store);
  CHECK(plan.ok()) << plan.status();
  if (size == InputSize::kFixed) {
    auto model = std::make_shared<pipeline::CatalogModel>(*plan->steps[0].model);
    model->card.input.cut_padding = false;
    plan->steps[0].model = std::move(model);
  }
  auto engine = pipeline::Engine::Create(*std::move(plan), {});
  CHECK(engine.ok()) << engine.status();
  return *engine;
}

std::unique_ptr<simulate::StreetClip> Clip(uint64_t seed, double seconds, double frames_per_second) {
  simulate::StreetOptions options;
  options.seed = seed;
  options.seconds = seconds;
  options.frames_per_second = frames_per_second;
  auto clip = simulate::StreetClip::Create(options);
  CHECK(clip.ok()) << clip.status();
  return *std::move(clip);
}

struct StreetFrame {
  FramePtr frame;
  std::vector<simulate::TrueBox> boxes;
};

std::vector<StreetFrame> Record(uint64_t seed, double seconds, double frames_per_second) {
  const auto clip = Clip(seed, seconds, frames_per_second);
  std::vector<StreetFrame> frames;
  while (true) {
    auto next = clip->Next();
    if (!next.ok()) return frames;
    frames.push_back({next->frame, clip->boxes()});
  }
}

evaluate::Annotation Annotated(const Box& box, std::string_view label, int64_t id) {
  evaluate::Annotation annotation;
  annotation.box = box;
  annotation.label = std::string(label);
  annotation.track_id = id;
  return annotation;
}

// What one way to watch made of several streets.
class Outcome : public WatchConsumer {
 public:
  void OnAnalysis(const Analysis& analysis) override {
    if (analysis.frame == nullptr) return;
    absl::MutexLock lock(&mutex_);
    evaluate::Picture& picture = pictures_.emplace_back();
    picture.source = analysis.setup->name;
    picture.frame = analysis.frame->index;
    for (const rules::Object& object : analysis.objects) {
      picture.annotations.push_back(Annotated(object.box, object.label, object.id));
      picture.annotations.back().score = object.score;
    }
  }

  // On every `step`th frame.
  evaluate::TrackScores Score(const std::vector<std::vector<StreetFrame>>& streets, int64_t step) const {
    absl::MutexLock lock(&mutex_);
    evaluate::Paired paired;
    std::vector<evaluate::Picture> truths;
    for (const evaluate::Picture& picture : pictures_) {
      if (picture.frame % step != 0) continue;
      const StreetFrame& frame =
          streets[static_cast<size_t>(std::atoi(picture.source.c_str()))][static_cast<size_t>(picture.frame)];
      evaluate::Picture& truth = truths.emplace_back();
      truth.source = picture.source;
      truth.frame = picture.frame;
      for (const simulate::TrueBox& box : frame.boxes) {
        truth.annotations.push_back(
            Annotated(box.box, simulate::kActorLabels[static_cast<size_t>(box.kind)], box.id));
        truth.annotations.back().ignore = !box.measured;
      }
    }
    size_t next = 0;
    for (const evaluate::Picture& picture : pictures_) {
      if (picture.frame % step == 0) paired.pairs.push_back({&truths[next++], &picture});
    }
    std::sort(paired.pairs.begin(), paired.pairs.end(), [](const auto& a, const auto& b) {
      return std::tie(a.truth->source, a.truth->frame) < std::tie(b.truth->source, b.truth->frame);
    });
    const std::vector<std::string> labels(std::begin(simulate::kActorLabels),
                                          std::end(simulate::kActorLabels));
    return evaluate::EvaluateTracks(paired, labels, 0.5).combined;
  }

  CameraCounts counts;  // of all cameras

 private:
  mutable absl::Mutex mutex_;
  std::vector<evaluate::Picture> pictures_ ABSL_GUARDED_BY(mutex_);
};

// Each street is a camera; every `step`th frame is offered to all at once, and analysed before the next.
std::unique_ptr<Outcome> Watch(const std::vector<std::vector<StreetFrame>>& streets, AttentionMode attention,
                               int64_t step, const std::shared_ptr<const pipeline::Engine>& engine,
                               int pack_max = 8) {
  auto outcome = std::make_unique<Outcome>();
  WatchOptions options;
  options.pack_max = pack_max;
  options.age_max_s = 60;
  const auto watcher = Watcher::Create(options, outcome.get());
  std::vector<int64_t> cameras;
  for (size_t i = 0; i < streets.size(); ++i) {
    WatchedCamera camera;
    camera.name = std::to_string(i);
    camera.engine = engine;
    camera.attention = attention;
    camera.rate = 0;
    cameras.push_back(watcher->Add(std::move(camera)));
  }
  for (size_t index = 0; index < streets.front().size(); index += static_cast<size_t>(step)) {
    for (size_t i = 0; i < streets.size(); ++i) {
      LiveFrame frame;
      frame.frame = streets[i][index].frame;
      frame.index = static_cast<int64_t>(index);
      frame.stream_s = *frame.frame->time_s;
      frame.arrived = MonotonicClock::now();
      watcher->Offer(cameras[i], frame);
    }
    EXPECT_TRUE(watcher->Drain(60));
  }
  for (const int64_t camera : cameras) {
    const CameraCounts counts = watcher->counts(camera);
    outcome->counts.analysed += counts.analysed;
    outcome->counts.looks_full += counts.looks_full;
    outcome->counts.looks_regions += counts.looks_regions;
    outcome->counts.looks_predicted += counts.looks_predicted;
    outcome->counts.looks_skipped += counts.looks_skipped;
    outcome->counts.cpu_s += counts.cpu_s;
    outcome->counts.failed += counts.failed;
    watcher->Remove(camera);
  }
  EXPECT_EQ(outcome->counts.failed, 0u);
  return outcome;
}

void Print(const char* name, const Outcome& outcome, const evaluate::TrackScores& scores) {
  const CameraCounts& counts = outcome.counts;
  std::printf(
      "%-22s HOTA %.3f IDF1 %.3f; %.2f ms CPU a frame; looks: %llu full, %llu regions, %llu predicted, "
      "%llu skipped\n",
      name, scores.hota, scores.idf1, 1e3 * counts.cpu_s / static_cast<double>(counts.analysed),
      static_cast<unsigned long long>(counts.looks_full),
      static_cast<unsigned long long>(counts.looks_regions),
      static_cast<unsigned long long>(counts.looks_predicted),
      static_cast<unsigned long long>(counts.looks_skipped));
}

// SIGHTLINE_WATCH_SECONDS: longer clips, for figures.
double ClipSeconds() {
  const char* named = std::getenv("SIGHTLINE_WATCH_SECONDS");
  return named != nullptr ? std::atof(named) : 16;
}

TEST(Watch, attention_costs_less_and_tracks_as_well_as_full_looks) {
  const std::vector<std::vector<StreetFrame>> streets = {Record(7, ClipSeconds(), 25),
                                                         Record(21, ClipSeconds(), 25)};
  const auto engine = StreetEngine();
  const auto every = Watch(streets, AttentionMode::kFull, 1, engine);
  const auto full = Watch(streets, AttentionMode::kFull, 5, engine);
  const auto attentive = Watch(streets, AttentionMode::kAuto, 5, engine);
  const auto best = every->Score(streets, 5), plain = full->Score(streets, 5),
             steered = attentive->Score(streets, 5);
  Print("full, every frame", *every, best);
  Print("full, 5 a second", *full, plain);
  Print("auto, 5 a second", *attentive, steered);
  EXPECT_GT(best.hota, 0.2);
  EXPECT_GE(steered.hota, 0.95 * best.hota);
  EXPECT_GE(steered.idf1, 0.95 * best.idf1);
  EXPECT_GE(steered.hota, 0.88 * plain.hota);
  EXPECT_EQ(full->counts.looks_full, full->counts.analysed);
  EXPECT_LT(attentive->counts.looks_full, attentive->counts.analysed / 2);
  EXPECT_LT(attentive->counts.cpu_s, 0.75 * full->counts.cpu_s);
}

TEST(Watch, cameras_share_runs_of_a_model_that_has_one_size) {
  std::vector<std::vector<StreetFrame>> streets;
  for (const uint64_t seed : {3, 7, 12, 21}) streets.push_back(Record(seed, 10, 5));
  const auto engine = StreetEngine(InputSize::kFixed);
  const auto full = Watch(streets, AttentionMode::kFull, 1, engine);
  const auto alone = Watch(streets, AttentionMode::kAuto, 1, engine, 1);
  const auto shared = Watch(streets, AttentionMode::kAuto, 1, engine);
  Print("one size, full", *full, full->Score(streets, 1));
  Print("one size, alone", *alone, alone->Score(streets, 1));
  Print("one size, shared", *shared, shared->Score(streets, 1));
  EXPECT_EQ(alone->counts.looks_regions, 0u) << "a look at regions costs as much as one at the whole";
  EXPECT_GT(shared->counts.looks_regions, shared->counts.analysed / 5);
  EXPECT_LT(shared->counts.cpu_s, 0.9 * alone->counts.cpu_s);
  EXPECT_GE(shared->Score(streets, 1).hota, 0.75 * alone->Score(streets, 1).hota);
}

// A region around each actor and others that it touches, as planners make them.
std::vector<Box> RegionsOf(const StreetFrame& frame) {
  const Size size = frame.frame->source_size;
  std::vector<Box> regions;
  for (const simulate::TrueBox& one : frame.boxes) {
    Box box = {std::floor((one.box.x1 - 24) / 2) * 2, std::floor((one.box.y1 - 24) / 2) * 2,
               std::ceil((one.box.x2 + 24) / 2) * 2, std::ceil((one.box.y2 + 24) / 2) * 2};
    box = sightline::Clip(box, size);
    for (size_t i = 0; i < regions.size();) {
      const Box& other = regions[i];
      if (box.x1 >= other.x2 || other.x1 >= box.x2 || box.y1 >= other.y2 || other.y1 >= box.y2) {
        ++i;
        continue;
      }
      box = {std::min(box.x1, other.x1), std::min(box.y1, other.y1), std::max(box.x2, other.x2),
             std::max(box.y2, other.y2)};
      regions.erase(regions.begin() + static_cast<ptrdiff_t>(i));
      i = 0;
    }
    regions.push_back(box);
  }
  return regions;
}

bool IsInside(const Box& box, const std::vector<Box>& regions) {
  return std::any_of(regions.begin(), regions.end(), [&](const Box& region) {
    return box.x1 > region.x1 + 8 && box.y1 > region.y1 + 8 && box.x2 < region.x2 - 8 &&
           box.y2 < region.y2 - 8;
  });
}

TEST(Watch, regions_of_several_cameras_in_one_run_show_what_whole_frames_show) {
  const auto engine = StreetEngine();
  pipeline::StageTimes times(engine->steps());
  pipeline::StepRunner runner(engine, &times);
  std::vector<std::vector<StreetFrame>> streets;
  for (const uint64_t seed : {3, 7, 12, 21}) streets.push_back(Record(seed, 20, 1));
  PackedLook pack;
  int known = 0, found = 0, packs = 0;
  for (size_t index = 0; index < streets[0].size(); ++index) {
    std::vector<pipeline::FrameResult> whole(streets.size()), packed(streets.size());
    std::vector<std::vector<Box>> regions(streets.size());
    std::vector<size_t> added;
    pack.Begin(*streets[0][index].frame);
    for (size_t i = 0; i < streets.size(); ++i) {
      const StreetFrame& frame = streets[i][index];
      pipeline::FixedPixels pixels(frame.frame);
      whole[i].Clear(2);
      packed[i].Clear(2);
      ASSERT_TRUE(runner.RunUnordered(pixels, &whole[i]).ok());
      regions[i] = RegionsOf(frame);
      if (pack.Add(*frame.frame, regions[i], &packed[i])) added.push_back(i);
    }
    if (added.empty()) continue;
    packs += added.size() > 1 ? 1 : 0;
    ASSERT_TRUE(pack.Run(0, runner, 2).ok());
    for (const size_t i : added) {
      for (const Detection& detection : whole[i].steps[0].detections) {
        if (detection.score < 0.6f || !IsInside(detection.box, regions[i])) continue;
        ++known;
        float best = 0;
        for (const Detection& other : packed[i].steps[0].detections) {
          if (other.class_id == detection.class_id && other.score > 0.3f)
            best = std::max(best, IntersectionOverUnion(detection.box, other.box));
        }
        found += best > 0.7f ? 1 : 0;
      }
    }
  }
  std::printf("%d pictures shared; %d of %d detections found again\n", packs, found, known);
  ASSERT_GE(known, 20);
  EXPECT_GE(packs, 3);
  EXPECT_GE(found, known * 6 / 10) << "the model is touchy about its grid: see kPackedGain";
}

// Not a test of speed: tells what look_cost.cc supposes.
TEST(Watch, a_run_costs_so_much_beside_its_pixels) {
  const auto engine = StreetEngine();
  pipeline::StageTimes times(engine->steps());
  pipeline::StepRunner runner(engine, &times);
  const auto street = Record(7, 1, 1);
  ASSERT_TRUE(runner.CanTakeParts());
  std::vector<std::pair<double, double>> measured;
  for (const float side : {64.f, 128.f, 256.f, 340.f}) {
    const Box box{100, 10, 100 + side, 10 + side};
    double least = 1e9;
    for (int i = 0; i < 20; ++i) {
      pipeline::FrameResult result;
      result.Clear(2);
      pipeline::FixedPixels pixels(street[0].frame);
      const double begin = ThreadCpuSeconds();
      ASSERT_TRUE(runner.RunUnordered(pixels, &result, {false, absl::MakeConstSpan(&box, 1)}).ok());
      least = std::min(least, ThreadCpuSeconds() - begin);
    }
    Box part = box;
    const Size input = engine->step(0).preprocessor->TransformPart({640, 360}, &part).input;
    measured.emplace_back(input.width * input.height, least);
    std::printf("%d x %d: %.3f ms\n", input.width, input.height, 1e3 * least);
  }
  EXPECT_LT(measured.front().second, measured.back().second) << "what a part costs depends on its size";
}

}  // namespace
}  // namespace sightline::cameras
