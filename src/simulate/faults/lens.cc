// What is on the lens, before it, or wrong with its focus.
#include <cmath>

#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

// Grease on the lens lies far out of focus: behind it the picture is dimmer, blurred, and veiled by light
// scattered from all around.
class Smudge final : public Effect {
 public:
  explicit Smudge(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 1);
    const double width = fault.region.width(), height = fault.region.height();
    x_ = fault.region.x1 + width * random.Uniform(0.4, 0.6);
    y_ = fault.region.y1 + height * random.Uniform(0.4, 0.6);
    const double size = Pick<double>(fault, {0.17, 0.26, 0.36, 0.48, 0.78});
    radius_x_ = width * size * random.Uniform(0.9, 1.1);
    radius_y_ = height * size * random.Uniform(1.0, 1.25);
    turn_ = random.Uniform(-0.6, 0.6);
  }

  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    mask_.Prepare(in, [this](double x, double y) { return Shape(x, y); });
    const double opacity =
        Pick<double>(fault_, {0.62, 0.75, 0.88, 0.96, 1}) * SmoothStep(0, 0.4, moment.strength);
    mask_.Weigh(moment.strength, [&](double shape) {  // shape: 1 in the middle, 0.5 at the full patch's edge
      const double edge = 0.95 - 0.5 * moment.strength;
      return opacity * SmoothStep(edge, edge + 0.3, shape);
    });
    const int height = in.size.height;
    const double blur = Pick<double>(fault_, {0.010, 0.016, 0.024, 0.034, 0.055}) * height;
    const double veil = Pick<double>(fault_, {0.12, 0.2, 0.3, 0.42, 0.6});
    const double passes = Pick<double>(fault_, {0.94, 0.88, 0.8, 0.72, 0.62});
    const int lift = Pick<int>(fault_, {4, 7, 10, 14, 18});
    for (int i = 0; i < in.count; ++i) {
      const ConstPlane& from = in.planes[i];
      const double scale = static_cast<double>(from.width) / in.size.width;
      const MutablePlane near = near_.Sized(from.width, from.height),
                         far = far_.Sized(from.width, from.height);
      near_blur_.Apply(from, std::max(1.0, blur * scale), near);
      far_blur_.Apply(from, std::max(1.0, 0.16 * height * scale), far);
      const int base = i == 0 ? in.black : 128;
      const int a = static_cast<int>(256 * passes * (1 - veil)), b = static_cast<int>(256 * passes * veil);
      const int rest = 256 * (i == 0 ? lift : 0) + base * (256 - a - b);
      for (int y = 0; y < from.height; ++y) {
        const uint8_t *sharp = from.row(y), *n = near.row(y), *f = far.row(y), *mask = mask_.row(i, y);
        uint8_t* to = out.planes[i].row(y);
        for (int x = 0; x < from.width; ++x) {
          const int through = (n[x] * a + f[x] * b + rest) >> 8;
          to[x] = ToByte(sharp[x] + (((through - sharp[x]) * (mask[x] + (mask[x] >> 7)) + 128) >> 8));
        }
      }
    }
  }

 private:
  double Shape(double x, double y) const {
    const double cosine = Cos(turn_), sine = Sin(turn_);
    const double dx = (x - x_) / radius_x_, dy = (y - y_) / radius_y_;
    const double u = dx * cosine + dy * sine, v = dy * cosine - dx * sine;
    // An irregular outline, and the streaks that a wiping hand leaves.
    const double outline = 0.75 * (Cloud(1.3 * u + 9, 1.3 * v + 5, fault_.seed, 3) - 0.5);
    const double streaks = 0.3 * (Cloud(1.2 * u + 3, 9 * v + 7, fault_.seed + 50, 2) - 0.5);
    return 1 - (std::sqrt(u * u + v * v) + outline + streaks) / 2;
  }

  Fault fault_;
  double x_, y_, radius_x_, radius_y_, turn_;
  ShapeMask mask_;
  SoftBlur near_blur_, far_blur_;
  PlaneBuffer near_, far_;
};

