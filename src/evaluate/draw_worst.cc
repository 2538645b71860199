#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/report.h"
#include "pipeline/run/video_file.h"
#include "stages/decode/picture_decoder.h"
#include "stages/decode/sniff.h"
#include "stages/ingest/input_list.h"
#include "stages/ingest/read_input.h"
#include "stages/sinks/annotate/drawing.h"
#include "stages/sinks/annotate/jpeg_encoder.h"

namespace sightline::evaluate {
namespace {

absl::StatusOr<std::string> Draw(const Frame& frame, const Mistake& mistake) {
  sinks::Canvas canvas;
  RETURN_IF_ERROR(canvas.Load(frame));
  Detection detection;
  if (mistake.annotation.box) detection.box = *mistake.annotation.box;
  sinks::Mark mark;
  mark.detection = &detection;
  mark.label = mistake.annotation.label;
  mark.color_key = static_cast<int>(mistake.kind);
  sinks::DrawMarks({mark}, {}, &canvas);
  std::vector<uint8_t> bytes;
  RETURN_IF_ERROR(sinks::EncodeJpeg(canvas, "", &bytes));
  return std::string(bytes.begin(), bytes.end());
}

absl::Status DrawFromVideo(const ingest::Input& input, const std::vector<Mistake>& worst,
                           const MediaLimits& limits, std::vector<std::string>* jpegs) {
  std::multimap<int64_t, size_t> wanted;
  for (size_t i = 0; i < worst.size(); ++i) wanted.emplace(worst[i].frame, i);
  ASSIGN_OR_RETURN(const auto video, pipeline::VideoFile::Open(input, limits));
  while (!wanted.empty()) {
    const absl::StatusOr<SourceFrame> next = video->Next();
    if (!next.ok()) break;
    const auto [begin, end] = wanted.equal_range(next->index);
    for (auto at = begin; at != end; ++at) {
      ASSIGN_OR_RETURN((*jpegs)[at->second], Draw(*next->frame, worst[at->second]));
    }
    wanted.erase(begin, end);
  }
  return absl::OkStatus();
}

absl::Status DrawFromPicture(const std::filesystem::path& path, const Mistake& mistake,
                             const MediaLimits& limits, std::string* jpeg) {
  Bytes bytes;
  RETURN_IF_ERROR(ReadFile(path, limits.bytes_max, &bytes));
  const auto decoder = decode::PictureDecoder::Create(limits);
  ASSIGN_OR_RETURN(const decode::PictureHeader header, decoder->ReadHeader(bytes));
  ASSIGN_OR_RETURN(const FramePtr frame, decoder->Decode(bytes, header, {mistake.frame, {}}));
  ASSIGN_OR_RETURN(*jpeg, Draw(*frame, mistake));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> DrawWorst(const std::vector<Mistake>& worst,
                                                   const std::filesystem::path& pictures,
                                                   const MediaLimits& limits) {
  std::vector<std::string> jpegs(worst.size());
  ASSIGN_OR_RETURN(const auto inputs, ingest::InputList::Create({pictures.string()}, {limits, nullptr}));
  std::map<std::string, std::string> by_name;  // file name -> path
  while (const auto input = inputs->Next()) {
    RETURN_IF_ERROR(Annotate(input->status, input->name));
    Bytes head;
    if (!std::filesystem::is_directory(pictures) &&
        ingest::ReadHead(*input, decode::kSniffBytes, &head).ok() &&
        decode::Sniff(head) == decode::MediaFormat::kVideo) {
      RETURN_IF_ERROR(DrawFromVideo(*input, worst, limits, &jpegs));
      return jpegs;
    }
    by_name[std::filesystem::path(input->address).filename().string()] = input->address;
  }
  for (size_t i = 0; i < worst.size(); ++i) {
    const auto found = by_name.find(std::filesystem::path(worst[i].source).filename().string());
    if (found == by_name.end()) continue;
    // A picture that can't be read any more leaves its place empty.
    (void)DrawFromPicture(found->second, worst[i], limits, &jpegs[i]);
  }
  return jpegs;
}

}  // namespace sightline::evaluate
