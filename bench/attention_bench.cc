// What looking only where it pays costs and loses: the same clip analysed in several ways, frame by frame, in
// one thread and with no clock, so that only cost varies from run to run.
//
// usage: attention_bench [--models DIR] [--model NAME | --pipeline FILE] [--seeds 101,102] [--weather
// night,rain]...
//                        [--street FOLDER]... [--video FILE]... [--seconds 20] [--rate 5] [--min-score 0.1]
//                        [--json FILE] [--set KEY=VALUE]...
// Simulated clips (by seed, or the folders that `sightline simulate street` wrote) are compared with their
// truth, videos with what the tracker makes of every frame. Models: the repository's by default. Of a
// pipeline the first step (the detector) and what its tracker is set to count.
#include <time.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/check.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/metrics.h"
#include "evaluate/read.h"
#include "nlohmann/json.hpp"
#include "pipeline/run/step_runner.h"
#include "pipeline/run/video_file.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "simulate/clip/street_clip.h"
#include "stages/attention/attention.h"
#include "stages/track/tracker.h"

namespace sightline {
namespace {

struct Settings {
  std::string models = "models", model = "street_detector", pipeline, json;
  std::vector<std::string> seeds, weathers, streets, videos, sets;
  double seconds = 20, rate = 5;
  std::optional<float> min_score;
  float whole = 0;  // 1: what lies in a region is taken from a look at the whole (what parts lose)
  track::TrackerOptions tracker;
  attention::PlannerOptions planner;
};

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// One way to analyse a camera, and what came of it.
struct Way {
  std::string name;
  double rate = 0;  // analyses a second; 0: each frame
  bool attentive = false;

  std::unique_ptr<track::Tracker> tracker;
  std::unique_ptr<attention::MotionDetector> motion;
  std::unique_ptr<attention::Planner> planner;
  std::vector<track::TrackState> states;
  std::vector<attention::TrackedBox> boxes;
  std::vector<Detection> detections;
  double due_s = 0;

  evaluate::DataSet results;
  std::array<int64_t, 4> looks{};  // by LookKind
  int64_t runs = 0;                // of the model
  double area = 0;                 // looked at, in pictures
  double cpu_s = 0, deciding_s = 0;
  std::vector<double> clip_cpu_s;

  void Begin(const Settings& settings, Size model_input) {
    attention::PlannerOptions options = settings.planner;
    options.model_input = model_input;
    tracker = track::Tracker::Create(settings.tracker);
    motion = attention::MotionDetector::Create();
    planner = attention::Planner::Create(options);
    due_s = 0;
  }
};

// A detector's full look at the frame at hand, shared by all ways that ask for it, and charged to each.
class FullLook {
 public:
  explicit FullLook(pipeline::StepRunner* runner) : runner_(runner) {}
  void Next() { is_known_ = false; }
  const pipeline::FrameResult& Get(const FramePtr& frame, double* cost_s) {
    if (!is_known_) {
      const double begin = CpuSeconds();
      pipeline::FixedPixels pixels(frame);
      result_.Clear(1);
      const absl::Status status = runner_->RunUnordered(pixels, &result_);
      CHECK(status.ok()) << status;
      cost_s_ = CpuSeconds() - begin;
      is_known_ = true;
    }
    *cost_s += cost_s_;
    return result_;
  }

 private:
  pipeline::StepRunner* runner_;
  pipeline::FrameResult result_;
  bool is_known_ = false;
  double cost_s_ = 0;
};

class Bench {
 public:
  Bench(std::shared_ptr<const pipeline::Engine> engine, const Settings& settings)
      : settings_(settings),
        engine_(engine),
        times_(1),
        runner_(std::move(engine), &times_),
        full_(&runner_),
        labels_(engine_->step(0).card.head.labels) {
    for (const auto& [name, rate, attentive] : {std::tuple{"every frame", 0.0, false},
                                                {"full", settings.rate, false},
                                                {"auto", settings.rate, true},
                                                {"auto, each", 0.0, true}}) {
      Way& way = ways_.emplace_back();
      way.name = rate > 0 ? fmt::format("{}, {:g} a s", name, rate) : name;
      way.rate = rate;
      way.attentive = attentive;
      way.results.has_tracks = way.results.has_detections = true;
    }
    truth_.has_tracks = truth_.has_detections = true;
    truth_.labels = labels_;
  }

