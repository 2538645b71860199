// sightline run: a pipeline, or a single model, on files.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "apps/sightline/commands.h"
#include "apps/sightline/fault_command.h"
#include "apps/sightline/progress.h"
#include "apps/sightline/standard_input.h"
#include "apps/sightline/stop_signal.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/run/executor.h"
#include "pipeline/run/rows.h"
#include "pipeline/spec/pipeline_spec.h"
#include "registry/model_store.h"
#include "simulate/clip/street_clip.h"
#include "stages/sinks/annotate.h"
#include "stages/sinks/result_writer.h"
#include "store/parquet_writer.h"

namespace sightline::app {
namespace {

struct RunArguments {
  std::vector<std::string> words;  // PIPELINE INPUT... or, with --model, INPUT...
  std::string model;
  std::string output = "-";
  std::string annotate;
  std::string models;
  int workers = 0;
  int64_t every = 0;  // 0: not given
  double fps = 0;
  int64_t limit = 0;
  bool timing = false;
  bool quiet = false;
  std::string progress = "auto";
  std::vector<std::string> faults;
  MediaLimits limits;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline run: " << message << "\n";
  return code;
}

absl::StatusOr<std::unique_ptr<sinks::ResultWriter>> OpenWriter(const std::string& output) {
  const std::string extension = Lower(std::filesystem::path(output).extension().string());
  std::error_code ignored;
  const auto type = std::filesystem::status(output, ignored).type();
  const bool device =
      type == std::filesystem::file_type::character || type == std::filesystem::file_type::fifo;
  if (extension.empty() && device) return sinks::CreateJsonLinesWriter(output);  // /dev/stdout
  if (output == "-" || extension == ".jsonl" || extension == ".ndjson")
    return sinks::CreateJsonLinesWriter(output);
  if (extension == ".csv") return sinks::CreateCsvWriter(output);
  if (extension == ".parquet") return store::CreateParquetWriter(output);
  return absl::InvalidArgumentError(
      fmt::format("-o {}: the format is told by the extension: .parquet, .jsonl or .csv", output));
}

// Writes rows, draws, and tells the progress bar.
class RunConsumer final : public pipeline::ResultConsumer {
 public:
  RunConsumer(const std::shared_ptr<const pipeline::Engine>& engine, sinks::ResultWriter* writer,
              sinks::Annotator* annotator, Progress* progress)
      : engine_(engine), rows_(engine), writer_(writer), annotator_(annotator), progress_(progress) {}

  absl::Status OnFrame(const pipeline::InputSummary& input, const pipeline::FrameResult& result) override {
    if (input.video && !begun_) {
      begun_ = true;
      progress_->BeginInput(input.name, input.frames_estimate);
    }
    if (result.status.ok()) {
      progress_->CountFrame();
    } else {
      progress_->CountFailure();
      over_limit_ |= absl::IsResourceExhausted(result.status);
      progress_->Message(fmt::format("sightline run: {}{}: {}", input.name,
                                     result.frame > 0 ? fmt::format(" (frame {})", result.frame) : "",
                                     MessageOf(result.status)));
    }
    RETURN_IF_ERROR(rows_.Write(input, result, writer_));
    if (annotator_ == nullptr || result.pixels == nullptr) return absl::OkStatus();
    const auto marks = pipeline::MakeMarks(*engine_, result);
    if (input.video) return annotator_->WriteVideoFrame(input.name, *result.pixels, marks);
    return annotator_->WritePicture(input.name, result.frame, *result.pixels, marks);
  }

  absl::Status OnInputEnd(const pipeline::InputSummary& input) override {
    progress_->CountInput();
    begun_ = false;
    return annotator_ != nullptr && input.video ? annotator_->FinishVideo(input.name) : absl::OkStatus();
  }

  int64_t rows() const { return rows_.rows(); }
  bool over_limit() const { return over_limit_; }  // some input was

