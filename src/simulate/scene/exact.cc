#include "simulate/scene/exact.h"

#include <array>
#include <cmath>
#include <cstring>

namespace sightline::simulate {
namespace {

constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;

// 1 / ((k + 1) (k + 2)) and 1 / (k + 1): divisions are slow, and these run thousands of times a frame.
template <size_t kCount>
constexpr std::array<double, kCount> Quotients(bool of_products) {
  std::array<double, kCount> quotients{};
  for (size_t k = 0; k < kCount; ++k) {
    const auto next = static_cast<double>(k + 1);
    quotients[k] = of_products ? 1 / (next * (next + 1)) : 1 / next;
  }
  return quotients;
}
constexpr auto kOfProducts = Quotients<16>(true);
constexpr auto kOfNumbers = Quotients<27>(false);

// Taylor series on [-pi/4, pi/4]: the next term is below 1e-17.
double SinSeries(double x) {
  const double s = x * x;
  double sum = 0;
  for (size_t k = 17; k >= 3; k -= 2) sum = (1 + sum) * (-s * kOfProducts[k - 2]);
  return x * (1 + sum);
}
double CosSeries(double x) {
  const double s = x * x;
  double sum = 0;
  for (size_t k = 16; k >= 2; k -= 2) sum = (1 + sum) * (-s * kOfProducts[k - 2]);
  return 1 + sum;
}

constexpr double kTurnsEnd = 1e9;

double SinQuadrant(double x, int shift) {
  // pi/2 in three parts, so that the difference keeps its low bits.
  constexpr double kPart1 = 1.57079632673412561417, kPart2 = 6.07710050630396597660e-11,
                   kPart3 = 2.02226624879595063154e-21;
  if (!(std::fabs(x) < kTurnsEnd)) return shift == 0 ? 0 : 1;  // no number, or too large to have an angle
  const double n = Round(x * (2 / kPi));
  const double r = ((x - n * kPart1) - n * kPart2) - n * kPart3;
  const auto quadrant = static_cast<int>((static_cast<int64_t>(n) + shift) & 3);
  const double value = (quadrant & 1) == 0 ? SinSeries(r) : CosSeries(r);
  return quadrant < 2 ? value : -value;
}

// atan on [0, tan(pi/12)].
double AtanSeries(double x) {
  const double s = x * x;
  double sum = 0;
  for (int k = 26; k >= 0; k -= 2) sum = kOfNumbers[static_cast<size_t>(k)] - s * sum;
  return x * sum;
}

double AtanPositive(double x) {
  if (x > 1) return kPi / 2 - AtanPositive(1 / x);
  constexpr double kTan15 = 0.26794919243112270647, kSqrt3 = 1.73205080756887729353;
  if (x > kTan15)
    return kPi / 6 + AtanSeries((x * kSqrt3 - 1) / (kSqrt3 + x));  // |argument| <= tan 15 degrees
  return AtanSeries(x);
}

uint64_t Mix(uint64_t x) {  // SplitMix64's finaliser
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

double Floor(double x) {
  if (!(std::abs(x) < 4503599627370496.0)) return x;
  const auto whole = static_cast<double>(static_cast<int64_t>(x));
  return whole > x ? whole - 1 : whole;
}
double Round(double x) { return x < 0 ? -Floor(-x + 0.5) : Floor(x + 0.5); }
double Sin(double x) { return SinQuadrant(x, 0); }
double Cos(double x) { return SinQuadrant(x, 1); }

double Atan2(double y, double x) {
  if (x == 0 && y == 0) return 0;
  const double angle = std::abs(x) == 0 ? kPi / 2 : AtanPositive(std::abs(y) / std::abs(x));
  const double right = x >= 0 ? angle : kPi - angle;
  return y < 0 ? -right : right;
}

double Exp(double x) {
  if (x < -700) return 0;
  if (x > 700) x = 700;
  const double n = Round(x / (kLn2High + kLn2Low));
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 0;
  for (int k = 16; k >= 1; --k) sum = (1 + sum) * (r / k);
  const uint64_t bits = static_cast<uint64_t>(static_cast<int64_t>(n) + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return (1 + sum) * power;
}

double Log(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  auto exponent = static_cast<double>(static_cast<int64_t>((bits >> 52) & 0x7ff) - 1023);
  bits = (bits & 0xfffffffffffffull) | (uint64_t{1023} << 52);
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.41421356237309504880) {
    m /= 2;
    exponent += 1;
  }
  const double t = (m - 1) / (m + 1), s = t * t;  // ln m = 2 atanh t
  double sum = 0;
  for (int k = 25; k >= 1; k -= 2) sum = 1.0 / k + s * sum;
  return exponent * kLn2High + (exponent * kLn2Low + 2 * t * sum);
}

double WrapAngle(double angle) { return angle - 2 * kPi * Round(angle / (2 * kPi)); }

Random::Random(uint64_t seed, uint64_t stream)
    : state_(0), increment_((Mix(stream) << 1) | 1), seed_(Mix(seed) ^ Mix(stream + 0x51ull)) {
  Bits();
  state_ += Mix(seed);
  Bits();
}

Random Random::Fork(uint64_t part) const { return Random(seed_, part); }

uint32_t Random::Bits() {
  const uint64_t old = state_;
  state_ = old * 6364136223846793005ull + increment_;
  const auto shifted = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
  const auto turn = static_cast<uint32_t>(old >> 59);
  return (shifted >> turn) | (shifted << ((32 - turn) & 31));
}

double Random::Unit() {
  const uint64_t high = Bits() >> 5, low = Bits() >> 6;  // 27 and 26 bits
  return static_cast<double>((high << 26) | low) / 9007199254740992.0;
}

double Random::Uniform(double low, double high) { return low + (high - low) * Unit(); }
int Random::Below(int count) {
  return static_cast<int>((static_cast<uint64_t>(Bits()) * static_cast<uint64_t>(count)) >> 32);
}
bool Random::Chance(double probability) { return Unit() < probability; }

double Random::Normal(double mean, double deviation) {
  const double radius = std::sqrt(-2 * Log(1 - Unit()));
  return mean + deviation * radius * Cos(2 * kPi * Unit());
}

double Random::Exponential(double mean) { return -mean * Log(1 - Unit()); }

}  // namespace sightline::simulate
