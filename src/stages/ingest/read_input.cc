#include "stages/ingest/read_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "absl/cleanup/cleanup.h"
#include "base/net/http_client.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

absl::Status RefuseStream(const Input& input) {
  return absl::InvalidArgumentError(
      fmt::format("{} is a live stream: it can only be opened as a video", input.name));
}

absl::Status ReadHeadOfFile(const Input& input, size_t count, Bytes* bytes) {
  // Non-blocking, so that a named pipe is refused below instead of waited for.
  const int descriptor = open(input.address.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", input.name));
  const auto close_it = absl::MakeCleanup([&] { close(descriptor); });
  struct stat info {};
  if (fstat(descriptor, &info) != 0) return ErrnoStatus(errno, fmt::format("cannot read {}", input.name));
  if (!S_ISREG(info.st_mode))
    return absl::InvalidArgumentError(fmt::format("{} is not a regular file", input.name));
  bytes->resize(count);
  size_t done = 0;
  while (done < count) {
    const ssize_t got = pread(descriptor, bytes->data() + done, count - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", input.name));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes->resize(done);
  return absl::OkStatus();
}

absl::Status ReadHeadOfUrl(const Input& input, size_t count, Bytes* bytes) {
  ASSIGN_OR_RETURN(const Url url, ParseUrl(input.address));
  AddressPolicy policy(url.host);
  HttpOptions options;
  options.bytes_max = std::numeric_limits<uint64_t>::max();  // only the head is read
  ASSIGN_OR_RETURN(auto stream, HttpStream::Open(input.address, 0, options, &policy));
  bytes->resize(count);
  size_t done = 0;
  while (done < count) {
    auto got = stream->Read(absl::MakeSpan(*bytes).subspan(done));
    if (!got.ok()) return Annotate(got.status(), input.name);
    if (*got == 0) break;
    done += *got;
  }
  bytes->resize(done);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadInput(const Input& input, const MediaLimits& limits, Bytes* bytes) {
  RETURN_IF_ERROR(input.status);
  if (IsStream(input)) return RefuseStream(input);
  if (input.kind == InputKind::kFile) return ReadFile(input.address, limits.bytes_max, bytes);
  HttpOptions options;
  options.bytes_max = std::min(limits.bytes_max, limits.download_bytes_max);
  return HttpGet(input.address, options, bytes);
}

absl::Status ReadHead(const Input& input, size_t count, Bytes* bytes) {
  RETURN_IF_ERROR(input.status);
  if (IsStream(input)) return RefuseStream(input);
  return input.kind == InputKind::kFile ? ReadHeadOfFile(input, count, bytes)
                                        : ReadHeadOfUrl(input, count, bytes);
}

}  // namespace sightline::ingest
