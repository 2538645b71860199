#include "stages/infer/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::infer {
namespace {

constexpr int kDepthMax = 100;  // as protobuf's own limit
constexpr size_t kFilesMax = 4096;
// Two bytes of a file can become some hundred bytes of memory in a parser. Real graphs have up to some
// 100,000 fields.
constexpr int64_t kFieldsMax = 4'000'000;
constexpr size_t kLocationBytesMax = 4096;

// The messages of onnx.proto that lead to tensors, or that a file can have very many of; everything else is
// skipped.
enum class Message {
  kModel,
  kTraining,
  kGraph,
  kNode,
  kAttribute,
  kFunction,
  kSparseTensor,
  kTensor,
  kValue,
  kType,
  kTensorType,
  kShape,
};

struct Child {
  Message parent;
  uint32_t field;
  Message child;
};
constexpr Child kChildren[] = {
    {Message::kModel, 7, Message::kGraph},
    {Message::kModel, 20, Message::kTraining},
    {Message::kModel, 25, Message::kFunction},
    {Message::kTraining, 1, Message::kGraph},
    {Message::kTraining, 2, Message::kGraph},
    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 5, Message::kTensor},
    {Message::kGraph, 15, Message::kSparseTensor},
    {Message::kNode, 5, Message::kAttribute},
    {Message::kAttribute, 5, Message::kTensor},
    {Message::kAttribute, 6, Message::kGraph},
    {Message::kAttribute, 10, Message::kTensor},
    {Message::kAttribute, 11, Message::kGraph},
    {Message::kAttribute, 22, Message::kSparseTensor},
    {Message::kAttribute, 23, Message::kSparseTensor},
    {Message::kFunction, 7, Message::kNode},
    {Message::kFunction, 11, Message::kAttribute},
    {Message::kSparseTensor, 1, Message::kTensor},
    {Message::kSparseTensor, 2, Message::kTensor},
    {Message::kGraph, 11, Message::kValue},
    {Message::kGraph, 12, Message::kValue},
    {Message::kGraph, 13, Message::kValue},
    {Message::kValue, 2, Message::kType},
    {Message::kType, 1, Message::kTensorType},
    {Message::kTensorType, 2, Message::kShape},
};
constexpr uint32_t kTensorName = 8, kTensorExternalData = 13, kEntryKey = 1, kEntryValue = 2;

// The protobuf wire format: a field at a time from a borrowed span. Malformed input stops it for good.
class WireReader {
 public:
  explicit WireReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}
  uint32_t field() const { return field_; }
  bool has_payload() const { return has_payload_; }
  absl::Span<const uint8_t> payload() const { return payload_; }  // of a length-delimited field
  bool malformed() const { return malformed_; }

  // False at the end and on malformed input.
  bool Next() {
    if (malformed_ || at_ == bytes_.size()) return false;
    return Field(0) || Fail();
  }

 private:
  enum WireType { kVarint = 0, kFixed64 = 1, kDelimited = 2, kGroupStart = 3, kGroupEnd = 4, kFixed32 = 5 };

  bool Fail() {
    malformed_ = true;
    return false;
  }
  bool Varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) return false;
      const uint8_t byte = bytes_[at_++];
      *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Skip(uint64_t count) {
    if (count > bytes_.size() - at_) return false;
    at_ += static_cast<size_t>(count);
    return true;
  }
  bool Field(int group_depth) {
    uint64_t tag = 0;
    if (!Varint(&tag) || tag > UINT32_MAX || (tag >> 3) == 0) return false;
    const uint32_t number = static_cast<uint32_t>(tag >> 3);
    field_ = number;
    has_payload_ = false;
    uint64_t value = 0;
    switch (tag & 7) {
      case kVarint:
        return Varint(&value);
      case kFixed64:
        return Skip(8);
      case kFixed32:
        return Skip(4);
      case kDelimited: {
        if (!Varint(&value) || value > bytes_.size() - at_) return false;
        payload_ = bytes_.subspan(at_, static_cast<size_t>(value));
        has_payload_ = true;
        return Skip(value);
      }
      case kGroupStart:
        return Group(number, group_depth + 1);
      default:
        return false;  // the end of a group that was not begun, or no wire type
    }
  }
  // Unknown groups hold nothing of ours; skipped up to their end.
  bool Group(uint32_t number, int depth) {
    if (depth > kDepthMax) return false;
    while (true) {
      const size_t begin = at_;
      uint64_t tag = 0;
      if (!Varint(&tag)) return false;
      if ((tag & 7) == kGroupEnd) {
        field_ = number;
        has_payload_ = false;
        return (tag >> 3) == number;
      }
      at_ = begin;
      if (!Field(depth)) return false;
    }
  }

  absl::Span<const uint8_t> bytes_;
  size_t at_ = 0;
  uint32_t field_ = 0;
  bool has_payload_ = false, malformed_ = false;
  absl::Span<const uint8_t> payload_;
};

