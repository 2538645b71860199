// sightline simulate: streets that the truth is known about, and faults on any footage.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "absl/cleanup/cleanup.h"
#include "apps/sightline/commands.h"
#include "apps/sightline/fault_command.h"
#include "apps/sightline/progress.h"
#include "apps/sightline/stop_signal.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "simulate/clip/fault_truth.h"
#include "simulate/clip/street_clip.h"
#include "stages/sinks/video_encoder.h"

namespace sightline::app {
namespace {

struct StreetArguments {
  simulate::StreetOptions options;
  std::string size = "640x360", output, raw;
  std::vector<std::string> faults;
  bool no_video = false, quiet = false;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline simulate street: " << message << "\n";
  return code;
}

// Raw I420 frames, one after the other.
class RawOutput {
 public:
  ~RawOutput() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  absl::Status Open(const std::string& path) {
    file_ = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
    return file_ != nullptr ? absl::OkStatus() : ErrnoStatus(errno, fmt::format("cannot write {}", path));
  }
  bool open() const { return file_ != nullptr; }
  absl::Status Write(const Frame& frame) {
    for (int i = 0; i < PlaneCount(frame.format); ++i) {
      const Plane& plane = frame.planes[static_cast<size_t>(i)];
      const Size size = PlaneSize(frame.format, frame.size, i);
      for (int y = 0; y < size.height; ++y) {
        const auto width = static_cast<size_t>(size.width);
        if (std::fwrite(plane.data + static_cast<ptrdiff_t>(y) * plane.stride, 1, width, file_) != width)
          return ErrnoStatus(errno, "cannot write the raw frames");
      }
    }
    return absl::OkStatus();
  }
  absl::Status Finish() {
    return std::fflush(file_) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "cannot write the raw frames");
  }

 private:
  std::FILE* file_ = nullptr;
};

// The clip under way: what is written of it, and where.
class StreetRun {
 public:
  explicit StreetRun(const StreetArguments& arguments) : arguments_(arguments), folder_(arguments.output) {}

  absl::Status Open(const std::vector<simulate::Fault>& faults) {
    simulate::StreetOptions options = arguments_.options;
    options.pixels = !arguments_.no_video || !arguments_.raw.empty();
    options.truth = !arguments_.output.empty();
    ASSIGN_OR_RETURN(std::unique_ptr<simulate::StreetClip> clip, simulate::StreetClip::Create(options));
    clip_ = clip.get();
    source_ = std::move(clip);
    if (!faults.empty())
      source_ = simulate::WithFaults(std::make_unique<Tap>(this, std::move(source_)), faults);
    faulty_ = !faults.empty();
    if (!arguments_.raw.empty()) RETURN_IF_ERROR(raw_.Open(arguments_.raw));
    if (arguments_.output.empty()) return absl::OkStatus();
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) return ErrnoStatus(error.value(), fmt::format("cannot make the folder {}", arguments_.output));
    ASSIGN_OR_RETURN(truth_,
                     simulate::TruthWriter::Create(folder_, clip_->layout(), options.frames_per_second));
    if (!arguments_.no_video) {
      ASSIGN_OR_RETURN(video_, sinks::VideoEncoder::Create(folder_ / "video.mp4", options.size, kComment));
    }
    if (faulty_) return simulate::WriteFaultTruth(folder_ / "faults.jsonl", faults);
    return absl::OkStatus();
  }

  // One frame; OutOfRange at the end.
  absl::Status Step() {
    ASSIGN_OR_RETURN(const SourceFrame next, source_->Next());
    if (!faulty_) RETURN_IF_ERROR(WriteTruth(next));
    if (next.frame == nullptr) return absl::OkStatus();
    if (video_) RETURN_IF_ERROR(video_->WriteFrame(*next.frame));
    return raw_.open() ? raw_.Write(*next.frame) : absl::OkStatus();
  }

  absl::Status Finish() {
    if (video_) RETURN_IF_ERROR(video_->Finish());
    if (raw_.open()) RETURN_IF_ERROR(raw_.Finish());
    if (truth_ == nullptr) return absl::OkStatus();
    events_ = clip_->Events();
    return truth_->Finish(events_);
  }

  const simulate::StreetClip& clip() const { return *clip_; }
  const std::vector<simulate::TrueEvent>& events() const { return events_; }

 private:
  static constexpr std::string_view kComment = "simulated by Sightline";

  // Between the street and its faults: the truth is of what the street gave, also of frames that a fault
  // drops.
  class Tap final : public FrameSource {
   public:
    Tap(StreetRun* run, std::unique_ptr<FrameSource> source) : run_(run), source_(std::move(source)) {}
    const SourceFormat& format() const override { return source_->format(); }
    absl::StatusOr<SourceFrame> Next() override {
      ASSIGN_OR_RETURN(SourceFrame next, source_->Next());
      RETURN_IF_ERROR(run_->WriteTruth(next));
      return next;
    }

   private:
    StreetRun* run_;
    std::unique_ptr<FrameSource> source_;
  };

  absl::Status WriteTruth(const SourceFrame& next) {
    return truth_ ? truth_->WriteFrame(next.index, clip_->scene(), clip_->boxes()) : absl::OkStatus();
  }

  const StreetArguments& arguments_;
  const std::filesystem::path folder_;
  std::unique_ptr<FrameSource> source_;
  simulate::StreetClip* clip_ = nullptr;  // at the bottom of source_
  bool faulty_ = false;
  RawOutput raw_;
  std::unique_ptr<simulate::TruthWriter> truth_;
  std::unique_ptr<sinks::VideoEncoder> video_;
  std::vector<simulate::TrueEvent> events_;
};

