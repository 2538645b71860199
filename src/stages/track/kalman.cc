#include "stages/track/kalman.h"

#include <algorithm>

namespace sightline::track {
namespace {

// Standard deviations in box heights.
constexpr double kMeasured = 0.05;  // of a measured centre, width or height
constexpr double kFirstSpeed = 2;   // of the unknown speed at the start, per second
constexpr double kFirstSizeSpeed = 0.5;
constexpr double kAcceleration = 1;  // of what the speed changes within a second
constexpr double kSizeAcceleration = 0.3;
constexpr double kWander = 0.2;    // of what the place changes within a second without any speed
constexpr double kSideMin = 1e-3;  // pixels

bool IsSize(size_t axis) { return axis >= 2; }
double Squared(double value) { return value * value; }

std::array<double, 4> Measures(const Box& box) {
  return {(box.x1 + box.x2) / 2.0, (box.y1 + box.y2) / 2.0, box.width(), box.height()};
}

}  // namespace

BoxFilter::BoxFilter(const Box& box) {
  const std::array<double, 4> measures = Measures(box);
  for (size_t i = 0; i < axes_.size(); ++i) axes_[i].value = measures[i];
  for (size_t i = 0; i < axes_.size(); ++i) {
    axes_[i].variance = Squared(kMeasured * height());
    axes_[i].speed_variance = Squared((IsSize(i) ? kFirstSizeSpeed : kFirstSpeed) * height());
  }
}

double BoxFilter::height() const { return std::max(axes_[3].value, kSideMin); }

void BoxFilter::Predict(double seconds, bool keep_size) {
  const double scale = Squared(height());
  for (size_t i = 0; i < axes_.size(); ++i) {
    Axis& axis = axes_[i];
    if (IsSize(i) && keep_size) continue;
    const double noise = scale * Squared(IsSize(i) ? kSizeAcceleration : kAcceleration);
    axis.value += axis.speed * seconds;
    if (IsSize(i)) axis.value = std::max(axis.value, kSideMin);
    axis.variance += seconds * (2 * axis.covariance + seconds * axis.speed_variance) +
                     noise * seconds * seconds * seconds / 3 + scale * Squared(kWander) * seconds;
    axis.covariance += seconds * axis.speed_variance + noise * seconds * seconds / 2;
    axis.speed_variance += noise * seconds;
  }
}

void BoxFilter::Update(const Box& measured) {
  const std::array<double, 4> measures = Measures(measured);
  const double noise = Squared(kMeasured * std::max<double>(measured.height(), kSideMin));
  for (size_t i = 0; i < axes_.size(); ++i) {
    Axis& axis = axes_[i];
    const double gain = axis.variance / (axis.variance + noise);
    const double speed_gain = axis.covariance / (axis.variance + noise);
    const double surprise = measures[i] - axis.value;
    axis.value += gain * surprise;
    axis.speed += speed_gain * surprise;
    axis.speed_variance -= speed_gain * axis.covariance;
    axis.covariance *= 1 - gain;
    axis.variance *= 1 - gain;
  }
}

Box BoxFilter::box() const {
  const double half_width = std::max(axes_[2].value, kSideMin) / 2, half_height = height() / 2;
  return {static_cast<float>(axes_[0].value - half_width), static_cast<float>(axes_[1].value - half_height),
          static_cast<float>(axes_[0].value + half_width), static_cast<float>(axes_[1].value + half_height)};
}

}  // namespace sightline::track