  // Truth: the clip's own where there is one, else what AddTruth was given, else what is made of every frame.
  void Play(const std::string& name, FrameSource* source, simulate::StreetClip* clip, bool has_truth) {
    const InputCard& card = engine_->step(0).card.input;
    for (Way& way : ways_)
      way.Begin(settings_, {card.width, card.height}), way.clip_cpu_s.push_back(way.cpu_s);
    double last_s = 0;
    for (int64_t index = 0; last_s < settings_.seconds; ++index) {
      const auto frame = source->Next();
      if (!frame.ok()) break;
      const double time_s = last_s = frame->frame->time_s.value_or(static_cast<double>(index) / 25);
      full_.Next();
      if (clip != nullptr) AddTruth(name, index, clip->boxes());
      for (Way& way : ways_) {
        if (way.rate > 0 && time_s < way.due_s - 1e-6) continue;
        if (way.rate > 0) way.due_s = std::max(way.due_s + 1 / way.rate, time_s);
        evaluate::Picture& picture = way.results.pictures.emplace_back();
        picture.source = name;
        picture.frame = index;
        way.attentive ? Attend(frame->frame, time_s, &way) : Detect(frame->frame, time_s, &way);
        Give(time_s, frame->frame->source_size, &way, &picture);
      }
    }
    for (Way& way : ways_) way.clip_cpu_s.back() = way.cpu_s - way.clip_cpu_s.back();
    seconds_ += last_s;
    if (!has_truth) AddReference(name);
  }

  void AddTruth(const std::string& name, const evaluate::DataSet& truth) {
    for (const evaluate::Picture& picture : truth.pictures) {
      truth_.pictures.push_back(picture);
      truth_.pictures.back().source = name;
    }
  }

  nlohmann::json Report() const {
    std::printf("%-16s %6s %6s %6s %6s %6s | %6s %6s | %5s %5s %5s %5s | %7s %6s %7s %6s %6s\n", "", "HOTA",
                "DetA", "AssA", "IDF1", "switch", "HOTA %", "IDF1 %", "full", "part", "pred", "skip",
                "runs/s", "area/s", "ms/s", "decide", "ratio");
    nlohmann::json all;
    for (const Way& way : ways_) {
      const auto every = Score(ways_[0], way), own = Score(way, way);
      const double sum = static_cast<double>(
          std::max<int64_t>(1, way.looks[0] + way.looks[1] + way.looks[2] + way.looks[3]));
      const auto share = [&](int i) {
        return 100 * static_cast<double>(way.looks[static_cast<size_t>(i)]) / sum;
      };
      const double hota = 100 * own.hota / std::max(1e-9, every.hota),
                   idf1 = 100 * own.idf1 / std::max(1e-9, every.idf1);
      const double ratio = ways_[0].cpu_s / std::max(1e-9, way.cpu_s);
      std::printf(
          "%-16s %6.3f %6.3f %6.3f %6.3f %6lld | %6.1f %6.1f | %5.1f %5.1f %5.1f %5.1f | %7.2f %6.2f %7.1f "
          "%6.1f %6.2f\n",
          way.name.c_str(), own.hota, own.deta, own.assa, own.idf1,
          static_cast<long long>(own.counts.switches), hota, idf1, share(0), share(1), share(2), share(3),
          static_cast<double>(way.runs) / seconds_, way.area / seconds_, 1e3 * way.cpu_s / seconds_,
          1e3 * way.deciding_s / seconds_, ratio);
      all[way.name] = {{"hota", own.hota},
                       {"idf1", own.idf1},
                       {"hota_of_every_frame", hota / 100},
                       {"idf1_of_every_frame", idf1 / 100},
                       {"runs_per_s", static_cast<double>(way.runs) / seconds_},
                       {"cpu_ms_per_s", 1e3 * way.cpu_s / seconds_},
                       {"ratio", ratio}};
    }
    return all;
  }

