// A camera that comes and goes for weeks, in seconds: nothing is left behind.
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/net/test_server.h"
#include "cameras/stream/test_observer.h"

namespace sightline::cameras {
namespace {

size_t EntriesOf(const char* folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

// Bytes that are allocated now, in all arenas of the allocator (mallinfo2 sees one).
size_t HeapBytes() {
  char* text = nullptr;
  size_t length = 0;
  FILE* file = open_memstream(&text, &length);
  CHECK(file != nullptr && malloc_info(0, file) == 0) << "no account of the heap";
  fclose(file);
  // The sums stand at the end: free in fast bins, free elsewhere, mapped, and taken from the system.
  const auto sum_of = [&](std::string_view what) {
    const std::string_view all(text, length);
    const size_t begin = all.rfind(what);
    CHECK(begin != std::string_view::npos) << what;
    return std::strtoull(text + all.find("size=\"", begin) + 6, nullptr, 10);
  };
  const size_t bytes = sum_of("<system type=\"current\"") + sum_of("<total type=\"mmap\"") -
                       sum_of("<total type=\"fast\"") - sum_of("<total type=\"rest\"");
  free(text);
  return bytes;
}

struct Held {
  size_t threads = EntriesOf("/proc/self/task");
  size_t descriptors = EntriesOf("/proc/self/fd");
  size_t heap_bytes = HeapBytes();
};

// Counts only: what it kept would grow.
class CountingObserver final : public StreamObserver {
 public:
  void OnFrame(const LiveFrame&) override { ++frames_; }
  void OnState(const StreamStatus& status) override {
    absl::MutexLock lock(&mutex_);
    back_offs_ += status.state == StreamState::kBackOff;
  }
  bool WaitForBackOffs(int count) {
    absl::MutexLock lock(&mutex_);
    const auto holds = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return back_offs_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(120));
  }
  int frames() const { return frames_; }

 private:
  std::atomic<int> frames_ = 0;
  absl::Mutex mutex_;
  int back_offs_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A stream of `cycles` connections to `address`, each cut by the server; gone at the end, with its thread and
// what the allocator cached for that.
void Cycle(const std::string& address, int cycles) {
  SourceOptions options;
  options.address = address;
  options.back_off_max_s = 0;
  CountingObserver observer;
  auto stream = CameraStream::Create(options, {}, &observer).value();
  ASSERT_TRUE(observer.WaitForBackOffs(cycles)) << stream->status().last_error;
  EXPECT_GE(stream->status().connects, static_cast<uint64_t>(cycles) * 9 / 10) << stream->status().last_error;
  EXPECT_GT(observer.frames(), cycles / 2);
}

void ExpectNothingLeft(const std::string& address, int cycles) {
  constexpr size_t kSwayBytes = 8 << 10;  // of what the allocator caches for the test's own thread
  Cycle(address, 50);
  const Held before;
  Cycle(address, cycles);
  const Held after;
  std::printf("%d cycles: threads %+ld, descriptors %+ld, heap %+ld bytes\n", cycles,
              static_cast<long>(after.threads - before.threads),
              static_cast<long>(after.descriptors - before.descriptors),
              static_cast<long>(after.heap_bytes - before.heap_bytes));
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_LE(after.heap_bytes, before.heap_bytes + kSwayBytes);
}

TEST(StreamLeak, a_thousand_connections_over_http_leave_nothing_behind) {
  const TemporaryFolder folder = TemporaryFolder::Create().value();
  Shell(fmt::format("cd '{}' && ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:r=1 -frames:v 1 a.jpg",
                    folder.path().string()));
  const std::string picture = folder.path() / "a.jpg";
  TestServer server({picture, picture}, "src/cameras/stream/test_http_camera.py");
  ExpectNothingLeft(server.Url("/cut"), 1000);
}

TEST(StreamLeak, connections_over_rtsp_leave_nothing_behind) {
  const TemporaryFolder folder = TemporaryFolder::Create().value();
  Shell(
      fmt::format("cd '{}' && ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:r=25 -frames:v 6 -c:v libx264 "
                  "-tune zerolatency -bsf:v dump_extra -pix_fmt yuv420p -flags +global_header a.mp4",
                  folder.path().string()));
  TestServer server({folder.path() / "a.mp4"}, "tests/rtsp_server.py");
  ExpectNothingLeft(server.Url("/live", "rtsp"), 1000);
}

}  // namespace
}  // namespace sightline::cameras
