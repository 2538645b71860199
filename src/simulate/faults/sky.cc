// Weather between camera and street.
#include <cmath>

#include "simulate/faults/effect.h"
#include "simulate/faults/planes.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

// Contrast towards an even light: what hangs in the air.
void Veil(const ConstPlane& in, int towards, int weight, const MutablePlane& out) {
  for (int y = 0; y < in.height; ++y) {
    const uint8_t* from = in.row(y);
    uint8_t* to = out.row(y);
    for (int x = 0; x < in.width; ++x) to[x] = ToByte(from[x] + (((towards - from[x]) * weight + 128) >> 8));
  }
}

// Drops fall through the view in a few frames, drawn long by the exposure; near ones are longer, wider,
// fainter.
class Rain final : public Effect {
 public:
  explicit Rain(const Fault& fault) : fault_(fault), slant_(Random(fault.seed, 41).Uniform(-0.22, 0.22)) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    const double veil = Pick<double>(fault_, {0.05, 0.15, 0.3, 0.5, 0.74}) * moment.strength;
    const int grey = in.black + (Mean(in.planes[0]) - in.black + (in.white - in.black) * 6 / 10) / 2;
    for (int i = 0; i < in.count; ++i) {
      Veil(in.planes[i], i == 0 ? grey : 128, static_cast<int>(256 * veil), out.planes[i]);
    }
    const double scale = in.size.height / 360.0;
    const double area = std::max(0.02, static_cast<double>(fault_.region.width()) * fault_.region.height());
    const double aspect = static_cast<double>(in.size.width) / in.size.height / (16.0 / 9);
    const int count = static_cast<int>(Pick<double>(fault_, {100, 300, 700, 1400, 2600}) * moment.strength *
                                       area * std::min(aspect, 4.0));
    const int bright = Pick<int>(fault_, {64, 80, 98, 120, 145});
    for (int i = 0; i < count; ++i) {
      const uint64_t own = Hash(fault_.seed, static_cast<uint64_t>(i));
      const double near = static_cast<double>(own & 0xffff) / 65535;  // 1: near
      const double depth = near * near;
      const double length = (12 + 46 * depth) * scale;
      const double speed = 4.2 + 5 * depth;  // heights per second
      const double travel = moment.time_s * speed + static_cast<double>((own >> 16) & 0xffff) / 65536;
      const double lap = std::floor(travel);
      const uint64_t place = Hash(own, static_cast<uint64_t>(static_cast<int64_t>(lap)));
      const double span = fault_.region.height() * in.size.height + length;
      const double top = fault_.region.y1 * in.size.height - length + (travel - lap) * span;
      const double x =
          (fault_.region.x1 + fault_.region.width() * (static_cast<double>(place & 0xffff) / 65535)) *
          in.size.width;
      const int thick = std::max(1, static_cast<int>(std::lround((0.8 + 1.3 * depth) * scale)));
      Streak(out.planes[0], x, top, length, thick, static_cast<int>(bright * (1 - 0.45 * depth)), in.white);
    }
  }

 private:
  void Streak(const MutablePlane& plane, double x, double top, double length, int thick, int weight,
              int white) const {
    const int first = std::max(0, static_cast<int>(top));
    const int last = std::min(plane.height - 1, static_cast<int>(top + length));
    for (int y = first; y <= last; ++y) {
      const double along = std::clamp((y - top) / length, 0.0, 1.0);
      const double at = x + slant_ * (y - top);
      const int left = static_cast<int>(std::floor(at));
      const int share = static_cast<int>((at - left) * 256);
      const int fade = static_cast<int>(weight * 4 * along * (1 - along));
      uint8_t* row = plane.row(y);
      const int aim = white * 15 / 16;
      for (int k = 0; k <= thick; ++k) {
        if (left + k < 0 || left + k >= plane.width) continue;
        const int part = k == 0 ? 256 - share : k == thick ? share : 256;
        uint8_t& to = row[left + k];
        if (to < aim) to = static_cast<uint8_t>(to + (((aim - to) * fade * part) >> 16));
      }
    }
  }

  Fault fault_;
  double slant_;
};

// What is seen through d metres of fog keeps exp(-d / visibility) of its contrast (Koschmieder 1924); seen
// from a mast, the distance grows without end towards the horizon, near the top of the picture.
class Fog final : public Effect {
 public:
  explicit Fog(const Fault& fault) : fault_(fault) {}
  void Apply(const Picture& in, const Moment& moment, MutablePicture& out) override {
    mask_.Prepare(in, [this](double x, double y) {
      const double v = (y - fault_.region.y1) / fault_.region.height();
      const double distance = std::min(1.0, 0.13 / std::max(0.02, v + 0.02));
      return distance * (0.86 + 0.28 * (Cloud(3 * x, 5 * y, fault_.seed, 3) - 0.5));
    });
    const double density = Pick<double>(fault_, {0.5, 1.2, 2.6, 5.5, 11}) * moment.strength;
    mask_.Weigh(moment.strength, [&](double distance) { return 1 - Exp(-density * (distance + 0.04)); });
    const int light = in.black + (Mean(in.planes[0]) - in.black + 2 * (in.white - in.black) * 78 / 100) / 3;
    for (int i = 0; i < in.count; ++i) {
      const int towards = i == 0 ? light : 128 + (i == 1 ? 1 : -1);
      for (int y = 0; y < in.planes[i].height; ++y) {
        const uint8_t *from = in.planes[i].row(y), *mask = mask_.row(i, y);
        uint8_t* to = out.planes[i].row(y);
        for (int x = 0; x < in.planes[i].width; ++x) {
          to[x] = ToByte(from[x] + (((towards - from[x]) * (mask[x] + (mask[x] >> 7)) + 128) >> 8));
        }
      }
    }
  }

 private:
  Fault fault_;
  ShapeMask mask_;
};

}  // namespace

std::unique_ptr<Effect> MakeRain(const Fault& fault) { return std::make_unique<Rain>(fault); }
std::unique_ptr<Effect> MakeFog(const Fault& fault) { return std::make_unique<Fog>(fault); }

}  // namespace sightline::simulate