  void ReportClasses() const {
    for (const Way& way : ways_) {
      const auto paired = Pairs(way, way);
      std::printf("%-16s", way.name.c_str());
      for (const auto& scores : evaluate::EvaluateTracks(paired, labels_, 0.5).classes) {
        if (scores.counts.truths > 0)
          std::printf("  %s %.3f/%.3f (%lld)", scores.label.c_str(), scores.hota, scores.idf1,
                      static_cast<long long>(scores.counts.truths));
      }
      std::printf("\n");
    }
  }

 private:
  void Detect(const FramePtr& frame, double time_s, Way* way) {
    const pipeline::FrameResult& found = full_.Get(frame, &way->cpu_s);
    ++way->runs;
    ++way->looks[0];
    way->area += 1;
    const double begin = CpuSeconds();
    way->detections = found.steps[0].detections;
    way->tracker->Update(time_s, absl::MakeSpan(way->detections), {});
    way->cpu_s += CpuSeconds() - begin;
  }

  void Attend(const FramePtr& frame, double time_s, Way* way) {
    double begin = CpuSeconds();
    const attention::Motion& motion = way->motion->Update(*frame, time_s);
    way->tracker->Predict(time_s, &way->states);
    way->boxes.clear();
    for (const track::TrackState& state : way->states) {
      way->boxes.push_back(
          {state.id, state.box, state.speed_px_s, state.looked_s, state.confirmed, state.misses});
    }
    const attention::Look& look = way->planner->Plan(motion, way->boxes, frame->source_size, time_s);
    way->deciding_s += CpuSeconds() - begin;
    way->cpu_s += CpuSeconds() - begin;
    ++way->looks[static_cast<size_t>(look.kind)];
    track::Looked looked{false, look.regions};
    way->detections.clear();
    if (look.kind == attention::LookKind::kFull) {
      way->detections = full_.Get(frame, &way->cpu_s).steps[0].detections;
      looked = {};
      ++way->runs;
      way->area += 1;
    } else if (look.kind == attention::LookKind::kRegions) {
      begin = CpuSeconds();
      pipeline::FixedPixels pixels(frame);
      part_.Clear(1);
      const absl::Status status = runner_.RunUnordered(pixels, &part_, looked);
      CHECK(status.ok()) << status;
      way->detections = part_.steps[0].detections;
      if (settings_.whole > 0) TakeFromWhole(frame, look.regions, way);
      way->cpu_s += CpuSeconds() - begin;
      way->runs += static_cast<int64_t>(look.regions.size());
      for (const Box& region : look.regions) way->area += region.area() / WholeBox(frame->source_size).area();
    }
    begin = CpuSeconds();
    way->tracker->UpdatePart(time_s, absl::MakeSpan(way->detections), {}, looked);
    way->cpu_s += CpuSeconds() - begin;
  }

  void TakeFromWhole(const FramePtr& frame, absl::Span<const Box> regions, Way* way) {
    double nothing = 0;
    way->detections = full_.Get(frame, &nothing).steps[0].detections;
    std::erase_if(way->detections, [&](const Detection& d) {
      const float x = (d.box.x1 + d.box.x2) / 2, y = (d.box.y1 + d.box.y2) / 2;
      return std::none_of(regions.begin(), regions.end(),
                          [&](const Box& r) { return x > r.x1 && x < r.x2 && y > r.y1 && y < r.y2; });
    });
  }

  // What a consumer gets: what was seen, and predictions where nobody looked.
  void Give(double time_s, Size size, Way* way, evaluate::Picture* picture) {
    const auto add = [&](const Box& box, int class_id, float score, int64_t id) {
      evaluate::Annotation& annotation = picture->annotations.emplace_back();
      annotation.box = box;
      annotation.label = labels_[static_cast<size_t>(class_id)];
      annotation.score = score;
      annotation.track_id = id;
    };
    for (const Detection& detection : way->detections) {
      if (detection.track_id >= 1)
        add(detection.box, detection.class_id, detection.score, detection.track_id);
    }
    way->tracker->Predict(time_s, &way->states);
    for (const track::TrackState& state : way->states) {
      if (!state.held() || state.seen_s >= time_s) continue;
      const Box box = Clip(state.box, size);
      if (box.area() > 0.3f * state.box.area()) add(box, state.class_id, state.score, state.id);
    }
  }