// Each drop is a lens of its own with a very short focal length: it shows nearly the whole scene, small and
// upside down, out of focus as it lies on the camera's lens; its rim turns light away and looks dark above,
// bright below.
class Droplets final : public Effect {
 public:
  explicit Droplets(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 2);
    const double area =
        std::sqrt(std::max(1e-4, static_cast<double>(fault.region.width()) * fault.region.height()));
    const int count = std::max(2, static_cast<int>(Pick<int>(fault, {5, 16, 42, 90, 170}) * area));
    const double radius = Pick<double>(fault, {0.03, 0.037, 0.045, 0.056, 0.07});
    for (int i = 0; i < count; ++i) {
      Drop drop;
      drop.x = random.Uniform(fault.region.x1, fault.region.x2);
      drop.y = random.Uniform(fault.region.y1, fault.region.y2);
      drop.radius = radius * Exp(std::clamp(random.Normal(0, 0.42), -1.0, 0.9));
      drop.stretch = random.Uniform(0.9, 1.25);
      drop.lobe = random.Uniform(-0.14, 0.14);
      drop.lean = random.Uniform(-0.1, 0.1);
      drops_.push_back(drop);
    }
  }

  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    if (!(in.size == size_) || in.count != count_ || in.shift_x != shift_x_ || in.shift_y != shift_y_)
      Draw(in);
    const double shown = moment.strength * static_cast<double>(drops_.size());
    for (int i = 0; i < in.count; ++i) {
      const ConstPlane& from = in.planes[i];
      Copy(from, out.planes[i]);
      const MutablePlane soft = soft_.Sized(from.width, from.height);
      blur_.Apply(from, std::max(1.0, 0.028 * from.height), soft);
      for (size_t d = 0; d < drops_.size() && static_cast<double>(d) < shown; ++d) {
        const int in_256 = static_cast<int>(256 * std::min(1.0, shown - static_cast<double>(d)));
        const auto& drawn = drawn_[i == 0 ? 0 : 1];
        for (size_t k = drawn.begin[d]; k < drawn.begin[d + 1]; ++k) {
          const Sample& sample = drawn.samples[k];
          uint8_t& to = out.planes[i].row(sample.y)[sample.x];
          int seen = soft.row(sample.from_y)[sample.from_x];
          if (i == 0) {
            seen = in.black + (((seen - in.black) * sample.gain) >> 7);
            seen = std::min(seen, in.white);
          }
          to = ToByte(to + (((seen - to) * ((sample.weight * in_256) >> 8) + 128) >> 8));
        }
      }
    }
  }

 private:
  struct Drop {
    double x, y, radius, stretch, lobe, lean;
  };
  struct Sample {
    uint16_t x, y, from_x, from_y;
    uint16_t weight;  // 0..256
    uint8_t gain;     // in 1/128
  };
  struct Drawn {
    std::vector<Sample> samples;
    std::vector<size_t> begin;
  };

  void Draw(const Picture& in) {
    size_ = in.size;
    count_ = in.count;
    shift_x_ = in.shift_x;
    shift_y_ = in.shift_y;
    for (int i = 0; i < std::min(2, in.count); ++i) {
      Drawn& drawn = drawn_[i];
      drawn.samples.clear();
      drawn.begin.assign(1, 0);
      for (const Drop& drop : drops_) {
        DrawDrop(drop, in.planes[i], in, &drawn);
        drawn.begin.push_back(drawn.samples.size());
      }
    }
  }

  static void DrawDrop(const Drop& drop, const ConstPlane& plane, const Picture& in, Drawn* drawn) {
    const double scale_x = static_cast<double>(plane.width) / in.size.width;
    const double scale_y = static_cast<double>(plane.height) / in.size.height;
    const double side = std::min(in.size.width, in.size.height);
    const double radius = std::max(1.5, drop.radius * side);
    const double rx = radius * scale_x, ry = radius * drop.stretch * scale_y;
    const double cx = drop.x * plane.width, cy = drop.y * plane.height;
    const auto mirror = [](double at, int length) {
      const int last = length - 1;
      int value = static_cast<int>(std::floor(at));
      if (value < 0) value = -value;
      if (value > last) value = std::max(0, 2 * last - value);
      return static_cast<uint16_t>(std::min(value, last));
    };
    for (int y = std::max(0, static_cast<int>(cy - 1.4 * ry));
         y < std::min<double>(plane.height, cy + 1.4 * ry); ++y) {
      for (int x = std::max(0, static_cast<int>(cx - 1.4 * rx));
           x < std::min<double>(plane.width, cx + 1.4 * rx); ++x) {
        const double v = (y + 0.5 - cy) / ry, u = (x + 0.5 - cx) / rx + drop.lean * v;
        const double square = u * u + v * v;
        const double twice = square > 0 ? (u * u - v * v) / square : 0;
        const double rho = std::sqrt(square) * (1 + drop.lobe * twice);
        const double weight = 1 - SmoothStep(0.45, 1.12, rho);
        if (weight <= 0.004) continue;
        // The view through it spreads towards the rim.
        const double spread = side * 0.36 * (1 + 0.7 * square);
        const double rim = SmoothStep(0.5, 0.95, rho);
        double gain = 1.1 - 0.08 * rim + 0.36 * rim * v;
        const double spot = (u + 0.33) * (u + 0.33) + (v + 0.4) * (v + 0.4);
        gain += 0.12 * (1 - SmoothStep(0.0, 0.2, spot));
        drawn->samples.push_back({static_cast<uint16_t>(x), static_cast<uint16_t>(y),
                                  mirror(cx - u * spread * scale_x, plane.width),
                                  mirror(cy - v * spread * scale_y, plane.height),
                                  static_cast<uint16_t>(256 * weight * 0.97),
                                  static_cast<uint8_t>(std::clamp(gain * 128, 0.0, 255.0))});
      }
    }
  }

  Fault fault_;
  std::vector<Drop> drops_;
  Size size_;
  int count_ = 0, shift_x_ = 0, shift_y_ = 0;
  Drawn drawn_[2];
  SoftBlur blur_;
  PlaneBuffer soft_;
};

