// sightline simulate faults: what a broken camera would have shown, from one's own footage.
#include "apps/sightline/fault_command.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "apps/sightline/commands.h"
#include "apps/sightline/progress.h"
#include "apps/sightline/stop_signal.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/run/video_file.h"
#include "simulate/clip/fault_truth.h"
#include "simulate/clip/street_clip.h"
#include "stages/decode/picture_decoder.h"
#include "stages/decode/sniff.h"
#include "stages/ingest/read_input.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/jpeg_encoder.h"
#include "stages/sinks/video_encoder.h"

namespace sightline::app {
namespace {

constexpr std::string_view kComment = "faults by Sightline";

struct FaultArguments {
  std::string input, output;
  std::vector<std::string> faults;
  bool list = false, quiet = false;
  MediaLimits limits;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline simulate faults: " << message << "\n";
  return code;
}

int List() {
  for (int i = 0; i < simulate::kFaultKinds; ++i) {
    const auto kind = static_cast<simulate::FaultKind>(i);
    std::cout << fmt::format("{:<15} {}\n", simulate::Name(kind), simulate::Description(kind));
  }
  return kExitOk;
}

absl::Status FaultPicture(const FaultArguments& arguments, const std::vector<simulate::Fault>& faults,
                          const Bytes& bytes) {
  const auto decoder = decode::PictureDecoder::Create(arguments.limits);
  ASSIGN_OR_RETURN(const decode::PictureHeader header, decoder->ReadHeader(bytes));
  ASSIGN_OR_RETURN(FramePtr picture, decoder->Decode(bytes, header, {}));
  picture = simulate::ApplyToPicture(std::move(picture), faults, std::nullopt);
  sinks::Canvas canvas;
  RETURN_IF_ERROR(canvas.Load(*picture));
  std::vector<uint8_t> encoded;
  RETURN_IF_ERROR(sinks::EncodeJpeg(canvas, kComment, &encoded));
  return WriteFileAtomically(arguments.output,
                             std::string_view(reinterpret_cast<const char*>(encoded.data()), encoded.size()));
}

// Frames written; their count grows while it runs.
absl::Status FaultVideo(const FaultArguments& arguments, std::unique_ptr<FrameSource> source,
                        Progress* progress, const std::atomic<bool>& stop) {
  std::unique_ptr<sinks::VideoEncoder> video;
  while (!stop) {
    absl::StatusOr<SourceFrame> next = source->Next();
    if (absl::IsOutOfRange(next.status())) break;
    RETURN_IF_ERROR(next.status());
    if (video == nullptr) {
      ASSIGN_OR_RETURN(video, sinks::VideoEncoder::Create(arguments.output, next->frame->size, kComment));
    }
    RETURN_IF_ERROR(video->WriteFrame(*next->frame));
    progress->CountFrame();
  }
  if (absl::Status damage = source->Damage(); !damage.ok())
    progress->Message(fmt::format("sightline simulate faults: {}: {}", arguments.input, MessageOf(damage)));
  if (video == nullptr) return absl::InvalidArgumentError(fmt::format("{}: no frame came", arguments.input));
  return video->Finish();
}

absl::Status Run(const FaultArguments& arguments, const std::vector<simulate::Fault>& faults) {
  ASSIGN_OR_RETURN(const auto inputs,
                   ingest::InputList::Create({arguments.input}, {arguments.limits, nullptr}));
  const std::optional<ingest::Input> input = inputs->Next();
  if (!input) return absl::NotFoundError(fmt::format("{}: nothing to read", arguments.input));
  RETURN_IF_ERROR(Annotate(input->status, arguments.input));
  if (inputs->Next()) return absl::InvalidArgumentError("one picture or video at a time");
  const std::filesystem::path output(arguments.output);
  const bool to_video = Lower(output.extension().string()) == ".mp4";
  const bool to_picture =
      Lower(output.extension().string()) == ".jpg" || Lower(output.extension().string()) == ".jpeg";
  if (!to_video && !to_picture)
    return absl::InvalidArgumentError(
        fmt::format("{}: pictures are written as .jpg, videos as .mp4", arguments.output));
  std::error_code ignored;
  if (std::filesystem::equivalent(input->address, output, ignored))
    return absl::InvalidArgumentError("input and output are the same file");

  const std::atomic<bool>& stop = WatchStopSignals(!arguments.quiet && isatty(STDERR_FILENO) != 0);
  if (!ingest::IsStream(*input)) {
    Bytes head;
    RETURN_IF_ERROR(ingest::ReadHead(*input, decode::kSniffBytes, &head));
    if (decode::Sniff(head) != decode::MediaFormat::kVideo) {
      if (to_video)
        return absl::InvalidArgumentError(fmt::format("{} is a picture: give a .jpg output", input->name));
      RETURN_IF_ERROR(ingest::ReadInput(*input, arguments.limits, &head));
      RETURN_IF_ERROR(FaultPicture(arguments, faults, head));
      return simulate::WriteFaultTruth(std::filesystem::path(output).replace_extension(".faults.jsonl"),
                                       faults);
    }
  }
  if (!to_video)
    return absl::InvalidArgumentError(fmt::format("{} is a video: give an .mp4 output", input->name));
  std::unique_ptr<FrameSource> source;
  if (input->kind == ingest::InputKind::kSimulated) {
    ASSIGN_OR_RETURN(source, simulate::OpenStreet(input->address));
  } else {
    ASSIGN_OR_RETURN(source, pipeline::VideoFile::Open(*input, arguments.limits));
  }
  Progress progress(arguments.quiet ? ProgressStyle::kNone : ProgressStyle::kAuto);
  progress.BeginInput(input->name, source->format().frames_estimate);
  RETURN_IF_ERROR(FaultVideo(arguments, simulate::WithFaults(std::move(source), faults), &progress, stop));
  progress.Stop();
  return simulate::WriteFaultTruth(std::filesystem::path(output).replace_extension(".faults.jsonl"), faults);
}

int Faults(const FaultArguments& arguments) {
  if (arguments.list) return List();
  if (arguments.input.empty() || arguments.output.empty())
    return Fail(kExitUsage, "give an input and an output file (and --fault), or --list");
  if (arguments.faults.empty()) return Fail(kExitUsage, "no --fault given; --list names them");
  auto faults = ParseFaults(arguments.faults);
  if (!faults.ok()) return Fail(kExitUsage, MessageOf(faults.status()));
  const absl::Status status = Run(arguments, *faults);
  if (!status.ok())
    return Fail(absl::IsInvalidArgument(status) ? kExitUsage : kExitNothingDone, MessageOf(status));
  return StopRequested() ? kExitInterrupted : kExitOk;
}

}  // namespace

void AddFaultsCommand(CLI::App& simulate, int* exit_code) {
  auto arguments = std::make_shared<FaultArguments>();
  CLI::App* faults =
      simulate.add_subcommand("faults", "Do faults to a picture or video: smudge, defocus, freeze, ...");
  faults->footer(
      "Examples:\n"
      "  sightline simulate faults street.mp4 smudged.mp4 --fault "
      "smudge:severity=3,at=20s,region=lower-left\n"
      "  sightline simulate faults photo.jpg foggy.jpg --fault fog:severity=4\n"
      "The truth (what, when, where) is written beside the output: OUT.faults.jsonl");
  faults->add_option("IN", arguments->input, "A picture, video file, URL, or sim:street?...");
  faults->add_option("OUT", arguments->output, "FILE.mp4 or FILE.jpg");
  AddFaultOption(*faults, &arguments->faults);
  faults->add_flag("--list", arguments->list, "Print the kinds of faults and what their severities mean");
  faults->add_flag("-q,--quiet", arguments->quiet, "No progress");
  faults->callback([arguments, exit_code] { *exit_code = Faults(*arguments); });
}

}  // namespace sightline::app
