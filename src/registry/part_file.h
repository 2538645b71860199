// A file that is being fetched: NAME.onnx.part and, beside it, NAME.onnx.part.state, which says what the
// bytes are part of. Both outlive a program that is killed, so that the next one goes on where it ended.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "registry/sha256.h"

namespace sightline::registry {

// Threads: one at a time, and one program at a time (pull_model.cc holds a lock).
class PartFile {
 public:
  // Opens or makes it. Bytes that are there are kept (and hashed) when their state says that they belong to a
  // file with this checksum and they are no more than `bytes`.
  static absl::StatusOr<PartFile> Open(const std::filesystem::path& path, const std::string& sha256,
                                       uint64_t bytes);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();

  uint64_t size() const { return size_; }
  // Where the bytes came from, and the server's validator then; "" where that is not known.
  const std::string& origin() const { return origin_; }
  const std::string& validator() const { return validator_; }

  absl::Status Restart();  // drops the bytes
  absl::Status SetOrigin(const std::string& origin, const std::string& validator);
  // On a full disk (ResourceExhausted) what was written stays.
  absl::Status Append(absl::Span<const uint8_t> bytes);
  absl::Status Sync();
  std::string FinishHex() { return sha_->FinishHex(); }  // once, after the last byte

 private:
  PartFile(std::filesystem::path path, std::string sha256, int descriptor)
      : path_(std::move(path)), sha256_(std::move(sha256)), descriptor_(descriptor) {}
  absl::Status ReadBack(uint64_t bytes_max);
  std::filesystem::path StatePath() const { return path_.string() + ".state"; }

  std::filesystem::path path_;
  std::string sha256_, origin_, validator_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
  std::unique_ptr<Sha256> sha_ = std::make_unique<Sha256>();
};

}  // namespace sightline::registry