// A hand, a leaf, tape: opaque, near black, its edge far out of focus. It comes in from one side.
class Cover final : public Effect {
 public:
  explicit Cover(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 3);
    const double angle = random.Uniform(0, 2 * kPi);
    direction_x_ = Cos(angle);
    direction_y_ = Sin(angle);
  }

  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    mask_.Prepare(in, [this](double x, double y) { return Shape(x, y); });
    const double full = Pick<double>(fault_, {0.3, 0.42, 0.56, 0.72, 1.2});
    const double reach = 0.08 + (full - 0.08) * moment.strength;
    mask_.Weigh(moment.strength,
                [&](double shape) { return 1 - SmoothStep(reach - 0.075, reach + 0.06, shape); });
    const std::array<int, 3> colour{in.black + (in.white - in.black) * 9 / 100, 126, 132};
    for (int i = 0; i < in.count; ++i) {
      const ConstPlane& from = in.planes[i];
      for (int y = 0; y < from.height; ++y) {
        const uint8_t *seen = from.row(y), *mask = mask_.row(i, y);
        uint8_t* to = out.planes[i].row(y);
        for (int x = 0; x < from.width; ++x) {
          to[x] =
              ToByte(seen[x] +
                     (((colour[static_cast<size_t>(i)] - seen[x]) * (mask[x] + (mask[x] >> 7)) + 128) >> 8));
        }
      }
    }
  }

 private:
  // Depth of the place behind the region's side from which the cover comes: 0.1..0.9 over the region.
  double Shape(double x, double y) const {
    const double u = (x - fault_.region.x1) / fault_.region.width() - 0.5;
    const double v = (y - fault_.region.y1) / fault_.region.height() - 0.5;
    const double along = u * direction_x_ + v * direction_y_, across = v * direction_x_ - u * direction_y_;
    const double extent = 0.5 * (std::abs(direction_x_) + std::abs(direction_y_));
    const double wobble = 0.22 * (Cloud(2.2 * across + 4, 1.1 * along + 4, fault_.seed, 2) - 0.5);
    return 0.1 + 0.8 * (0.5 + 0.5 * along / extent + 0.35 * across * across + wobble);
  }

  Fault fault_;
  double direction_x_, direction_y_;
  ShapeMask mask_;
};

class Defocus final : public Effect {
 public:
  explicit Defocus(const Fault& fault) : fault_(fault) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double share = Pick<double>(fault_, {0.004, 0.009, 0.017, 0.029, 0.05});
    const double radius = std::max(0.7 * fault_.severity, share * in.size.height) * moment.strength;
    for (int i = 0; i < in.count; ++i) {
      const double scale = static_cast<double>(in.planes[i].width) / in.size.width;
      blur_[i == 0 ? 0 : 1].Apply(in.planes[i], radius * scale, i == 0, out.planes[i]);
    }
  }

 private:
  Fault fault_;
  DiscBlur blur_[2];
};

}  // namespace

std::unique_ptr<Effect> MakeSmudge(const Fault& fault) { return std::make_unique<Smudge>(fault); }
std::unique_ptr<Effect> MakeDroplets(const Fault& fault) { return std::make_unique<Droplets>(fault); }
std::unique_ptr<Effect> MakeCover(const Fault& fault) { return std::make_unique<Cover>(fault); }
std::unique_ptr<Effect> MakeDefocus(const Fault& fault) { return std::make_unique<Defocus>(fault); }

}  // namespace sightline::simulate