 private:
  std::shared_ptr<const pipeline::Engine> engine_;
  pipeline::RowMaker rows_;
  sinks::ResultWriter* writer_;
  sinks::Annotator* annotator_;
  Progress* progress_;
  bool begun_ = false;
  bool over_limit_ = false;
};

void PrintTiming(const pipeline::Engine& engine, const pipeline::RunReport& report, double wall_s,
                 int workers) {
  const pipeline::StageTimes& times = report.times;
  const auto frames = static_cast<double>(std::max<int64_t>(report.frames, 1));
  double sum = 0;
  std::cerr << fmt::format("{:<28}{:>10}{:>14}{:>14}{:>9}\n", "stage", "calls", "ms per call", "ms per frame",
                           "share");
  for (int i = -1; i < times.steps(); ++i) {
    for (int j = 0; j < pipeline::kStageCount; ++j) sum += times.at(static_cast<pipeline::Stage>(j), i).cpu_s;
  }
  for (int j = 0; j < pipeline::kStageCount; ++j) {
    const auto stage = static_cast<pipeline::Stage>(j);
    for (int i = -1; i < times.steps(); ++i) {
      const pipeline::StageTime& time = times.at(stage, i);
      if (time.calls == 0) continue;
      const std::string name = i < 0 ? pipeline::Name(stage)
                                     : fmt::format("{} ({})", pipeline::Name(stage),
                                                   engine.plan().steps[static_cast<size_t>(i)].id);
      std::cerr << fmt::format("{:<28}{:>10}{:>14.3f}{:>14.3f}{:>8.1f}%\n", name, time.calls,
                               1e3 * time.cpu_s / static_cast<double>(time.calls), 1e3 * time.cpu_s / frames,
                               100 * time.cpu_s / sum);
    }
  }
  std::cerr << fmt::format(
      "{} frames in {:.2f} s: {:.1f} frames/s with {} workers; {:.3f} ms of CPU per frame, {:.2f} of "
      "the bound workers / CPU time\n",
      report.frames, wall_s, frames / wall_s, workers, 1e3 * sum / frames,
      frames / wall_s / (workers / (sum / frames)));
}

absl::StatusOr<pipeline::Plan> LoadPlan(RunArguments& arguments, const registry::ModelStore& store) {
  if (!arguments.model.empty()) return pipeline::PlanForModel(arguments.model, store);
  if (arguments.words.empty()) return absl::InvalidArgumentError("no pipeline given (or --model NAME)");
  const std::string file = arguments.words.front();
  arguments.words.erase(arguments.words.begin());
  auto plan = pipeline::LoadPipeline(file, store);
  const std::string extension = Lower(std::filesystem::path(file).extension().string());
  if (plan.ok() || extension == ".yaml" || extension == ".yml") return plan;
  return absl::InvalidArgumentError(
      fmt::format("{} ({} is taken for the pipeline; to run one model without any, give --model NAME)",
                  MessageOf(plan.status()), file));
}

// Counts the inputs in the background, for the remaining time.
std::jthread CountInBackground(std::vector<std::string> words, const ingest::InputListOptions& options,
                               Progress* progress) {
  return std::jthread([words = std::move(words), options, progress](const std::stop_token& stop) {
    const auto cancelled = [&] { return stop.stop_requested() || StopRequested(); };
    progress->SetInputsTotal(ingest::CountInputs(words, options, cancelled));
  });
}

int Run(RunArguments arguments) {
  if (arguments.workers == 0)
    arguments.workers = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (arguments.every > 0 && arguments.fps > 0)
    return Fail(kExitUsage, "--every and --fps exclude each other");
  auto faults = ParseFaults(arguments.faults);
  if (!faults.ok()) return Fail(kExitUsage, MessageOf(faults.status()));
  const registry::ModelStore store(registry::ModelRoots(arguments.models));
  absl::StatusOr<pipeline::Plan> plan = LoadPlan(arguments, store);
  if (!plan.ok()) return Fail(kExitUsage, MessageOf(plan.status()));

  StoppableInput standard_input(&StopRequested());
  std::istream listed(&standard_input);
  ingest::InputListOptions list_options{arguments.limits, &listed};
  auto inputs = ingest::InputList::Create(arguments.words, list_options);
  if (!inputs.ok()) return Fail(kExitUsage, MessageOf(inputs.status()));

  auto engine = pipeline::Engine::Create(*std::move(plan), {});
  if (!engine.ok()) return Fail(kExitUsage, MessageOf(engine.status()));
  auto writer = OpenWriter(arguments.output);
  if (!writer.ok()) {
    return Fail(absl::IsInvalidArgument(writer.status()) ? kExitUsage : kExitNothingDone,
                MessageOf(writer.status()));
  }
  std::unique_ptr<sinks::Annotator> annotator;
  if (!arguments.annotate.empty()) {
    auto created = sinks::Annotator::Create(arguments.annotate);
    if (!created.ok()) return Fail(kExitNothingDone, MessageOf(created.status()));
    annotator = *std::move(created);
  }

  WatchStopSignals(!arguments.quiet && isatty(STDERR_FILENO) != 0);
  static const std::map<std::string, ProgressStyle> kStyles = {{"auto", ProgressStyle::kAuto},
                                                               {"bar", ProgressStyle::kBar},
                                                               {"lines", ProgressStyle::kLines},
                                                               {"none", ProgressStyle::kNone}};
  Progress progress(arguments.quiet ? ProgressStyle::kNone : kStyles.at(arguments.progress));
  pipeline::RunOptions options;
  options.workers = arguments.workers;
  options.sampling.every = std::max<int64_t>(arguments.every, 1);
  options.animations = arguments.every > 0 || arguments.fps > 0;
  if (arguments.fps > 0) options.sampling.frames_per_second = arguments.fps;
  options.limit = arguments.limit;
  options.keep_pixels = annotator != nullptr;
  options.limits = arguments.limits;
  options.open_simulated = [](const ingest::Input& input) { return simulate::OpenStreet(input.address); };
  if (!faults->empty()) {
    options.wrap_source = [&faults](std::unique_ptr<FrameSource> source) {
      return simulate::WithFaults(std::move(source), *faults);
    };
    options.alter_picture = [&faults](FramePtr picture) {
      return simulate::ApplyToPicture(std::move(picture), *faults, std::nullopt);
    };
  }
  RunConsumer consumer(*engine, writer->get(), annotator.get(), &progress);
  absl::StatusOr<pipeline::RunReport> report;
  const MonotonicTime begin = MonotonicClock::now();
  {
    const std::jthread counter = CountInBackground(arguments.words, list_options, &progress);
    report = pipeline::RunInputs(*engine, inputs->get(), options, &consumer, &StopRequested());
  }
  const double wall_s = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  progress.Stop();
  if (!report.ok()) return Fail(kExitNothingDone, MessageOf(report.status()));
  const absl::Status finished = (*writer)->Finish();
  if (!finished.ok()) return Fail(kExitNothingDone, MessageOf(finished));
  if (arguments.timing) PrintTiming(**engine, *report, wall_s, arguments.workers);
  if (!arguments.quiet && arguments.output != "-") {
    std::cerr << fmt::format("{} row{} in {}\n", consumer.rows(), consumer.rows() == 1 ? "" : "s",
                             arguments.output);
  }
  if (report->stopped) {
    std::cerr << fmt::format("stopped; results of {} frames are kept\n", report->frames);
    return kExitInterrupted;
  }
  if (report->inputs == 0) return Fail(kExitNothingDone, "there are no inputs");
  if (consumer.over_limit()) {
    std::cerr << "sightline run: limits that can be raised: --max-pixels, --max-bytes, "
                 "--max-pages, "
                 "--max-scans, --max-download\n";
  }
  if (report->inputs_failed > 0) {
    std::cerr << fmt::format("sightline run: {} of {} inputs failed\n", report->inputs_failed,
                             report->inputs);
    return report->frames == 0 ? kExitNothingDone : kExitSomeFailed;
  }
  return kExitOk;
}

}  // namespace

void AddRunCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<RunArguments>();
  const CLI::Validator above_zero(
      [](const std::string& text) {
        const auto number = ParseInteger(text);
        return number && *number > 0 ? std::string()
                                     : fmt::format("{} is no whole number above 0", ToValidUtf8(text));
      },
      "");
  CLI::App* run = app.add_subcommand("run", "Run a pipeline, or a single model, on pictures and videos");
  run->footer(
      "Examples:\n"
      "  sightline run people.yaml photos/ -o people.parquet        a pipeline on a folder\n"
      "  sightline run --model yolox_nano street.mp4 --fps 5        one model on a video, results on "
      "standard output\n"
      "  find /data -name '*.tif' | sightline run --model m - -o r.csv --annotate drawn/");
  run->add_option(
         "arguments", arguments->words,
         "PIPELINE.yaml (unless --model is given), then inputs in any mix: picture and video files, folders "
         "(recursive), globs, @list.txt, - for a list on standard input, http(s) and rtsp(s) URLs, "
         "sim:street?seed=N (a simulated camera)")
      ->type_name("");
  run->add_option("--model", arguments->model, "Run this one model; no pipeline file is needed")
      ->type_name("NAME");
  run->add_option("-o,--output", arguments->output,
                  "Results: FILE.parquet, FILE.jsonl or FILE.csv; - is JSON Lines on standard output")
      ->type_name("FILE")
      ->capture_default_str();
  run->add_option("--annotate", arguments->annotate,
                  "Write pictures and videos with the results drawn in, here")
      ->type_name("DIR");
  AddModelsOption(*run, &arguments->models);
  run->add_option("--workers", arguments->workers, "Worker threads (default: one per core)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  run->add_option("--every", arguments->every, "Of videos and animations, analyse every Nth frame")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}))
      ->type_name("N");
  run->add_option("--fps", arguments->fps, "Of videos, analyse so many frames per second of video time")
      ->check(CLI::Range(0.001, 1000.0))
      ->type_name("F");
  run->add_option("--limit", arguments->limit, "Stop after N frames (a picture is one)")
      ->check(above_zero)
      ->type_name("N");
  AddFaultOption(*run, &arguments->faults);
  run->add_flag("--timing", arguments->timing, "Print where the CPU time went, per stage");
  run->add_flag("-q,--quiet", arguments->quiet, "No progress and no summary");
  run->add_option("--progress", arguments->progress, "auto, bar, lines or none")
      ->check(CLI::IsMember({"auto", "bar", "lines", "none"}))
      ->type_name("STYLE");
  CLI::Option_group* limits = run->add_option_group("Limits", "What an input may ask for; more is refused");
  limits->add_option("--max-pixels", arguments->limits.pixels_max, "Pixels of one picture or video frame")
      ->check(above_zero)
      ->type_name("N")
      ->capture_default_str();
  limits->add_option("--max-bytes", arguments->limits.bytes_max, "Bytes of one encoded picture")
      ->check(above_zero)
      ->type_name("N")
      ->capture_default_str();
  limits->add_option("--max-pages", arguments->limits.pages_max, "Pages or frames of one picture file")
      ->check(above_zero)
      ->type_name("N")
      ->capture_default_str();
  limits->add_option("--max-scans", arguments->limits.scans_max, "Scans of one progressive JPEG")
      ->check(above_zero)
      ->type_name("N")
      ->capture_default_str();
  limits->add_option("--max-download", arguments->limits.download_bytes_max, "Bytes of one URL")
      ->check(above_zero)
      ->type_name("N")
      ->capture_default_str();
  run->callback([arguments, exit_code] { *exit_code = Run(std::move(*arguments)); });
}

}  // namespace sightline::app
