#include "registry/pull_model.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/model_card_spec.h"
#include "registry/part_file.h"
#include "registry/put_folder.h"
#include "registry/sha256.h"

namespace sightline::registry {
namespace {

namespace fs = std::filesystem;

constexpr size_t kStep = 64 << 10;
constexpr uint64_t kNextToNothing = 64 << 10;  // an attempt that brings more does not count as a failed one
constexpr int kAttemptsMax = 200;              // whatever they brought
constexpr std::chrono::milliseconds kWaitMax{30'000};

// Holds NAME's lock until it is destroyed or the program ends, however it ends.
class PullLock {
 public:
  static absl::StatusOr<PullLock> Take(const fs::path& path, const PullOptions& options) {
    bool told = false;
    for (;;) {
      const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
      if (descriptor < 0) return ErrnoStatus(errno, fmt::format("cannot write {}", path.string()));
      PullLock lock(path, descriptor);
      if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
          return ErrnoStatus(errno, fmt::format("cannot lock {}", path.string()));
        }
        if (!std::exchange(told, true) && options.on_message) {
          options.on_message("another pull of this model is under way; waiting for it");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        continue;
      }
      // The one before may have removed the file between our open and our lock.
      struct stat ours {
      }, named{};
      if (fstat(descriptor, &ours) == 0 && stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino) {
        lock.held_ = true;
        return lock;
      }
    }
  }
  PullLock(PullLock&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        held_(std::exchange(other.held_, false)) {}
  PullLock& operator=(PullLock&&) = delete;
  ~PullLock() {
    if (held_) unlink(path_.c_str());
    if (descriptor_ >= 0) close(descriptor_);
  }

 private:
  PullLock(fs::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  fs::path path_;
  int descriptor_;
  bool held_ = false;
};

absl::Status CheckRoom(const fs::path& root, uint64_t wanted) {
  struct statvfs room {};
  if (statvfs(root.c_str(), &room) != 0) return absl::OkStatus();  // then writing says so
  const uint64_t free = static_cast<uint64_t>(room.f_bavail) * room.f_frsize;
  if (free >= wanted) return absl::OkStatus();
  return absl::ResourceExhaustedError(fmt::format(
      "the disk is full: {} bytes are needed in {} and {} are free; make room and run the command again",
      wanted, root.string(), free));
}

// One pull, under the lock.
class Pull {
 public:
  Pull(const CatalogueEntry& entry, const PullOptions& options, PartFile part)
      : entry_(entry),
        options_(options),
        bytes_(static_cast<uint64_t>(entry.bytes)),
        part_(std::move(part)),
        resumed_at_(part_.size()) {}

  uint64_t resumed_at() const { return resumed_at_; }

  // Whole and right, or an error. A resumed file that turns out wrong may be two files put together: it is
  // fetched once more from its beginning before the origin is given up.
  absl::Status FetchFrom(const std::string& url) {
    const bool resumed = part_.size() > 0;
    absl::Status status = FetchOnce(url);
    if (absl::IsDataLoss(status) && resumed) {
      Tell(fmt::format("{}; fetching it again from the beginning", MessageOf(status)));
      status = FetchOnce(url);
    }
    return status;
  }

  absl::Status CopyFrom(const fs::path& file) {
    RETURN_IF_ERROR(part_.Restart());
    resumed_at_ = 0;
    RETURN_IF_ERROR(CheckRoom(options_.root, bytes_));
    Bytes bytes;
    RETURN_IF_ERROR(ReadFile(file, std::numeric_limits<int>::max(), &bytes));
    if (bytes.size() != bytes_) return WrongSize(file.string(), bytes.size());
    RETURN_IF_ERROR(part_.SetOrigin(file.string(), ""));
    RETURN_IF_ERROR(part_.Append(bytes));
    return Finish(file.string());
  }

 private:
  absl::Status FetchOnce(const std::string& url) {
    auto wait = options_.wait;
    int failures = 0;
    for (int attempt = 0; part_.size() < bytes_; ++attempt) {
      const uint64_t before = part_.size();
      const absl::Status status = Attempt(url);
      if (status.ok()) break;
      if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) && !absl::IsDataLoss(status))
        return status;
      if (part_.size() > before + kNextToNothing) {
        failures = 0;
        wait = options_.wait;
      }
      if (++failures >= options_.attempts || attempt >= kAttemptsMax) {
        return absl::UnavailableError(fmt::format("{} (given up after {} attempt{})", MessageOf(status),
                                                  attempt + 1, attempt == 0 ? "" : "s"));
      }
      Tell(fmt::format("{}; trying again in {:g} s, from byte {}", MessageOf(status),
                       static_cast<double>(wait.count()) / 1000, part_.size()));
      std::this_thread::sleep_for(wait);
      wait = std::min(wait * 2, kWaitMax);
    }
    return Finish(WithoutAnyCredentials(url));
  }

  // One connection: what it brings is appended.
  absl::Status Attempt(const std::string& url) {
    const std::string shown = WithoutAnyCredentials(url);
    HttpOptions http = options_.http;
    http.bytes_max = bytes_;  // the server may begin at 0 again
    // Bytes of another origin are no part of what this one's validator names; the checksum decides in the
    // end.
    const bool same = part_.origin() == shown;
    if (part_.size() > 0 && same) http.if_range = part_.validator();
    auto parsed = ParseUrl(url);
    if (!parsed.ok()) return parsed.status();
    AddressPolicy policy(parsed->host);
    auto stream = HttpStream::Open(url, part_.size(), http, &policy);
    if (!stream.ok() && part_.size() > 0 &&
        (absl::IsOutOfRange(stream.status()) || absl::IsUnimplemented(stream.status()))) {
      RETURN_IF_ERROR(StartOver("the server cannot go on in the middle"));
      stream = HttpStream::Open(url, 0, http, &policy);
    }
    if (!stream.ok()) return NotOurs(stream.status());
    const std::string validator = (*stream)->validator();
    if (part_.size() > 0 && (*stream)->offset() == 0) {
      RETURN_IF_ERROR(StartOver("the server sends the file from its beginning"));
    } else if (part_.size() > 0 && same && validator != part_.validator()) {
      RETURN_IF_ERROR(StartOver("the file there has changed"));
      stream = HttpStream::Open(url, 0, http, &policy);
      if (!stream.ok()) return NotOurs(stream.status());
    }
    if (const auto size = (*stream)->size(); size && *size != bytes_) return WrongSize(shown, *size);
    RETURN_IF_ERROR(CheckRoom(options_.root, bytes_ - part_.size()));
    RETURN_IF_ERROR(part_.SetOrigin(url, (*stream)->validator()));
    return Receive(shown, stream->get());
  }

  absl::Status Receive(const std::string& shown, HttpStream* stream) {
    std::vector<uint8_t> block(kStep);
    for (;;) {
      Progress();
      const auto count = stream->Read(absl::MakeSpan(block));
      if (absl::IsResourceExhausted(count.status()) || (count.ok() && part_.size() + *count > bytes_)) {
        RETURN_IF_ERROR(part_.Restart());
        return absl::FailedPreconditionError(
            fmt::format("{} sends more than the {} bytes that the catalogue names", shown, bytes_));
      }
      if (!count.ok()) return Annotate(count.status(), shown);
      if (*count == 0) break;
      RETURN_IF_ERROR(part_.Append(absl::MakeSpan(block).first(*count)));
    }
    if (part_.size() == bytes_) return absl::OkStatus();
    return absl::DataLossError(fmt::format("{} ended after {} of {} bytes", shown, part_.size(), bytes_));
  }

  absl::Status Finish(const std::string& origin) {
    RETURN_IF_ERROR(part_.Sync());
    Progress();
    const std::string got = part_.FinishHex();
    if (got == entry_.sha256) return absl::OkStatus();
    RETURN_IF_ERROR(part_.Restart());
    return absl::DataLossError(
        fmt::format("{} is not the file of the catalogue, and was deleted: SHA-256 expected {}, got {}",
                    origin, entry_.sha256, got));
  }

  // ResourceExhausted is kept for our own disk: what a server sends too much of is a wrong file.
  static absl::Status NotOurs(const absl::Status& status) {
    return absl::IsResourceExhausted(status) ? absl::FailedPreconditionError(std::string(MessageOf(status)))
                                             : status;
  }

  absl::Status WrongSize(std::string_view where, uint64_t size) const {
    return absl::FailedPreconditionError(
        fmt::format("{} has {} bytes, the catalogue says {}", where, size, bytes_));
  }

  absl::Status StartOver(std::string_view why) {
    Tell(fmt::format("{}; starting over", why));
    resumed_at_ = 0;
    return part_.Restart();
  }
  void Tell(const std::string& line) const {
    if (options_.on_message) options_.on_message(line);
  }
  void Progress() const {
    if (options_.on_progress) options_.on_progress(part_.size(), bytes_);
  }

  const CatalogueEntry& entry_;
  const PullOptions& options_;
  const uint64_t bytes_;
  PartFile part_;
  uint64_t resumed_at_;
};

absl::StatusOr<std::string> DigestOf(const fs::path& file) {
  Bytes bytes;
  RETURN_IF_ERROR(ReadFile(file, std::numeric_limits<int>::max(), &bytes));
  return Sha256Hex(bytes);
}

absl::Status Publish(const CatalogueEntry& entry, const PullOptions& options, const fs::path& part) {
  std::string pattern = (options.root / fmt::format(".{}.pulling-XXXXXX", entry.name)).string();
  if (mkdtemp(pattern.data()) == nullptr) {
    return ErrnoStatus(errno, fmt::format("cannot write in {}", options.root.string()));
  }
  const fs::path ready = pattern;
  const auto clean = absl::MakeCleanup([&] {
    std::error_code ignored;
    fs::remove_all(ready, ignored);
  });
  RETURN_IF_ERROR(WriteFileAtomically(ready / "model.yaml", pipeline::FormatModelCard(entry.card, {})));
  if (std::rename(part.c_str(), (ready / "model.onnx").c_str()) != 0 || chmod(ready.c_str(), 0755) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot finish {}", ready.string()));
  }
  RETURN_IF_ERROR(PutFolderInPlace(ready, options.root / entry.name, options.replace));
  std::error_code ignored;
  fs::remove(part.string() + ".state", ignored);
  return absl::OkStatus();
}

// The addresses or the one file to try.
std::vector<std::string> Sources(const CatalogueEntry& entry, const std::string& from) {
  if (from.empty()) return entry.origins;
  if (from.ends_with(".onnx")) return {from};
  return {fmt::format("{}{}{}.onnx", from, from.ends_with('/') ? "" : "/", entry.name)};
}

bool IsWeb(std::string_view source) { return SchemeOf(source) == "http" || SchemeOf(source) == "https"; }

absl::Status Fetch(const std::vector<std::string>& sources, Pull* pull, std::string* origin) {
  std::vector<std::string> failures;
  absl::StatusCode code = absl::StatusCode::kUnknown;
  for (const std::string& source : sources) {
    const absl::Status status = IsWeb(source) ? pull->FetchFrom(source) : pull->CopyFrom(source);
    *origin = WithoutAnyCredentials(source);
    if (status.ok() || absl::IsResourceExhausted(status)) return status;
    failures.emplace_back(MessageOf(status));
    // Where one of them might be reached later, that is what the whole says.
    if (code == absl::StatusCode::kUnknown || absl::IsUnavailable(status)) code = status.code();
  }
  return absl::Status(code, Join(failures, "\n  "));
}

}  // namespace

absl::StatusOr<PulledModel> PullModel(const CatalogueEntry& entry, const PullOptions& options) {
  const std::string scheme = SchemeOf(options.from);
  if (!scheme.empty() && !IsWeb(options.from)) {
    return absl::InvalidArgumentError(fmt::format("--from {}: give a folder, or an http or https address",
                                                  WithoutAnyCredentials(options.from)));
  }
  std::error_code error;
  fs::create_directories(options.root, error);
  if (error) return ErrnoStatus(error.value(), fmt::format("cannot make {}", options.root.string()));
  const auto lock = PullLock::Take(options.root / fmt::format(".{}.pull.lock", entry.name), options);
  if (!lock.ok()) return lock.status();

  PulledModel pulled;
  pulled.folder = options.root / entry.name;
  if (!options.replace && fs::exists(pulled.folder, error)) {
    const auto digest = DigestOf(pulled.folder / "model.onnx");
    pulled.was_there =
        digest.ok() && *digest == entry.sha256 && fs::exists(pulled.folder / "model.yaml", error);
    if (pulled.was_there) return pulled;
    return absl::AlreadyExistsError(
        fmt::format("{} is there already and is not the catalogue's model; replace it with --force",
                    pulled.folder.string()));
  }
  const fs::path path = options.root / (entry.name + ".onnx.part");
  auto part = PartFile::Open(path, entry.sha256, static_cast<uint64_t>(entry.bytes));
  if (!part.ok()) return part.status();
  Pull pull(entry, options, *std::move(part));
  const absl::Status fetched = Fetch(Sources(entry, options.from), &pull, &pulled.origin);
  // An empty part says nothing to the next call; of a wrong file nothing stays.
  if (!fetched.ok() && fs::exists(path, error) && fs::file_size(path, error) == 0) {
    fs::remove(path, error);
    fs::remove(path.string() + ".state", error);
  }
  if (!fetched.ok()) return Annotate(fetched, fmt::format("cannot pull {}", entry.name));
  pulled.resumed_at = pull.resumed_at();
  RETURN_IF_ERROR(Publish(entry, options, path));
  return pulled;
}

}  // namespace sightline::registry
