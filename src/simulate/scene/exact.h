// Arithmetic that gives the same bits on every machine, for all that the truth depends on.
//
// IEEE 754 fixes + - * / and the square root; it does not fix sine or exponential, whose library versions
// differ between processors, nor what the standard library's distributions draw. So both are here, made of
// the exact operations alone. The libraries of this folder are compiled without contraction to fused
// multiply-add.
#pragma once

#include <cstdint>

namespace sightline::simulate {

inline constexpr double kPi = 3.14159265358979323846;

// Within 1e-12 of the true value for |x| <= 1e4. Radians; what is no number or 1e9 and more counts as 0.
double Sin(double x);
double Cos(double x);
double Atan2(double y, double x);  // -pi..pi
double Exp(double x);
double Log(double x);  // x > 0
double Floor(double x);
double Round(double x);          // halves away from zero
double WrapAngle(double angle);  // to -pi..pi

// A permuted congruential generator (PCG-XSH-RR 64/32, O'Neill 2014). Value type: a copy goes on alike.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0);
  // An independent generator for a part of the whole (traffic, looks, weather, ...), so that one part's draws
  // do not move another's.
  Random Fork(uint64_t part) const;
  uint32_t Bits();
  double Unit();                            // [0, 1)
  double Uniform(double low, double high);  // [low, high)
  int Below(int count);                     // 0..count-1; count > 0
  bool Chance(double probability);
  double Normal(double mean, double deviation);
  double Exponential(double mean);

 private:
  uint64_t state_, increment_, seed_;
};

}  // namespace sightline::simulate
