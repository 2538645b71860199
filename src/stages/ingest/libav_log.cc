#include "stages/ingest/libav_log.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

#include <array>
#include <cstdarg>
#include <mutex>

#include "base/log.h"
#include "base/net/url.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

// Planes of 200 million 8-bit samples fit; an index fits for 11 million frames (4 days at 30 a second).
constexpr size_t kAllocationMax = size_t{256} << 20;
constexpr size_t kWordsBytesMax = 4096;
thread_local LibavWords* listener = nullptr;

void TakeLine(void* about, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING) return;
  const bool logged = spdlog::should_log(spdlog::level::debug);
  if (!logged && listener == nullptr) return;
  std::array<char, 1024> raw;
  int print_prefix = 0;  // no "[mov,mp4 @ 0x55...]": addresses say nothing to people
  const int length =
      av_log_format_line2(nullptr, level, format, arguments, raw.data(), raw.size(), &print_prefix);
  std::string_view whole = Trim(raw.data());
  // Of a URL that did not fit nobody can tell what is secret.
  if (length >= static_cast<int>(raw.size())) whole = whole.substr(0, whole.find("://"));
  const std::string line = ToValidUtf8(WithoutAnyCredentials(whole));
  if (line.empty()) return;
  if (listener != nullptr && level <= AV_LOG_ERROR) listener->Add(line);
  const char* part = about != nullptr ? (*static_cast<AVClass**>(about))->class_name : "libav";
  if (logged) spdlog::debug("{}: {}", part, line);
}

// What libav's words mean for who reads them.
constexpr std::pair<std::string_view, std::string_view> kMeanings[] = {
    {"moov atom not found", "moov atom not found (truncated MP4?)"},
    {"EBML header parsing failed", "the Matroska header is damaged"},
    {"partial file", "the file ends early (truncated?)"},
    {"File ended prematurely", "the file ends early (truncated?)"},
};

}  // namespace

void SetUpLibav() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_max_alloc(kAllocationMax);
    av_log_set_callback(&TakeLine);
  });
}

LibavWords::LibavWords() : outer_(listener) { listener = this; }
LibavWords::~LibavWords() { listener = outer_; }
void LibavWords::Add(std::string_view line) {
  if (first_.empty()) first_ = line;
  if (all_.size() + line.size() < kWordsBytesMax) all_.append(line).append("\n");
}

absl::Status LibavStatus(int error, std::string_view words) {
  for (const auto& [said, meaning] : kMeanings) {
    if (words.find(said) != std::string_view::npos) return absl::DataLossError(std::string(meaning));
  }
  std::array<char, AV_ERROR_MAX_STRING_SIZE> name{};
  av_strerror(error, name.data(), name.size());
  const std::string text =
      words.empty() ? std::string(name.data()) : fmt::format("{} ({})", name.data(), words);
  switch (error) {
    case AVERROR_EXIT:
    case AVERROR(ETIMEDOUT):
      return absl::DeadlineExceededError("the stream sends nothing any more");
    case AVERROR(ENOMEM):
      return absl::ResourceExhaustedError("it asks for more memory than a video may");
    case AVERROR(ECONNREFUSED):
    case AVERROR(ECONNRESET):
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH):
    case AVERROR(EPIPE):
    case AVERROR_HTTP_SERVER_ERROR:
      return absl::UnavailableError(text);
    case AVERROR_HTTP_UNAUTHORIZED:
    case AVERROR_HTTP_FORBIDDEN:
      return absl::PermissionDeniedError(text);
    case AVERROR_HTTP_NOT_FOUND:
      return absl::NotFoundError(text);
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
      return absl::UnimplementedError(text);
    default:
      return absl::DataLossError(text);
  }
}

}  // namespace sightline::ingest
