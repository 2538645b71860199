// What lies beside recorded tracks: seqinfo.ini (MOTChallenge) and the states of signals.
#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"
#include "evaluate/replay.h"

namespace sightline::evaluate {
namespace {

constexpr size_t kTopicsMax = 1'000'000;

std::filesystem::path FolderOf(const std::filesystem::path& tracks) {
  std::error_code ignored;
  return std::filesystem::is_directory(tracks, ignored) ? tracks : tracks.parent_path();
}

absl::Status ReadSequence(const std::filesystem::path& file, Recording* recording) {
  Size size;
  RETURN_IF_ERROR(ForEachLine(file, [&](int64_t, const std::string& line) -> absl::Status {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) return absl::OkStatus();
    const std::string_view key = Trim(std::string_view(line).substr(0, equals));
    const auto number = ParseNumber(Trim(std::string_view(line).substr(equals + 1)));
    const bool known = key == "frameRate" || key == "seqLength" || key == "imWidth" || key == "imHeight";
    if (!known) return absl::OkStatus();
    if (!number || *number < 0 || *number > 1e9)
      return absl::InvalidArgumentError(fmt::format("{} is no number from 0 on", ToValidUtf8(key)));
    if (key == "frameRate" && *number > 0) recording->frames_per_second = *number;
    if (key == "seqLength") recording->frames = static_cast<int64_t>(*number);
    if (key == "imWidth") size.width = static_cast<int>(*number);
    if (key == "imHeight") size.height = static_cast<int>(*number);
    return absl::OkStatus();
  }));
  if (!size.empty()) recording->picture = size;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TopicChange>> ReadTopics(const std::filesystem::path& file) {
  std::vector<TopicChange> topics;
  bool signals = false;
  RETURN_IF_ERROR(ForEachLine(file, [&](int64_t number, const std::string& line) -> absl::Status {
    std::vector<std::string> cells = Split(line, ',');
    for (std::string& cell : cells) cell = std::string(Trim(cell));
    if (number == 1) {
      signals = cells == std::vector<std::string>{"time_s", "signal", "colour"};
      if (signals || cells == std::vector<std::string>{"time_s", "topic", "value"}) return absl::OkStatus();
      return absl::InvalidArgumentError("the header is time_s,topic,value or time_s,signal,colour");
    }
    const auto time_s = cells.size() == 3 ? ParseNumber(cells[0]) : std::nullopt;
    if (!time_s) return absl::InvalidArgumentError("a line has a time in seconds, a name and a value");
    if (topics.size() >= kTopicsMax)
      return absl::ResourceExhaustedError(fmt::format("more than {} lines", kTopicsMax));
    topics.push_back({*time_s, {signals ? "signal/" + cells[1] : cells[1], cells[2]}});
    return absl::OkStatus();
  }));
  return topics;
}

absl::StatusOr<Recording> ReadRecording(const std::filesystem::path& tracks) {
  Recording recording;
  const std::filesystem::path folder = FolderOf(tracks);
  std::error_code ignored;
  // gt/gt.txt has it one folder up.
  for (const auto& place : {folder, folder.parent_path()}) {
    if (!std::filesystem::exists(place / "seqinfo.ini", ignored)) continue;
    RETURN_IF_ERROR(ReadSequence(place / "seqinfo.ini", &recording));
    break;
  }
  if (std::filesystem::exists(folder / "signals.csv", ignored)) {
    ASSIGN_OR_RETURN(recording.topics, ReadTopics(folder / "signals.csv"));
  }
  return recording;
}

absl::StatusOr<DataSet> ReadTracks(const std::filesystem::path& tracks) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(tracks, ignored);
  const bool challenge = folder || Lower(tracks.extension().string()) == ".txt";
  ReadOptions options;
  ASSIGN_OR_RETURN(DataSet set, challenge ? ReadTruth(tracks, options) : ReadResults(tracks, options));
  if (!set.has_tracks) {
    for (const Picture& picture : set.pictures)
      for (const Annotation& annotation : picture.annotations)
        set.has_tracks |= annotation.track_id.has_value();
  }
  if (!set.has_tracks && !set.pictures.empty())
    return absl::InvalidArgumentError(
        fmt::format("{}: there are no tracks (boxes with identities) in it", tracks.string()));
  // Without names of classes, what is ignored in MOTChallenge are other things than people.
  if (challenge && set.labels == std::vector<std::string>{"person"}) {
    for (Picture& picture : set.pictures)
      std::erase_if(picture.annotations, [](const Annotation& annotation) { return annotation.ignore; });
  }
  return set;
}

}  // namespace sightline::evaluate
