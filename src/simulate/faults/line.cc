// Between camera and us: too few bits, too few pixels.
#include <turbojpeg.h>

#include <cmath>
#include <cstring>

#include "base/check.h"
#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"

namespace sightline::simulate {
namespace {

// The least size whose half is still a sample.
int Smaller(int length, double factor) {
  return std::clamp(static_cast<int>(std::lround(length / factor)), 2, length);
}

class Compression final : public Effect {
 public:
  explicit Compression(const Fault& fault)
      : fault_(fault), pack_(tjInitCompress()), unpack_(tjInitDecompress()) {
    CHECK(pack_ != nullptr && unpack_ != nullptr);
  }
  ~Compression() override {
    tjDestroy(pack_);
    tjDestroy(unpack_);
    tjFree(bytes_);
  }
  Compression(const Compression&) = delete;
  Compression& operator=(const Compression&) = delete;

  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const int least = Pick<int>(fault_, {30, 16, 10, 7, 5});
    const int quality = static_cast<int>(std::lround(least + (1 - moment.strength) * (92 - least)));
    const double factor = 1 + (Pick<double>(fault_, {1, 1, 1.3, 1.9, 2.8}) - 1) * moment.strength;
    const Size size{Smaller(in.size.width, factor), Smaller(in.size.height, factor)};
    const int sampling = in.count == 1 ? TJSAMP_GRAY
                         : in.shift_y  ? TJSAMP_420
                         : in.shift_x  ? TJSAMP_422
                                       : TJSAMP_444;
    // The library's planes are whole in blocks of chroma: odd sizes are filled up with their last column and
    // row.
    const uint8_t* from[3] = {};
    uint8_t* planes[3] = {};
    int strides[3] = {};
    MutablePlane small[3];
    for (int i = 0; i < in.count; ++i) {
      const int width = tjPlaneWidth(i, size.width, sampling),
                height = tjPlaneHeight(i, size.height, sampling);
      small[i] = small_[i].Sized(width, height);
      Fit(in.planes[i], ChromaSize(size, in, i), small[i]);
      from[i] = planes[i] = small[i].data;
      strides[i] = small[i].stride;
    }
    Reserve(tjBufSize(size.width, size.height, sampling));
    unsigned long length = capacity_;  // NOLINT(google-runtime-int): the library's type
    const bool good =
        tjCompressFromYUVPlanes(pack_, from, size.width, strides, size.height, sampling, &bytes_, &length,
                                quality, TJFLAG_NOREALLOC) == 0 &&
        tjDecompressToYUVPlanes(unpack_, bytes_, length, planes, size.width, strides, size.height, 0) == 0;
    if (!good) {  // a picture that JPEG has no way to hold
      for (int i = 0; i < in.count; ++i) Copy(in.planes[i], out.planes[i]);
      return;
    }
    for (int i = 0; i < in.count; ++i) {
      const Size part = ChromaSize(size, in, i);
      const ConstPlane seen{small[i].data, small[i].stride, part.width, part.height};
      if (part.width == out.planes[i].width && part.height == out.planes[i].height) {
        Copy(seen, out.planes[i]);
      } else {
        resizer_.Enlarge(seen, out.planes[i]);
      }
    }
  }

 private:
  static Size ChromaSize(Size size, const Picture& in, int plane) {
    if (plane == 0) return size;
    return {(size.width + in.shift_x) >> in.shift_x, (size.height + in.shift_y) >> in.shift_y};
  }
  void Fit(const ConstPlane& in, Size size, const MutablePlane& out) {
    const MutablePlane inner{out.data, out.stride, std::min(size.width, out.width),
                             std::min(size.height, out.height)};
    if (inner.width == in.width && inner.height == in.height) {
      Copy(in, inner);
    } else {
      resizer_.Shrink(in, inner);
    }
    for (int y = 0; y < inner.height; ++y) {
      std::memset(out.row(y) + inner.width, out.row(y)[inner.width - 1],
                  static_cast<size_t>(out.width - inner.width));
    }
    for (int y = inner.height; y < out.height; ++y) {
      std::memcpy(out.row(y), out.row(inner.height - 1), static_cast<size_t>(out.width));
    }
  }
  void Reserve(size_t bytes) {
    if (bytes <= capacity_) return;
    tjFree(bytes_);
    bytes_ = tjAlloc(static_cast<int>(bytes));
    CHECK(bytes_ != nullptr);
    capacity_ = bytes;
  }

  Fault fault_;
  tjhandle pack_, unpack_;
  PlaneBuffer small_[3];
  Resizer resizer_;
  unsigned char* bytes_ = nullptr;
  size_t capacity_ = 0;
};

class LowResolution final : public Effect {
 public:
  explicit LowResolution(const Fault& fault) : fault_(fault) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double factor = 1 + (Pick<double>(fault_, {1.5, 2.5, 5, 10, 20}) - 1) * moment.strength;
    for (int i = 0; i < in.count; ++i) {
      const ConstPlane& from = in.planes[i];
      const int width = std::clamp(static_cast<int>(std::lround(from.width / factor)), 1, from.width);
      const int height = std::clamp(static_cast<int>(std::lround(from.height / factor)), 1, from.height);
      const MutablePlane small = small_.Sized(width, height);
      resizer_.Shrink(from, small);
      resizer_.Enlarge(small, out.planes[i]);
    }
  }

 private:
  Fault fault_;
  Resizer resizer_;
  PlaneBuffer small_;
};

}  // namespace

std::unique_ptr<Effect> MakeCompression(const Fault& fault) { return std::make_unique<Compression>(fault); }
std::unique_ptr<Effect> MakeLowResolution(const Fault& fault) {
  return std::make_unique<LowResolution>(fault);
}

}  // namespace sightline::simulate
