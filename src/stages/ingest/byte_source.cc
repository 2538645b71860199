#include "stages/ingest/byte_source.h"

extern "C" {
#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/check.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

constexpr int kBufferBytes = 64 << 10;
// Nearer than this, reading on is quicker than asking the server anew.
constexpr uint64_t kSkipBytesMax = 512 << 10;

class FileReader final : public ByteReader {
 public:
  FileReader(int descriptor, uint64_t size, std::string path)
      : descriptor_(descriptor), size_(size), path_(std::move(path)) {}
  ~FileReader() override { close(descriptor_); }

  absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) override {
    while (true) {
      const ssize_t got = pread(descriptor_, into.data(), into.size(), static_cast<off_t>(position_));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read {}", path_));
      position_ += static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
  }
  void SeekTo(uint64_t position) override { position_ = position; }
  uint64_t position() const override { return position_; }
  std::optional<uint64_t> size() const override { return size_; }
  bool can_seek() const override { return true; }

 private:
  const int descriptor_;
  const uint64_t size_;
  const std::string path_;
  uint64_t position_ = 0;
};

class MemoryReader final : public ByteReader {
 public:
  explicit MemoryReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}
  absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) override {
    if (position_ >= bytes_.size()) return size_t{0};
    const size_t count = std::min<size_t>(into.size(), bytes_.size() - position_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), count, into.begin());
    position_ += count;
    return count;
  }
  void SeekTo(uint64_t position) override { position_ = position; }
  uint64_t position() const override { return position_; }
  std::optional<uint64_t> size() const override { return bytes_.size(); }
  bool can_seek() const override { return true; }

 private:
  absl::Span<const uint8_t> bytes_;
  uint64_t position_ = 0;
};

class UrlReader final : public ByteReader {
 public:
  UrlReader(std::unique_ptr<HttpStream> stream, const HttpOptions& options, AddressPolicy* policy)
      : url_(stream->url()),
        options_(options),
        policy_(policy),
        size_(stream->size()),
        can_seek_(stream->can_seek() && stream->size().has_value()),
        stream_(std::move(stream)) {}

  absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) override {
    if (size_ && position_ >= *size_) return size_t{0};
    RETURN_IF_ERROR(CatchUp());
    auto count = stream_->Read(into);
    if (!count.ok()) return Annotate(count.status(), WithoutAnyCredentials(url_));
    position_ += *count;
    stream_position_ = position_;
    return *count;
  }
  void SeekTo(uint64_t position) override { position_ = position; }
  uint64_t position() const override { return position_; }
  std::optional<uint64_t> size() const override { return size_; }
  bool can_seek() const override { return can_seek_; }

 private:
  // Brings the connection to position_, by reading on or by a new request.
  absl::Status CatchUp() {
    if (position_ < stream_position_ || position_ - stream_position_ > kSkipBytesMax) {
      auto stream = HttpStream::Open(url_, position_, options_, policy_);
      if (!stream.ok()) return stream.status();
      stream_ = *std::move(stream);
      stream_position_ = position_;
    }
    while (stream_position_ < position_) {
      skipped_.resize(static_cast<size_t>(std::min<uint64_t>(position_ - stream_position_, kBufferBytes)));
      auto count = stream_->Read(absl::MakeSpan(skipped_));
      if (!count.ok()) return Annotate(count.status(), WithoutAnyCredentials(url_));
      if (*count == 0) return absl::DataLossError("the server's file ends before the size that it named");
      stream_position_ += *count;
    }
    return absl::OkStatus();
  }

  const std::string url_;
  const HttpOptions options_;
  AddressPolicy* const policy_;
  const std::optional<uint64_t> size_;
  const bool can_seek_;
  std::unique_ptr<HttpStream> stream_;
  Bytes skipped_;
  uint64_t position_ = 0;         // wanted
  uint64_t stream_position_ = 0;  // of the connection
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileReader(const std::string& path) {
  // Non-blocking, so that a named pipe is refused below instead of waited for.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return ErrnoStatus(errno, "cannot open it");
  struct stat info {};
  const bool known = fstat(descriptor, &info) == 0;
  auto reader =
      std::make_unique<FileReader>(descriptor, known ? static_cast<uint64_t>(info.st_size) : 0, path);
  if (!known || !S_ISREG(info.st_mode)) return absl::InvalidArgumentError("not a regular file");
  return reader;
}

std::unique_ptr<ByteReader> NewMemoryReader(absl::Span<const uint8_t> bytes) {
  return std::make_unique<MemoryReader>(bytes);
}

absl::StatusOr<std::unique_ptr<ByteReader>> OpenUrlReader(const std::string& url, const HttpOptions& options,
                                                          AddressPolicy* policy, std::string* final_url) {
  HttpOptions unlimited = options;
  unlimited.bytes_max = std::numeric_limits<uint64_t>::max();
  auto stream = HttpStream::Open(url, 0, unlimited, policy);
  if (!stream.ok()) return stream.status();
  if ((*stream)->size().value_or(0) > options.bytes_max) {
    return absl::ResourceExhaustedError(fmt::format(
        "it has {} bytes, more than the limit of {} for a download", *(*stream)->size(), options.bytes_max));
  }
  *final_url = (*stream)->url();
  return std::make_unique<UrlReader>(*std::move(stream), unlimited, policy);
}

ByteSource::ByteSource(std::unique_ptr<ByteReader> reader, std::function<MonotonicTime()> deadline)
    : reader_(std::move(reader)), deadline_(std::move(deadline)) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  CHECK(buffer != nullptr) << "out of memory";
  context_ = avio_alloc_context(buffer, kBufferBytes, 0, this, &ReadPacket, nullptr, &Seek);
  CHECK(context_ != nullptr) << "out of memory";
  context_->seekable = reader_->can_seek() ? AVIO_SEEKABLE_NORMAL : 0;
}

ByteSource::~ByteSource() {
  av_freep(&context_->buffer);  // libav may have replaced the one that we gave
  avio_context_free(&context_);
}

int ByteSource::ReadPacket(void* self, uint8_t* buffer, int size) {
  auto* source = static_cast<ByteSource*>(self);
  if (!source->status_.ok()) return AVERROR(EIO);
  if (MonotonicClock::now() > source->deadline_()) {
    source->status_ = absl::DeadlineExceededError("the server sends too slowly for a video");
    return AVERROR(EIO);
  }
  auto count = source->reader_->Read(absl::MakeSpan(buffer, static_cast<size_t>(size)));
  if (!count.ok()) {
    source->status_ = count.status();
    return AVERROR(EIO);
  }
  return *count == 0 ? AVERROR_EOF : static_cast<int>(*count);
}

int64_t ByteSource::Seek(void* self, int64_t offset, int whence) {
  auto* source = static_cast<ByteSource*>(self);
  ByteReader& reader = *source->reader_;
  if (whence == AVSEEK_SIZE) return reader.size() ? static_cast<int64_t>(*reader.size()) : AVERROR(ENOSYS);
  const int from = whence & ~AVSEEK_FORCE;
  int64_t base = 0;
  if (from == SEEK_CUR) base = static_cast<int64_t>(reader.position());
  if (from == SEEK_END) {
    if (!reader.size()) return AVERROR(ENOSYS);
    base = static_cast<int64_t>(*reader.size());
  }
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  reader.SeekTo(static_cast<uint64_t>(target));
  return target;
}

}  // namespace sightline::ingest
