// sightline camera replay: a camera's rules over recorded tracks.
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "apps/sightline/commands.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/node/node_config.h"
#include "cameras/node/scene.h"
#include "evaluate/replay.h"

namespace sightline::app {
namespace {

constexpr uint64_t kConfigBytesMax = 4 << 20;

struct Arguments {
  std::string camera, tracks, output = "-", size, topics, start = "2024-01-01 12:00:00";
  double frames_per_second = 0, rate = 0;
  bool quiet = false;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline camera replay: " << message << "\n";
  return code;
}

absl::StatusOr<Size> SizeFrom(const std::string& text) {
  const auto parts = Split(text, 'x');
  const auto width = parts.size() == 2 ? ParseInteger(parts[0]) : std::nullopt;
  const auto height = parts.size() == 2 ? ParseInteger(parts[1]) : std::nullopt;
  if (!width || !height || *width < 1 || *height < 1 || *width > 65500 || *height > 65500)
    return absl::InvalidArgumentError(fmt::format("--size {}: write WIDTHxHEIGHT", ToValidUtf8(text)));
  return Size{static_cast<int>(*width), static_cast<int>(*height)};
}

// Local time, as schedules are.
absl::StatusOr<WallTime> StartFrom(const std::string& text) {
  std::tm local{};
  const char* end = strptime(text.c_str(), "%Y-%m-%d %H:%M", &local);
  if (end != nullptr && *end == ':') end = strptime(end, ":%S", &local);
  if (end == nullptr || *end != '\0')
    return absl::InvalidArgumentError(
        fmt::format("--start '{}': write \"YYYY-MM-DD HH:MM\", in local time", ToValidUtf8(text)));
  local.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&local));
}

// The picture that the tracks' boxes are of.
absl::StatusOr<Size> PictureOf(const Arguments& arguments, const evaluate::Recording& recording,
                               const cameras::CameraConfig& config) {
  if (!arguments.size.empty()) return SizeFrom(arguments.size);
  if (recording.picture) return *recording.picture;
  if (config.picture)
    return Size{static_cast<int>((*config.picture)[0]), static_cast<int>((*config.picture)[1])};
  return absl::InvalidArgumentError("how large the picture is stands nowhere: say --size WxH");
}

absl::StatusOr<cameras::CameraConfig> ReadCamera(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kConfigBytesMax));
  ASSIGN_OR_RETURN(cameras::CameraConfig config, cameras::ParseCameraConfig(text, file));
  // Beside the camera's file, wherever the program was started.
  const std::filesystem::path calibration = config.calibration_file;
  std::error_code ignored;
  if (!calibration.empty() && calibration.is_relative() && !std::filesystem::exists(calibration, ignored))
    config.calibration_file = (std::filesystem::path(file).parent_path() / calibration).string();
  return config;
}

struct Replayed {
  std::vector<Event> events;
  WallTime start;
  std::optional<double> error_px;  // of the calibration
};

absl::StatusOr<Replayed> Replay(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const cameras::CameraConfig config, ReadCamera(arguments.camera));
  ASSIGN_OR_RETURN(evaluate::Recording recording, evaluate::ReadRecording(arguments.tracks));
  evaluate::ReplayOptions options;
  ASSIGN_OR_RETURN(options.picture, PictureOf(arguments, recording, config));
  ASSIGN_OR_RETURN(options.start, StartFrom(arguments.start));
  options.frames_per_second =
      arguments.frames_per_second > 0 ? arguments.frames_per_second : recording.frames_per_second.value_or(0);
  if (options.frames_per_second <= 0)
    return absl::InvalidArgumentError("how many frames a second there are stands nowhere: say --fps N");
  options.rate = arguments.rate;
  options.frames = recording.frames;
  options.topics = std::move(recording.topics);
  if (!arguments.topics.empty()) {
    ASSIGN_OR_RETURN(options.topics, evaluate::ReadTopics(arguments.topics));
  }
  auto scene = cameras::SceneOf(config, {}, options.picture);
  if (!scene.ok()) return Annotate(scene.status(), arguments.camera);
  ASSIGN_OR_RETURN(const evaluate::DataSet tracks, evaluate::ReadTracks(arguments.tracks));
  Replayed replayed;
  replayed.start = options.start;
  if (scene->geometry.ground) replayed.error_px = scene->geometry.ground->error_px();
  ASSIGN_OR_RETURN(replayed.events, evaluate::ReplayTracks(tracks, scene->rules, options));
  return replayed;
}

int Run(const Arguments& arguments) {
  auto replayed = Replay(arguments);
  if (!replayed.ok()) return Fail(kExitUsage, MessageOf(replayed.status()));
  const std::string lines = evaluate::EventLines(replayed->events, replayed->start);
  if (arguments.output == "-") {
    std::cout << lines << std::flush;
    if (!std::cout) return Fail(kExitNothingDone, "standard output can't be written");
  } else if (absl::Status status = WriteFileAtomically(arguments.output, lines); !status.ok()) {
    return Fail(kExitNothingDone, MessageOf(status));
  }
  if (arguments.quiet) return kExitOk;
  if (replayed->error_px)
    std::cerr << fmt::format("calibration: reprojection error {:.2f} pixels\n", *replayed->error_px);
  std::map<std::string, int> counts;
  for (const Event& event : replayed->events)
    if (event.phase != EventPhase::kEnd) ++counts[event.kind];
  std::vector<std::string> parts;
  for (const auto& [kind, count] : counts) parts.push_back(fmt::format("{} {}", count, kind));
  std::cerr << fmt::format("events: {}\n", parts.empty() ? "none" : Join(parts, ", "));
  return kExitOk;
}

}  // namespace

void AddCameraReplayCommand(CLI::App& camera, int* exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* replay = camera.add_subcommand("replay", "A camera's rules over recorded tracks");
  replay->footer(
      "Examples:\n"
      "  sightline simulate street --seed 7 -o street7\n"
      "  sightline camera replay street7/camera.yaml street7 -o found.jsonl\n"
      "  sightline eval --truth street7 --results found.jsonl --task events --map speed=speeding");
  replay->add_option("camera", arguments->camera, "A camera's configuration")
      ->required()
      ->type_name("CAMERA.yaml");
  replay
      ->add_option(
          "tracks", arguments->tracks,
          "MOTChallenge file or folder (seqinfo.ini, labels.txt and signals.csv beside it are read), "
          "or results of `sightline run` with tracks (.jsonl, .parquet, .csv)")
      ->required()
      ->type_name("TRACKS");
  replay->add_option("-o,--output", arguments->output, "Events as JSON Lines; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  replay
      ->add_option("--fps", arguments->frames_per_second, "Frames a second (default: what seqinfo.ini says)")
      ->check(CLI::Range(0.001, 1000.0))
      ->type_name("N");
  replay->add_option("--rate", arguments->rate, "Analyses a second; 0: every frame")
      ->check(CLI::Range(0.0, 1000.0))
      ->type_name("N")
      ->capture_default_str();
  replay
      ->add_option("--size", arguments->size,
                   "Picture that the boxes are of (default: seqinfo.ini's, then the camera's)")
      ->type_name("WxH");
  replay->add_option("--topics", arguments->topics, "CSV of time_s,topic,value: what topics said")
      ->type_name("FILE");
  replay->add_option("--start", arguments->start, "Local time of the first frame, for schedules")
      ->type_name("\"YYYY-MM-DD HH:MM\"")
      ->capture_default_str();
  replay->add_flag("-q,--quiet", arguments->quiet, "No summary");
  replay->callback([arguments, exit_code] { *exit_code = Run(*arguments); });
}

}  // namespace sightline::app
