#include "serving/server_core.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text.h"
#include "cameras/node/metrics.h"

namespace sightline::serving {
namespace {

std::string_view HeaderOf(const Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

// Whole, a part, or nothing because the client has it.
void PrepareFile(const std::string& path, const Request& request, Outgoing* out) {
  auto opened = OpenFile::Open(path);
  if (!opened.ok()) {
    const Response problem = Problem(opened.status());
    out->status = problem.status;
    out->headers["Content-Type"] = problem.type;
    out->body = problem.body;
    return;
  }
  auto file = std::make_shared<OpenFile>(*std::move(opened));
  out->headers["ETag"] = file->tag();
  out->headers["Last-Modified"] = HttpDate(file->modified_s());
  out->headers["Accept-Ranges"] = "bytes";
  out->range = {0, file->size()};
  if (HeaderOf(request, "if-none-match") == file->tag()) {
    out->status = 304;
    return;
  }
  const std::string_view if_range = HeaderOf(request, "if-range");
  const bool same = if_range.empty() || if_range == file->tag();
  const auto range =
      same && request.method == "GET" ? ParseRange(HeaderOf(request, "range"), file->size()) : std::nullopt;
  if (range) {
    out->status = range->count == 0 ? 416 : 206;
    out->range = *range;
    out->headers["Content-Range"] =
        range->count == 0
            ? fmt::format("bytes */{}", file->size())
            : fmt::format("bytes {}-{}/{}", range->first, range->first + range->count - 1, file->size());
  }
  out->file = std::move(file);
}

}  // namespace

absl::StatusOr<OpenFile> OpenFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return absl::NotFoundError("there is no such file (any more, or yet)");
  OpenFile file(descriptor);
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return absl::NotFoundError("there is no such file");
  file.size_ = static_cast<uint64_t>(status.st_size);
  file.modified_s_ = status.st_mtim.tv_sec;
  file.tag_ = fmt::format("\"{:x}-{:x}-{:x}\"", file.size_, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return file;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      modified_s_(other.modified_s_),
      tag_(std::move(other.tag_)) {}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<size_t> OpenFile::ReadAt(uint64_t offset, char* into, size_t count) const {
  const ssize_t got = pread(descriptor_, into, count, static_cast<off_t>(offset));
  if (got < 0) return std::nullopt;
  return static_cast<size_t>(got);
}

Outgoing ToOutgoing(Response response, const Request& request) {
  Outgoing out;
  out.status = response.status;
  out.headers = std::move(response.headers);
  out.headers["Content-Type"] = response.type;
  out.headers.try_emplace("Cache-Control", "no-store");
  out.headers["X-Content-Type-Options"] = "nosniff";
  out.headers["Cross-Origin-Resource-Policy"] = "same-origin";
  out.headers["Referrer-Policy"] = "no-referrer";
  if (response.stream) {
    out.stream = std::move(response.stream);
  } else if (!response.file.empty()) {
    PrepareFile(response.file, request, &out);
  } else {
    out.body = std::move(response.body);
  }
  if (out.status == 204 || out.status == 304) out.headers.erase("Content-Type");
  return out;
}

void ServerCounts::CountRequest(const std::string& method, const std::string& route, int status,
                                double seconds) {
  absl::MutexLock lock(&mutex_);
  Value& value = requests_[{method, route, status}];
  ++value.count;
  value.seconds += seconds;
}

void ServerCounts::CountRefused(const std::string& why) {
  absl::MutexLock lock(&mutex_);
  ++refused_[why];
}

std::string ServerCounts::Text(size_t handlers_waiting) const {
  cameras::MetricsText text;
  absl::MutexLock lock(&mutex_);
  text.Begin("sightline_http_requests_total", "counter", "Requests answered, by route and status.");
  for (const auto& [key, value] : requests_) {
    text.Add({{"method", key.method}, {"route", key.route}, {"status", std::to_string(key.status)}},
             static_cast<double>(value.count));
  }
  text.Begin("sightline_http_handler_seconds_total", "counter",
             "Time from a request's end to its response, by route and status.");
  for (const auto& [key, value] : requests_) {
    text.Add({{"method", key.method}, {"route", key.route}, {"status", std::to_string(key.status)}},
             value.seconds);
  }
  text.Begin("sightline_http_refused_total", "counter",
             "Connections and requests that were refused or timed out, by reason.");
  for (const auto& [why, count] : refused_) text.Add({{"reason", why}}, static_cast<double>(count));
  text.Begin("sightline_http_connections", "gauge", "Connections that are open.");
  text.Add({}, connections);
  text.Begin("sightline_http_connections_total", "counter", "Connections accepted.");
  text.Add({}, static_cast<double>(accepted));
  text.Begin("sightline_http_streams", "gauge", "Live pictures and event streams that are open.");
  text.Add({}, streams);
  text.Begin("sightline_http_chunks_dropped_total", "counter", "Parts of streams dropped for slow clients.");
  text.Add({}, static_cast<double>(chunks_dropped));
  text.Begin("sightline_http_sent_bytes_total", "counter", "Bytes sent.");
  text.Add({}, static_cast<double>(sent_bytes_));
  text.Begin("sightline_http_waiting", "gauge", "Requests that wait for a handler's thread.");
  text.Add({}, static_cast<double>(handlers_waiting));
  return text.Take();
}

}  // namespace sightline::serving
