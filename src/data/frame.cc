#include "data/frame.h"

#include "base/check.h"

namespace sightline {
namespace {

constexpr size_t kShelfFramesMax = 64;
constexpr size_t kAlignment = 64;

size_t AlignUp(size_t value) { return (value + kAlignment - 1) / kAlignment * kAlignment; }

// Hands out blocks of one size from a free list: the control blocks of shared pointers.
class BlockShelf {
 public:
  ~BlockShelf() {
    for (void* block : blocks_) ::operator delete(block);
  }
  void* Take(size_t bytes) {
    absl::MutexLock lock(&mutex_);
    if (bytes != bytes_ || blocks_.empty()) {
      bytes_ = bytes;
      return ::operator new(bytes);
    }
    void* block = blocks_.back();
    blocks_.pop_back();
    return block;
  }
  void Return(void* block, size_t bytes) {
    absl::MutexLock lock(&mutex_);
    if (bytes == bytes_ && blocks_.size() < kShelfFramesMax) {
      blocks_.push_back(block);
    } else {
      ::operator delete(block);
    }
  }

 private:
  absl::Mutex mutex_;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<void*> blocks_ ABSL_GUARDED_BY(mutex_);
};

template <typename T>
struct BlockAllocator {
  using value_type = T;
  std::shared_ptr<BlockShelf> shelf;
  explicit BlockAllocator(std::shared_ptr<BlockShelf> s) : shelf(std::move(s)) {}
  template <typename U>
  BlockAllocator(const BlockAllocator<U>& other) : shelf(other.shelf) {}  // NOLINT: allocators convert
  T* allocate(size_t n) { return static_cast<T*>(shelf->Take(n * sizeof(T))); }
  void deallocate(T* p, size_t n) { shelf->Return(p, n * sizeof(T)); }
  template <typename U>
  bool operator==(const BlockAllocator<U>& other) const {
    return shelf == other.shelf;
  }
};

}  // namespace

std::string_view Name(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
      return "gray8";
    case PixelFormat::kRgb24:
      return "rgb24";
    case PixelFormat::kYuv420:
      return "yuv420";
    case PixelFormat::kYuv422:
      return "yuv422";
    case PixelFormat::kYuv444:
      return "yuv444";
    case PixelFormat::kNv12:
      return "nv12";
  }
  return "unknown";
}

int PlaneCount(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
    case PixelFormat::kRgb24:
      return 1;
    case PixelFormat::kNv12:
      return 2;
    case PixelFormat::kYuv420:
    case PixelFormat::kYuv422:
    case PixelFormat::kYuv444:
      return 3;
  }
  return 0;
}

Size PlaneSize(PixelFormat format, Size size, int index) {
  const Size half{(size.width + 1) / 2, (size.height + 1) / 2};
  if (format == PixelFormat::kRgb24) return {size.width * 3, size.height};
  if (index == 0 || format == PixelFormat::kYuv444) return size;
  if (format == PixelFormat::kNv12) return {half.width * 2, half.height};
  if (format == PixelFormat::kYuv422) return {half.width, size.height};
  return half;
}

void Frame::Allocate(PixelFormat new_format, Size new_size) {
  CHECK(!new_size.empty()) << new_size.width << "x" << new_size.height;
  format = new_format;
  size = source_size = new_size;
  owner.reset();
  const int count = PlaneCount(new_format);
  std::array<size_t, 3> offsets{};
  size_t total = 0;
  for (int i = 0; i < count; ++i) {
    const Size plane = PlaneSize(new_format, new_size, i);
    planes[i].stride = static_cast<int>(AlignUp(static_cast<size_t>(plane.width)));
    offsets[i] = total;
    total += AlignUp(static_cast<size_t>(planes[i].stride) * static_cast<size_t>(plane.height));
  }
  if (storage.size() < total + kPadding + kAlignment) storage.resize(total + kPadding + kAlignment);
  const auto address = reinterpret_cast<uintptr_t>(storage.data());
  uint8_t* base = storage.data() + (AlignUp(address) - address);
  for (int i = 0; i < 3; ++i) planes[i] = i < count ? Plane{base + offsets[i], planes[i].stride} : Plane{};
}

uint8_t* Frame::mutable_plane(int index) {
  CHECK(owner == nullptr) << "the samples belong to somebody else";
  return const_cast<uint8_t*>(planes[index].data);  // NOLINT: points into our own storage
}

struct FramePool::Shelf {
  absl::Mutex mutex;
  std::vector<std::unique_ptr<Frame>> frames ABSL_GUARDED_BY(mutex);
  std::shared_ptr<BlockShelf> blocks = std::make_shared<BlockShelf>();
};

FramePool::FramePool() : shelf_(std::make_shared<Shelf>()) {
  absl::MutexLock lock(&shelf_->mutex);
  shelf_->frames.reserve(kShelfFramesMax);
}

std::shared_ptr<Frame> FramePool::Acquire() {
  std::unique_ptr<Frame> frame;
  {
    absl::MutexLock lock(&shelf_->mutex);
    if (!shelf_->frames.empty()) {
      frame = std::move(shelf_->frames.back());
      shelf_->frames.pop_back();
    }
  }
  if (frame == nullptr) frame = std::make_unique<Frame>();
  auto put_back = [shelf = shelf_](Frame* returned) {
    std::unique_ptr<Frame> owned(returned);
    owned->owner.reset();
    owned->time_s.reset();
    absl::MutexLock lock(&shelf->mutex);
    if (shelf->frames.size() < kShelfFramesMax) shelf->frames.push_back(std::move(owned));
  };
  return std::shared_ptr<Frame>(frame.release(), std::move(put_back), BlockAllocator<Frame>(shelf_->blocks));
}

}  // namespace sightline