std::string_view Text(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

absl::Status Cut() {
  return absl::InvalidArgumentError(
      "the file is cut, damaged, or no ONNX file (its protobuf does not parse)");
}

class Finder {
 public:
  absl::Status Walk(Message message, absl::Span<const uint8_t> bytes, int depth) {
    if (depth > kDepthMax) {
      return absl::InvalidArgumentError(fmt::format("its messages are nested more than {} deep", kDepthMax));
    }
    if (message == Message::kTensor) return Tensor(bytes);
    WireReader reader(bytes);
    while (reader.Next()) {
      RETURN_IF_ERROR(CountField());
      if (!reader.has_payload()) continue;
      for (const Child& child : kChildren) {
        if (child.parent != message || child.field != reader.field()) continue;
        RETURN_IF_ERROR(Walk(child.child, reader.payload(), depth + 1));
      }
    }
    return reader.malformed() ? Cut() : absl::OkStatus();
  }

  std::vector<ExternalFile> Take() {
    std::vector<ExternalFile> files;
    files.reserve(files_.size());
    for (auto& [location, file] : files_) files.push_back(std::move(file));
    return files;
  }

 private:
  absl::Status CountField() {
    if (++fields_ <= kFieldsMax) return absl::OkStatus();
    return absl::ResourceExhaustedError(fmt::format("its graph has more than {} parts", kFieldsMax));
  }

  absl::Status Tensor(absl::Span<const uint8_t> bytes) {
    std::string_view name;
    bool external = false;
    std::vector<std::string_view> locations;  // more than one is nonsense, but each must be harmless
    uint64_t offset = 0, length = 0;
    WireReader reader(bytes);
    while (reader.Next()) {
      if (!reader.has_payload()) continue;
      RETURN_IF_ERROR(CountField());
      if (reader.field() == kTensorName) name = Text(reader.payload());
      if (reader.field() != kTensorExternalData) continue;
      external = true;
      std::string_view key, value;
      WireReader entry(reader.payload());
      while (entry.Next()) {
        if (!entry.has_payload()) continue;
        if (entry.field() == kEntryKey) key = Text(entry.payload());
        if (entry.field() == kEntryValue) value = Text(entry.payload());
      }
      if (entry.malformed()) return Cut();
      if (key == "location" && locations.size() < 16) locations.push_back(value);
      if (key == "location" && locations.size() >= 16) {
        return absl::InvalidArgumentError("a tensor names more than 15 external files");
      }
      if (key == "offset")
        offset = static_cast<uint64_t>(std::max<int64_t>(ParseInteger(value).value_or(0), 0));
      if (key == "length")
        length = static_cast<uint64_t>(std::max<int64_t>(ParseInteger(value).value_or(0), 0));
    }
    if (reader.malformed()) return Cut();
    if (!external) return absl::OkStatus();
    for (const std::string_view location : locations) RETURN_IF_ERROR(Add(location, name, offset + length));
    return absl::OkStatus();
  }

  absl::Status Add(std::string_view location, std::string_view tensor, uint64_t end) {
    if (location.size() > kLocationBytesMax) {
      return absl::InvalidArgumentError(
          fmt::format("a tensor names an external file by {} bytes", location.size()));
    }
    auto [at, added] = files_.try_emplace(std::string(location));
    if (added) {
      if (files_.size() > kFilesMax) {
        return absl::ResourceExhaustedError(fmt::format("it uses more than {} external files", kFilesMax));
      }
      at->second.location = location;
      at->second.first_tensor = tensor.substr(0, 200);
    }
    at->second.bytes_needed = std::max(at->second.bytes_needed, end);
    return absl::OkStatus();
  }

  int64_t fields_ = 0;
  std::map<std::string, ExternalFile, std::less<>> files_;
};

absl::Status Outside(const ExternalFile& file, std::string_view why) {
  return absl::PermissionDeniedError(fmt::format(
      "refused: tensor '{}' keeps its data in '{}', {}; only files beneath the model's own folder are read",
      ToValidUtf8(file.first_tensor), ToValidUtf8(file.location), why));
}

absl::Status Missing(const ExternalFile& file, const std::filesystem::path& folder) {
  return absl::NotFoundError(
      fmt::format("its weights are in a second file, '{}', which is not in {}: put it beside the model",
                  ToValidUtf8(file.location), folder.string()));
}

}  // namespace

