// Bytes for libavformat, always through us, so that libav itself opens nothing: a file, a URL, or memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/net/http_client.h"

struct AVIOContext;

namespace sightline::ingest {

// Where the bytes come from. Threads: one at a time.
class ByteReader {
 public:
  virtual ~ByteReader() = default;
  virtual absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) = 0;  // 0 at the end
  virtual void SeekTo(uint64_t position) = 0;                         // may lie past the end
  virtual uint64_t position() const = 0;
  virtual std::optional<uint64_t> size() const = 0;
  virtual bool can_seek() const = 0;
};

absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileReader(const std::string& path);
std::unique_ptr<ByteReader> NewMemoryReader(absl::Span<const uint8_t> bytes);  // borrowed

// `policy` is borrowed for as long as the reader lives; `final_url` gets the address after redirects.
// ResourceExhausted where the server names a size over options.bytes_max; what comes without a size may be
// live and is not limited.
absl::StatusOr<std::unique_ptr<ByteReader>> OpenUrlReader(const std::string& url, const HttpOptions& options,
                                                          AddressPolicy* policy, std::string* final_url);

// A reader as libavformat wants it. Lifetime: `context` is valid as long as this. `deadline` is asked before
// each read.
class ByteSource {
 public:
  ByteSource(std::unique_ptr<ByteReader> reader, std::function<MonotonicTime()> deadline);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  AVIOContext* context() const { return context_; }
  const ByteReader& reader() const { return *reader_; }
  const absl::Status& status() const { return status_; }  // the first error that reading met

 private:
  static int ReadPacket(void* self, uint8_t* buffer, int size);
  static int64_t Seek(void* self, int64_t offset, int whence);

  std::unique_ptr<ByteReader> reader_;
  std::function<MonotonicTime()> deadline_;
  absl::Status status_;
  AVIOContext* context_;
};

}  // namespace sightline::ingest
