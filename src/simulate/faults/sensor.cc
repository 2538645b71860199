// The sensor: noise, mains flicker, and the switch to infrared at night.
#include <cmath>

#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

std::array<int16_t, 256> Even(double deviation) {
  std::array<int16_t, 256> gain;
  gain.fill(static_cast<int16_t>(std::lround(deviation * 8)));  // the table's deviation is 32
  return gain;
}

class Noise final : public Effect {
 public:
  explicit Noise(const Fault& fault) : fault_(fault), table_(fault.seed) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double deviation = Pick<double>(fault_, {3, 8, 17, 35, 70}) * moment.strength;
    const uint64_t hash = Hash(fault_.seed, moment.number);
    std::array<int16_t, 256> gain;
    for (int i = 0; i < 256; ++i) {  // the gain that a dark scene needs shows most in its dark parts
      gain[static_cast<size_t>(i)] =
          static_cast<int16_t>(std::lround(8 * deviation * (1.15 - 0.3 * i / 255)));
    }
    AddNoise(in.planes[0], table_, hash, gain, out.planes[0]);
    for (int i = 1; i < in.count; ++i) {
      AddNoise(in.planes[i], table_, hash + static_cast<uint64_t>(i), Even(0.55 * deviation), out.planes[i]);
    }
  }

 private:
  Fault fault_;
  NoiseTable table_;
};

// A rolling shutter under lamps on alternating current: rows are exposed at different times of its cycle, and
// as the frame rate does not divide the mains', the bars roll.
class Banding final : public Effect {
 public:
  explicit Banding(const Fault& fault) : fault_(fault) {
    Random random(fault.seed, 31);
    bars_ = random.Uniform(3.2, 5.2);
    phase_ = random.Unit();
  }
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double depth = Pick<double>(fault_, {0.06, 0.18, 0.4, 0.7, 1}) * moment.strength;
    const double turn = std::fmod(0.6 * moment.time_s, 1.0) + phase_;
    for (int i = 0; i < in.count; ++i) {
      for (int y = 0; y < in.planes[i].height; ++y) {
        const double wave = Cos(2 * kPi * (bars_ * (y + 0.5) / in.planes[i].height + turn));
        const double dark = std::sqrt(0.5 - 0.5 * wave);  // lamps go dark for a short part of the cycle only
        const int gain =
            static_cast<int>(std::lround(256 * (1 - depth * (1 - 0.55 * dark) * (1 - dark * dark * 0.9))));
        const int base = i == 0 ? in.black : 128;
        const uint8_t* from = in.planes[i].row(y);
        uint8_t* to = out.planes[i].row(y);
        for (int x = 0; x < in.planes[i].width; ++x)
          to[x] = ToByte(base + (((from[x] - base) * gain + 128) >> 8));
      }
    }
  }

 private:
  Fault fault_;
  double bars_, phase_;
};

// The filter against infrared swings away and the camera's own lamps light the scene: no colour, foliage and
// cloth bright, the middle burnt out, the corners dark, the gain up.
class Infrared final : public Effect {
 public:
  explicit Infrared(const Fault& fault) : fault_(fault), table_(fault.seed) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double x0 = (fault_.region.x1 + fault_.region.x2) * 0.5;
    const double y0 = fault_.region.y1 + 0.55 * fault_.region.height();
    mask_.Prepare(in, [&](double x, double y) {
      const double dx = (x - x0) / fault_.region.width(), dy = (y - y0) / fault_.region.height();
      return 1 - 1.4 * std::sqrt(dx * dx + dy * dy);
    });
    mask_.Weigh(1, [](double shape) { return shape; });
    const double s = moment.strength;
    const double colour = 1 - Pick<double>(fault_, {0.6, 1, 1, 1, 1}) * s;
    const double tone = Pick<double>(fault_, {0.15, 0.6, 1, 1, 1}) * s;
    const double spot = Pick<double>(fault_, {0, 0.15, 0.32, 0.62, 1.5}) * s;
    const double fall = Pick<double>(fault_, {0.03, 0.22, 0.48, 0.78, 1}) * s;
    const double range = in.white - in.black;
    std::array<int16_t, 256> curve, light, by_place;
    for (int i = 0; i < 256; ++i) {
      const double level = std::clamp((i - in.black) / range, 0.0, 1.0);
      const double lifted = level * (1 - tone) + tone * (0.06 + 0.94 * Exp(0.8 * Log(level + 1e-4)));
      curve[static_cast<size_t>(i)] = static_cast<int16_t>(std::lround(lifted * range));
      const double place = i / 255.0;  // 1 at the lamps' axis
      by_place[static_cast<size_t>(i)] = static_cast<int16_t>(
          256 * ((1 - fall * (1 - SmoothStep(0.0, 0.75, place))) + spot * SmoothStep(0.45, 1, place)));
      light[static_cast<size_t>(i)] =
          static_cast<int16_t>(std::min(1.0, spot * 0.35) * range * SmoothStep(0.6, 1, place));
    }
    for (int y = 0; y < in.size.height; ++y) {
      const uint8_t *from = in.planes[0].row(y), *mask = mask_.row(0, y);
      uint8_t* to = out.planes[0].row(y);
      for (int x = 0; x < in.size.width; ++x) {
        const int lit = ((curve[from[x]] * by_place[mask[x]]) >> 8) + light[mask[x]];
        to[x] = static_cast<uint8_t>(std::min(in.white, in.black + lit));
      }
    }
    const uint64_t hash = Hash(fault_.seed, moment.number);
    const double deviation = Pick<double>(fault_, {1, 3, 7, 13, 24}) * s;
    const ConstPlane clean = out.planes[0];
    AddNoise(clean, table_, hash, Even(deviation), out.planes[0]);
    const int keep = static_cast<int>(256 * std::max(0.0, colour));
    for (int i = 1; i < in.count; ++i) {
      for (int y = 0; y < in.planes[i].height; ++y) {
        const uint8_t* from = in.planes[i].row(y);
        uint8_t* to = out.planes[i].row(y);
        for (int x = 0; x < in.planes[i].width; ++x)
          to[x] = ToByte(128 + (((from[x] - 128) * keep + 128) >> 8));
      }
    }
  }

 private:
  Fault fault_;
  NoiseTable table_;
  ShapeMask mask_;
};

}  // namespace

std::unique_ptr<Effect> MakeNoise(const Fault& fault) { return std::make_unique<Noise>(fault); }
std::unique_ptr<Effect> MakeBanding(const Fault& fault) { return std::make_unique<Banding>(fault); }
std::unique_ptr<Effect> MakeInfrared(const Fault& fault) { return std::make_unique<Infrared>(fault); }

}  // namespace sightline::simulate