  void AddTruth(const std::string& name, int64_t index, const std::vector<simulate::TrueBox>& boxes) {
    evaluate::Picture& picture = truth_.pictures.emplace_back();
    picture.source = name;
    picture.frame = index;
    for (const simulate::TrueBox& box : boxes) {
      evaluate::Annotation& annotation = picture.annotations.emplace_back();
      annotation.box = box.box;
      annotation.label = std::string(simulate::kActorLabels[static_cast<size_t>(box.kind)]);
      annotation.track_id = box.id;
      annotation.ignore = !box.measured;
    }
  }

  void AddReference(const std::string& name) {
    for (const evaluate::Picture& picture : ways_[0].results.pictures) {
      if (picture.source == name) truth_.pictures.push_back(picture);
    }
  }

  // Of those of a way's results that lie at frames which `times` has.
  evaluate::Paired Pairs(const Way& way, const Way& times) const {
    std::map<std::pair<std::string, int64_t>, evaluate::Pair> table;
    for (const evaluate::Picture& picture : times.results.pictures) table[{picture.source, picture.frame}];
    const auto fill = [&](const std::vector<evaluate::Picture>& pictures,
                          const evaluate::Picture* evaluate::Pair::*side) {
      for (const evaluate::Picture& picture : pictures) {
        const auto found = table.find({picture.source, picture.frame});
        if (found != table.end()) found->second.*side = &picture;
      }
    };
    fill(truth_.pictures, &evaluate::Pair::truth);
    fill(way.results.pictures, &evaluate::Pair::results);
    evaluate::Paired paired;
    for (const auto& entry : table) paired.pairs.push_back(entry.second);
    return paired;
  }

  evaluate::TrackScores Score(const Way& way, const Way& times) const {
    return evaluate::EvaluateTracks(Pairs(way, times), labels_, 0.5).combined;
  }

