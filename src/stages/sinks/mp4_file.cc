#include "stages/sinks/mp4_file.h"

extern "C" {
#include <libavformat/avformat.h>
}

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::sinks {
namespace {

// "file:" keeps a name with a colon from being taken for a protocol.
std::string UrlOf(const std::filesystem::path& path) { return "file:" + path.string(); }

}  // namespace

absl::Status AvError(int code, std::string_view what) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  const bool full = code == AVERROR(ENOSPC) || code == AVERROR(EFBIG) || code == AVERROR(EDQUOT);
  return absl::Status(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal,
                      fmt::format("{}: {}", what, text));
}

Mp4File::Mp4File(const std::filesystem::path& path) : path_(path) {}

Mp4File::~Mp4File() { Close(); }

absl::Status Mp4File::Begin() {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::CreateSeekable(path_));
  file_.emplace(std::move(file));
  const std::string url = UrlOf(file_->partial_path());
  if (const int code = avformat_alloc_output_context2(&format_, nullptr, "mp4", url.c_str()); code < 0)
    return Failed(code);
  stream_ = avformat_new_stream(format_, nullptr);
  if (stream_ == nullptr) return Failed(AVERROR(ENOMEM));
  stream_->time_base = {1, kTicksPerSecond};
  return absl::OkStatus();
}

absl::Status Mp4File::Open(std::string_view comment) {
  if (!comment.empty()) av_dict_set(&format_->metadata, "comment", std::string(comment).c_str(), 0);
  const std::string url = UrlOf(file_->partial_path());
  if (const int code = avio_open(&format_->pb, url.c_str(), AVIO_FLAG_WRITE); code < 0) return Failed(code);
  AVDictionary* options = nullptr;
  const auto free_options = absl::MakeCleanup([&] { av_dict_free(&options); });
  av_dict_set(&options, "movflags", "faststart", 0);
  av_dict_set(&options, "video_track_timescale", fmt::format("{}", kTicksPerSecond).c_str(), 0);
  if (const int code = avformat_write_header(format_, &options); code < 0) return Failed(code);
  return absl::OkStatus();
}

absl::Status Mp4File::Finish() {
  if (const int code = av_write_trailer(format_); code < 0) return Failed(code);
  if (format_->pb->error < 0) return Failed(format_->pb->error);
  if (const int code = avio_closep(&format_->pb); code < 0) return Failed(code);
  Close();
  return file_->Commit();
}

absl::Status Mp4File::Failed(int code) const {
  return AvError(code, fmt::format("cannot write {}", path_.string()));
}

void Mp4File::Close() {
  if (format_ != nullptr && format_->pb != nullptr) avio_closep(&format_->pb);
  avformat_free_context(format_);
  format_ = nullptr;
  stream_ = nullptr;
}

}  // namespace sightline::sinks