absl::StatusOr<std::vector<ExternalFile>> FindExternalData(absl::Span<const uint8_t> model) {
  Finder finder;
  RETURN_IF_ERROR(finder.Walk(Message::kModel, model, 0));
  return finder.Take();
}

absl::StatusOr<std::filesystem::path> ResolveExternalFile(const std::filesystem::path& folder,
                                                          const ExternalFile& file) {
  if (file.location.empty()) return Outside(file, "which names no file");
  if (file.location.find('\0') != std::string::npos) return Outside(file, "a name with a zero byte");
  if (file.location.front() == '/') return Outside(file, "an absolute path");
  const std::vector<std::string> parts = Split(file.location, '/');
  for (const std::string& part : parts) {
    if (part == "..") return Outside(file, "a path with '..'");
  }
  const std::filesystem::path start = folder.empty() ? std::filesystem::path(".") : folder;
  // The model's own folder may be reached through links; from there on, step by step, none is followed.
  int descriptor = open(start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot open {}", start.string()));
  const auto close_it = absl::MakeCleanup([&] { close(descriptor); });
  struct stat status {};
  bool regular = false;
  for (const std::string& part : parts) {
    if (part.empty() || part == ".") continue;
    if (fstatat(descriptor, part.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return Missing(file, start);
      return ErrnoStatus(errno, fmt::format("cannot look at '{}'", ToValidUtf8(file.location)));
    }
    if (S_ISLNK(status.st_mode))
      return Outside(file, fmt::format("where '{}' is a symbolic link", ToValidUtf8(part)));
    regular = S_ISREG(status.st_mode);
    if (!S_ISDIR(status.st_mode))
      continue;  // only the last may be none; looking beneath a file fails with ENOTDIR
    const int next = openat(descriptor, part.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (next < 0) return ErrnoStatus(errno, fmt::format("cannot open '{}'", ToValidUtf8(file.location)));
    close(std::exchange(descriptor, next));
  }
  if (!regular) {
    return absl::InvalidArgumentError(
        fmt::format("its external data '{}' is not a regular file", ToValidUtf8(file.location)));
  }
  if (static_cast<uint64_t>(status.st_size) < file.bytes_needed) {
    return absl::DataLossError(
        fmt::format("its external data '{}' has {} bytes where the graph needs {}: cut, or of "
                    "another model",
                    ToValidUtf8(file.location), status.st_size, file.bytes_needed));
  }
  return start / file.location;
}

absl::StatusOr<std::vector<ExternalFile>> CheckExternalData(absl::Span<const uint8_t> model,
                                                            const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(std::vector<ExternalFile> files, FindExternalData(model));
  for (const ExternalFile& file : files) RETURN_IF_ERROR(ResolveExternalFile(folder, file).status());
  return files;
}

}  // namespace sightline::infer