void Summarise(const StreetArguments& arguments, const StreetRun& run, int64_t frames, double wall_s) {
  std::cerr << fmt::format("{} frames of {} in {:.1f} s ({:.0f} frames/s)\n", frames, arguments.size, wall_s,
                           static_cast<double>(frames) / std::max(wall_s, 1e-9));
  std::map<std::string_view, int> counts;
  for (const simulate::TrueEvent& event : run.events())
    ++counts[simulate::kEventNames[static_cast<size_t>(event.kind)]];
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) parts.push_back(fmt::format("{} {}", count, name));
  if (!arguments.output.empty()) {
    std::cerr << fmt::format(
        "what happened: {}\n{}: {}gt.txt, events.jsonl, calibration.json, layout.json, ...\n",
        parts.empty() ? "nothing out of the ordinary" : Join(parts, ", "), arguments.output,
        arguments.no_video ? "" : "video.mp4, ");
  }
  for (const std::string& reason : run.clip().left_out()) std::cerr << "left out: " << reason << "\n";
}

int Street(StreetArguments arguments) {
  if (arguments.output.empty() && arguments.raw.empty())
    return Fail(kExitUsage, "say where to: -o DIR, or --raw FILE (- is standard output)");
  absl::StatusOr<Size> size = simulate::ParseSize(arguments.size);
  if (!size.ok()) return Fail(kExitUsage, MessageOf(size.status()));
  arguments.options.size = *size;
  auto faults = ParseFaults(arguments.faults);
  if (!faults.ok()) return Fail(kExitUsage, MessageOf(faults.status()));
  StreetRun run(arguments);
  if (absl::Status status = run.Open(*faults); !status.ok())
    return Fail(absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kExitUsage : kExitNothingDone,
                MessageOf(status));

  const std::atomic<bool>& stop = WatchStopSignals(!arguments.quiet && isatty(STDERR_FILENO) != 0);
  Progress progress(arguments.quiet ? ProgressStyle::kNone : ProgressStyle::kAuto);
  progress.BeginInput(fmt::format("street {}", arguments.options.seed), run.clip().format().frames_estimate);
  const MonotonicTime begin = MonotonicClock::now();
  int64_t frames = 0;
  absl::Status status;
  while (!stop && (status = run.Step()).ok()) {
    ++frames;
    progress.CountFrame();
  }
  if (absl::IsOutOfRange(status)) status = absl::OkStatus();
  if (status.ok()) status = run.Finish();
  progress.CountInput();
  progress.Stop();
  if (!status.ok()) return Fail(kExitNothingDone, MessageOf(status));
  const double wall_s = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  if (!arguments.quiet) Summarise(arguments, run, frames, wall_s);
  return stop ? kExitInterrupted : kExitOk;
}

}  // namespace

absl::StatusOr<std::vector<simulate::Fault>> ParseFaults(const std::vector<std::string>& texts) {
  std::vector<simulate::Fault> faults;
  for (const std::string& text : texts) {
    absl::StatusOr<simulate::Fault> fault = simulate::ParseFault(text);
    if (!fault.ok()) return Annotate(fault.status(), fmt::format("--fault {}", ToValidUtf8(text)));
    faults.push_back(*fault);
  }
  return faults;
}

void AddSimulateCommand(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("simulate", "Streets with known truth, and faults on any footage");
  command->require_subcommand(1);
  auto arguments = std::make_shared<StreetArguments>();
  CLI::App* street =
      command->add_subcommand("street", "A simulated street camera: video and the truth about it");
  street->footer(
      "Examples:\n"
      "  sightline simulate street --seed 7 --seconds 60 -o street7\n"
      "  sightline simulate street --seed 7 --weather night,rain --fault smudge:severity=4,at=20s -o wet\n"
      "  sightline simulate street --raw - | ffplay -f rawvideo -pixel_format yuv420p -video_size 640x360 -\n"
      "As a camera of a pipeline: sightline run PIPELINE 'sim:street?seed=7&weather=rain'");
  simulate::StreetOptions& options = arguments->options;
  street->add_option("--seed", options.seed, "Which street, camera, traffic and events")
      ->type_name("N")
      ->capture_default_str();
  street->add_option("--seconds", options.seconds, "Length")->type_name("S")->capture_default_str();
  street->add_option("--fps", options.frames_per_second, "Frames per second")
      ->type_name("F")
      ->capture_default_str();
  street->add_option("--size", arguments->size, "Picture size")->type_name("WxH")->capture_default_str();
  street
      ->add_option("--scenario", options.scenario, "Scripted events, weather and traffic (default: by seed)")
      ->type_name("FILE");
  street->add_option("--weather", options.weather, "day, dusk, night; rain, fog, clouds; mixed: night,rain")
      ->type_name("WORDS");
  AddFaultOption(*street, &arguments->faults);
  street->add_option("-o,--output", arguments->output, "Folder for video.mp4 and the truth")
      ->type_name("DIR");
  street
      ->add_option("--raw", arguments->raw,
                   "Raw frames (planar YUV 4:2:0, BT.709 limited), to a file or - (a pipe)")
      ->type_name("FILE");
  street->add_flag("--no-video", arguments->no_video, "The truth alone, without pictures");
  street->add_flag("-q,--quiet", arguments->quiet, "No progress and no summary");
  street->callback([arguments, exit_code] { *exit_code = Street(*arguments); });
  AddFaultsCommand(*command, exit_code);
}

}  // namespace sightline::app
