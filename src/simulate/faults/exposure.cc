// Too little light, too much, or in the wrong place.
#include <cmath>

#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

using Table = std::array<uint8_t, 256>;

// Luma by a table of levels; chroma towards grey by a table of factors (1/256) of the luma there.
void Tone(const Picture& in, const Table& luma, const std::array<int16_t, 256>& colour, MutablePicture& out) {
  for (int y = 0; y < in.size.height; ++y) {
    const uint8_t* from = in.planes[0].row(y);
    uint8_t* to = out.planes[0].row(y);
    for (int x = 0; x < in.size.width; ++x) to[x] = luma[from[x]];
  }
  for (int i = 1; i < in.count; ++i) {
    for (int y = 0; y < in.planes[i].height; ++y) {
      const uint8_t* light = in.planes[0].row(std::min(y << in.shift_y, in.size.height - 1));
      const uint8_t* from = in.planes[i].row(y);
      uint8_t* to = out.planes[i].row(y);
      for (int x = 0; x < in.planes[i].width; ++x) {
        const int factor = colour[light[std::min(x << in.shift_x, in.size.width - 1)]];
        to[x] = ToByte(128 + (((from[x] - 128) * factor + 128) >> 8));
      }
    }
  }
}

double Power(double base, double exponent) { return base <= 0 ? 0 : Exp(exponent * Log(base)); }

class Black final : public Effect {
 public:
  explicit Black(const Fault& fault) : fault_(fault) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double left = 1 - Pick<double>(fault_, {0.25, 0.5, 0.75, 0.9, 1}) * moment.strength;
    Table luma;
    std::array<int16_t, 256> colour;
    colour.fill(static_cast<int16_t>(std::lround(256 * left)));
    for (int i = 0; i < 256; ++i) {
      luma[static_cast<size_t>(i)] = ToByte(static_cast<int>(std::lround(in.black + (i - in.black) * left)));
    }
    Tone(in, luma, colour, out);
  }

 private:
  Fault fault_;
};

// Stops more or less light on the sensor, which clips at white and drowns in noise at black.
class Exposure final : public Effect {
 public:
  Exposure(const Fault& fault, int way) : fault_(fault), way_(way), noise_(fault.seed) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double stops = Pick<double>(fault_, {0.5, 1.2, 2.2, 3.6, 5.5}) * moment.strength;
    const double light = Power(2, way_ * stops), range = in.white - in.black;
    Table luma;
    std::array<int16_t, 256> colour, gain;
    for (int i = 0; i < 256; ++i) {
      const double level = std::clamp((i - in.black) / range, 0.0, 1.0);
      const double linear = Power(level, 2.2) * light + (way_ > 0 ? 0.0012 * (light - 1) : 0);
      const double soft = linear < 0.8 ? linear : 1 - 0.2 * Exp(-(linear - 0.8) / 0.2);
      const double seen = Power(soft, 1 / 2.2);
      luma[static_cast<size_t>(i)] = ToByte(static_cast<int>(std::lround(in.black + seen * range)));
      const double factor =
          way_ > 0 ? std::min(1.6, seen / std::max(level, 0.02)) * (1 - SmoothStep(0.72, 0.99, seen))
                   : seen / std::max(level, 0.02);
      colour[static_cast<size_t>(i)] = static_cast<int16_t>(256 * std::min(factor, 2.0));
      gain[static_cast<size_t>(i)] =
          static_cast<int16_t>(8 * Pick<double>(fault_, {0.7, 1.4, 2.2, 3, 3.5}) * moment.strength);
    }
    Tone(in, luma, colour, out);
    if (way_ > 0) return;
    const ConstPlane dark = out.planes[0];
    AddNoise(dark, noise_, Hash(fault_.seed, moment.number), gain, out.planes[0]);
  }

 private:
  Fault fault_;
  int way_;
  NoiseTable noise_;
};

// A lamp or the sun in or near the picture: a burnt core, a bloom, rays of the diaphragm, a ghost on the
// other side of the centre, and a veil over everything.
class Glare final : public Effect {
 public:
  explicit Glare(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 21);
    x_ = fault.region.x1 + fault.region.width() * random.Uniform(0.3, 0.7);
    y_ = fault.region.y1 + fault.region.height() * random.Uniform(0.18, 0.36);
    turn_ = random.Uniform(0, kPi / 6);
  }
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double aspect = static_cast<double>(in.size.width) / in.size.height;
    mask_.Prepare(in, [&](double x, double y) { return Shape(x, y, aspect); });
    const double power = Pick<double>(fault_, {0.04, 0.13, 0.4, 1.2, 4}) * moment.strength;
    mask_.Weigh(moment.strength,
                [&](double shape) {  // light falls off over decades: the shape holds its root
                  const double light = power * shape * shape * shape * 9;
                  return 1 - Exp(-light);
                });
    const std::array<int, 3> colour{in.white, 119, 134};
    for (int i = 0; i < in.count; ++i) {
      for (int y = 0; y < in.planes[i].height; ++y) {
        const uint8_t *from = in.planes[i].row(y), *mask = mask_.row(i, y);
        uint8_t* to = out.planes[i].row(y);
        const int aim = colour[static_cast<size_t>(i)];
        for (int x = 0; x < in.planes[i].width; ++x) {
          const int weight = mask[x] + (mask[x] >> 7);
          // Where it burns out, white has no colour.
          const int target = i == 0 ? aim : aim + (((128 - aim) * weight) >> 8);
          to[x] = ToByte(from[x] + (((target - from[x]) * weight + 128) >> 8));
        }
      }
    }
  }

 private:
  double Shape(double x, double y, double aspect) const {
    const double dx = (x - x_) * aspect, dy = y - y_;
    const double distance = std::sqrt(dx * dx + dy * dy) + 1e-6;
    const double core = (1 - SmoothStep(0.03, 0.10, distance)) + 1 / (1 + distance * distance * 420);
    const double bloom = 0.085 / (0.12 + distance);
    double rays = 0;
    for (int i = 0; i < 6; ++i) {  // six blades: twelve rays of two lengths
      const double angle = turn_ + i * kPi / 6;
      const double across = std::abs(dx * Sin(angle) - dy * Cos(angle));
      const double length = i % 2 == 0 ? 0.55 : 0.3;
      rays += Exp(-across / (0.006 + 0.012 * distance)) * Exp(-distance / length) * 0.55;
    }
    const double gx = (x - (1 - x_)) * aspect, gy = y - (1 - y_);
    const double ghost_distance = std::sqrt(gx * gx + gy * gy);
    const double ghost = 0.035 * (1 - SmoothStep(0.07, 0.085, ghost_distance)) +
                         0.02 * (1 - SmoothStep(0.025, 0.03, ghost_distance));
    const double light = core + 0.3 * bloom + rays * 0.5 + ghost + 0.02;
    return std::cbrt(std::min(1.0, light / 1.6));
  }

  Fault fault_;
  double x_, y_, turn_;
  ShapeMask mask_;
};

}  // namespace

std::unique_ptr<Effect> MakeBlack(const Fault& fault) { return std::make_unique<Black>(fault); }
std::unique_ptr<Effect> MakeOverexposure(const Fault& fault) { return std::make_unique<Exposure>(fault, 1); }
std::unique_ptr<Effect> MakeUnderexposure(const Fault& fault) {
  return std::make_unique<Exposure>(fault, -1);
}
std::unique_ptr<Effect> MakeGlare(const Fault& fault) { return std::make_unique<Glare>(fault); }

}  // namespace sightline::simulate