  const Settings settings_;
  std::shared_ptr<const pipeline::Engine> engine_;
  pipeline::StageTimes times_;
  pipeline::StepRunner runner_;
  FullLook full_;
  std::vector<std::string> labels_;
  std::vector<Way> ways_;
  evaluate::DataSet truth_;
  pipeline::FrameResult part_;
  double seconds_ = 0;
};

// What to detect with; the tracker's settings go into `settings`.
absl::StatusOr<std::shared_ptr<const pipeline::Engine>> Detector(Settings* settings) {
  const registry::ModelStore store({settings->models});
  pipeline::Plan plan;
  if (settings->pipeline.empty()) {
    ASSIGN_OR_RETURN(plan, pipeline::PlanForModel(settings->model, store));
    plan.steps[0].head.min_score = settings->min_score.value_or(0.1f);
  } else {
    ASSIGN_OR_RETURN(plan, pipeline::LoadPipeline(settings->pipeline, store));
    for (const pipeline::Step& step : plan.steps) {
      if (step.kind == pipeline::StepKind::kTrack) settings->tracker = step.tracker;
    }
    if (settings->min_score) plan.steps[0].head.min_score = *settings->min_score;
  }
  plan.steps.resize(1);
  return pipeline::Engine::Create(std::move(plan), {});
}

absl::Status Run(const std::shared_ptr<const pipeline::Engine>& engine, const Settings& settings) {
  const bool is_simulated = settings.videos.empty() && settings.streets.empty();
  nlohmann::json scores;
  for (const std::string& weather :
       is_simulated ? settings.weathers
                    : std::vector<std::string>{settings.streets.empty() ? "videos" : "streets"}) {
    Bench bench(engine, settings);
    if (is_simulated) {
      for (const std::string& seed : settings.seeds) {
        simulate::StreetOptions options;
        options.seed = static_cast<uint64_t>(ParseInteger(seed).value_or(1));
        options.seconds = settings.seconds;
        options.weather = weather;
        ASSIGN_OR_RETURN(const auto clip, simulate::StreetClip::Create(options));
        bench.Play(fmt::format("{}-{}", weather, seed), clip.get(), clip.get(), true);
      }
    }
    const auto play = [&](const std::filesystem::path& name, const std::string& file,
                          bool has_truth) -> absl::Status {
      ASSIGN_OR_RETURN(const auto video,
                       pipeline::VideoFile::Open({file, file, ingest::InputKind::kFile, {}}, {}));
      bench.Play(name.filename().string(), video.get(), nullptr, has_truth);
      return absl::OkStatus();
    };
    for (const std::filesystem::path folder : settings.streets) {
      ASSIGN_OR_RETURN(const evaluate::DataSet truth, evaluate::ReadTruth(folder, {}));
      bench.AddTruth(folder.filename().string(), truth);
      RETURN_IF_ERROR(play(folder, folder / "video.mp4", true));
    }
    for (const std::string& file : settings.videos) RETURN_IF_ERROR(play(file, file, false));
    std::printf("\n%s\n", weather.c_str());
    scores[weather] = bench.Report();
    bench.ReportClasses();
    std::fflush(stdout);
  }
  if (!settings.json.empty()) std::ofstream(settings.json) << scores.dump(1) << "\n";
  return absl::OkStatus();
}

absl::Status Set(std::string_view word, Settings* settings) {
  const std::optional<double> value = ParseNumber(word.substr(std::min(word.size(), word.find('=') + 1)));
  const std::map<std::string_view, double*> numbers = {{"full_s", &settings->planner.full_s},
                                                       {"track_s", &settings->planner.track_s},
                                                       {"lost_s_max", &settings->tracker.lost_s_max}};
  const std::map<std::string_view, float*> floats = {
      {"full_share", &settings->planner.full_share}, {"high_score", &settings->tracker.high_score},
      {"low_score", &settings->tracker.low_score},   {"match_iou", &settings->tracker.match_iou},
      {"context", &settings->planner.context},       {"whole", &settings->whole}};
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos || !value) {
    return absl::InvalidArgumentError(fmt::format("--set takes KEY=NUMBER, not '{}'", word));
  }
  if (word == "alike=0") {
    settings->tracker.alike.clear();
  } else if (const auto number = numbers.find(word.substr(0, equals)); number != numbers.end()) {
    *number->second = *value;
  } else if (const auto small = floats.find(word.substr(0, equals)); small != floats.end()) {
    *small->second = static_cast<float>(*value);
  } else {
    return absl::InvalidArgumentError(fmt::format("--set knows no '{}'", word));
  }
  return absl::OkStatus();
}

absl::StatusOr<Settings> Parse(absl::Span<char*> words) {
  Settings settings;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string_view key = words[i], value = words[i + 1];
    if (key == "--models") {
      settings.models = value;
    } else if (key == "--model") {
      settings.model = value;
    } else if (key == "--json") {
      settings.json = value;
    } else if (key == "--seeds") {
      settings.seeds = Split(value, ',');
    } else if (key == "--weather") {
      settings.weathers.emplace_back(value);
    } else if (key == "--pipeline") {
      settings.pipeline = value;
    } else if (key == "--street") {
      settings.streets.emplace_back(value);
    } else if (key == "--video") {
      settings.videos.emplace_back(value);
    } else if (key == "--set") {
      settings.sets.emplace_back(value);  // what they set is known when the pipeline was read
    } else if (key == "--min-score") {
      const auto score = ParseNumber(value);
      if (score) settings.min_score = static_cast<float>(*score);
    } else if (key == "--seconds") {
      settings.seconds = ParseNumber(value).value_or(20);
    } else if (key == "--rate") {
      settings.rate = ParseNumber(value).value_or(5);
    } else {
      return absl::InvalidArgumentError(fmt::format("what is '{} {}'?", key, value));
    }
  }
  if (settings.weathers.empty()) settings.weathers.emplace_back("day");
  if (words.size() % 2 != 0 ||
      (settings.seeds.empty() && settings.videos.empty() && settings.streets.empty())) {
    return absl::InvalidArgumentError("give --seeds 101,102, --street FOLDER or --video FILE");
  }
  return settings;
}

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) {
  using sightline::MessageOf;
  const auto run = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(sightline::Settings settings,
                     sightline::Parse(absl::MakeSpan(argv + 1, static_cast<size_t>(argc - 1))));
    ASSIGN_OR_RETURN(const auto engine, sightline::Detector(&settings));
    for (const std::string& word : settings.sets) RETURN_IF_ERROR(sightline::Set(word, &settings));
    return sightline::Run(engine, settings);
  };
  const absl::Status status = run();
  if (!status.ok()) std::fprintf(stderr, "attention_bench: %s\n", std::string(MessageOf(status)).c_str());
  return status.ok() ? 0 : 1;
}
