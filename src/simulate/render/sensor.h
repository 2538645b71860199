// The camera behind the lens: glow, sharpness, exposure, colours, noise; from light to an 8-bit video
// picture.
#pragma once

#include <vector>

#include "data/frame.h"
#include "simulate/render/background.h"

namespace sightline::simulate {

// What one camera model does otherwise than another; drawn by seed.
struct SensorCharacter {
  float brightness = 1;                // what its exposure aims at
  float red = 1, green = 1, blue = 1;  // colour cast
  float saturation = 1;
  float blur = 0.15f;      // share of each neighbour; below 0: sharpened, as cheap cameras do
  float vignette = 0.15f;  // loss in the corners
  float noise = 1.5f;      // in 8-bit steps, at gain 1
  float contrast = 0.2f;
};
SensorCharacter MakeSensorCharacter(uint64_t seed);

class Sensor {
 public:
  Sensor(Size size, const SensorCharacter& character, uint64_t seed, double noise);
  // `picture` is used up. `time_s` steers the slow exposure and the noise: the same scene at the same time is
  // the same picture. `blur`: extra share of each neighbour (rain on the lens).
  void Expose(double time_s, float blur, LinearImage* picture, Frame* frame);

 private:
  void Meter(double time_s, const LinearImage& picture);
  void Glow(LinearImage* picture);
  void Spread(const std::vector<float>& plane, std::vector<float>* out);
  // One row, blurred, exposed and with gamma: 0..255 in three planes of `out`.
  void Develop(const LinearImage& picture, int y, float blur, float* out);

  Size size_;
  SensorCharacter character_;
  uint64_t seed_;
  float noise_;
  float gain_ = 0;  // 0: not metered yet
  double metered_s_ = 0;
  std::vector<float> row_, rows_, vignette_;
  std::vector<float> grain_;     // normal, endless by random starts
  LinearImage small_, blurred_;  // glow, at a quarter of the size
};

}  // namespace sightline::simulate
