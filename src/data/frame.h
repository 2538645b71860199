// A decoded picture or video frame: planes of 8-bit samples, upright, immutable once shared.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "data/geometry.h"

namespace sightline {

// Plane layouts. Chroma planes of kYuv420/kNv12 have (w+1)/2 x (h+1)/2 samples, of kYuv422 (w+1)/2 x h.
// kNv12: plane 1 interleaves U, V. kRgb24: one plane, R, G, B bytes. Chroma samples are centred (JPEG, MPEG-1
// siting).
enum class PixelFormat { kGray8, kRgb24, kYuv420, kYuv422, kYuv444, kNv12 };
enum class ColorMatrix { kBt601, kBt709, kBt2020 };
enum class ColorRange { kFull, kLimited };  // JPEG is kBt601 kFull

std::string_view Name(PixelFormat format);
int PlaneCount(PixelFormat format);
// Size of plane `index` in bytes per row (width) and rows (height) for a picture of `size`.
Size PlaneSize(PixelFormat format, Size size, int index);

struct Plane {
  const uint8_t* data = nullptr;
  int stride = 0;  // bytes between rows; at least the plane's width
};

// Lifetime: planes point into memory that the frame owns (`storage`) or keeps alive (`owner`). Rows may be
// read up to 64 bytes past their end (kPadding), but what lies there is unspecified. Threads: immutable after
// it is handed over as FramePtr.
struct Frame {
  static constexpr int kPadding = 64;

  Size size;         // of the stored samples
  Size source_size;  // of the picture as displayed at full resolution; larger than `size` when decoded at a
                     // smaller scale
  PixelFormat format = PixelFormat::kRgb24;
  ColorMatrix matrix = ColorMatrix::kBt601;
  ColorRange range = ColorRange::kFull;
  std::array<Plane, 3> planes;
  std::optional<double> time_s;  // seconds since the start of the video; none for pictures
  std::vector<uint8_t> storage;
  std::shared_ptr<const void> owner;

  // Lays out planes for `format` and `size` in `storage` (rows aligned to 64 bytes; capacity is reused) and
  // sets size, source_size and format. The samples are uninitialised or of an earlier picture.
  void Allocate(PixelFormat new_format, Size new_size);
  uint8_t* mutable_plane(int index);
};
using FramePtr = std::shared_ptr<const Frame>;

// Recycles frames, so that decoding allocates nothing once warm. Threads: safe. A frame may outlive its pool.
class FramePool {
 public:
  FramePool();
  // A frame to fill: not shared with anybody. Returns to the pool when the last pointer to it goes.
  std::shared_ptr<Frame> Acquire();

 private:
  struct Shelf;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace sightline
