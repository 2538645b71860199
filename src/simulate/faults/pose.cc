// The camera does not look where it did.
#include <cmath>

#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

// Where a sample of the new view lies in the old one, as shares of the picture's height from its centre.
struct View2d {
  double cosine = 1, sine = 0;  // scaled
  double x = 0, y = 0;
};

// What the old view did not see is made up: a little zoom hides most of it, the rest is mirrored, so that no
// border shows, as none would.
class Warp {
 public:
  void Apply(const Picture& in, const View2d& view, MutablePicture& out) {
    for (int i = 0; i < in.count; ++i) Plane(in.planes[i], in.size, view, out.planes[i]);
  }

 private:
  static int Mirror(int at, int length) {
    if (static_cast<unsigned>(at) < static_cast<unsigned>(length)) return at;
    const int period = 2 * length;
    at %= period;
    if (at < 0) at += period;
    return at < length ? at : period - 1 - at;
  }

  static void Plane(const ConstPlane& in, Size size, const View2d& view, const MutablePlane& out) {
    const double sx = static_cast<double>(in.width) / size.width,
                 sy = static_cast<double>(in.height) / size.height;
    const double cx = in.width * 0.5, cy = in.height * 0.5;
    const auto fixed = [](double value) { return static_cast<int64_t>(std::floor(value * 65536)); };
    const int64_t step_x = fixed(view.cosine), step_y = fixed(view.sine * sy / sx);
    for (int y = 0; y < in.height; ++y) {
      const double v = (y + 0.5 - cy) / sy, u = (0.5 - cx) / sx;
      int64_t at_x = fixed(cx - 0.5 + sx * (view.cosine * u - view.sine * v + view.x * size.height));
      int64_t at_y = fixed(cy - 0.5 + sy * (view.sine * u + view.cosine * v + view.y * size.height));
      uint8_t* to = out.row(y);
      for (int x = 0; x < in.width; ++x, at_x += step_x, at_y += step_y) {
        const int x0 = static_cast<int>(at_x >> 16), y0 = static_cast<int>(at_y >> 16);
        const int wx = static_cast<int>(at_x & 0xffff) >> 8, wy = static_cast<int>(at_y & 0xffff) >> 8;
        const int xa = Mirror(x0, in.width), xb = Mirror(x0 + 1, in.width);
        const uint8_t *a = in.row(Mirror(y0, in.height)), *b = in.row(Mirror(y0 + 1, in.height));
        const int upper = a[xa] * (256 - wx) + a[xb] * wx, lower = b[xa] * (256 - wx) + b[xb] * wx;
        to[x] = static_cast<uint8_t>((upper * (256 - wy) + lower * wy + (1 << 15)) >> 16);
      }
    }
  }
};

class Shift final : public Effect {
 public:
  explicit Shift(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 10);
    const double angle =
        random.Uniform(-0.5, 0.5) + (random.Chance(0.5) ? kPi : 0);  // turned rather than nodded
    x_ = Cos(angle);
    y_ = Sin(angle);
  }
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double share = Pick<double>(fault_, {0.015, 0.04, 0.08, 0.15, 0.25}) * moment.strength;
    const double aspect = static_cast<double>(in.size.width) / in.size.height;
    View2d view;
    view.cosine = 1 / std::min(1.06, 1 + 2 * share);
    view.x = share * aspect * x_;
    view.y = share * aspect * y_;
    warp_.Apply(in, view, out);
  }

 private:
  Fault fault_;
  double x_, y_;
  Warp warp_;
};

class Rotation final : public Effect {
 public:
  explicit Rotation(const Fault& fault) : fault_(fault), way_(Random(fault.seed, 11).Chance(0.5) ? 1 : -1) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double angle = Pick<double>(fault_, {1, 3, 7, 15, 30}) * moment.strength * way_ * kPi / 180;
    const double aspect = static_cast<double>(in.size.width) / in.size.height;
    const double ratio = std::max(aspect, 1 / aspect);
    const double zoom = std::min(1.25, Cos(angle) + ratio * std::abs(Sin(angle)));
    View2d view;
    view.cosine = Cos(angle) / zoom;
    view.sine = Sin(angle) / zoom;
    warp_.Apply(in, view, out);
  }

 private:
  Fault fault_;
  double way_;
  Warp warp_;
};

}  // namespace

std::unique_ptr<Effect> MakeShift(const Fault& fault) { return std::make_unique<Shift>(fault); }
std::unique_ptr<Effect> MakeRotation(const Fault& fault) { return std::make_unique<Rotation>(fault); }

}  // namespace sightline::simulate
