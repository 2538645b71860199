// Writes the truth of a clip beside its video, in the formats that others read.
//
//   gt.txt            MOTChallenge: frame (from 1), id, left, top, width, height, measured (1 or 0), class
//   (from 1),
//                     visibility 0..1; boxes are of the whole object, clipped to the picture, two decimals
//   seqinfo.ini       MOTChallenge: name, frame rate, length, size
//   labels.txt        the classes' names, a line each
//   events.jsonl      TrueEvent, a line each
//   calibration.json  the camera, the ground homography, and eight or more pairs of pixels and metres
//   layout.json       roads, lanes with direction, crosswalks, stop lines, signals as polygons in pixels and
//   metres camera.yaml       a camera's configuration: zones, lines, calibration, and rules for what
//   events.jsonl holds weather.csv       time_s, light, clouds, rain, wetness, fog: a line a second
//   signals.csv       time_s, signal, colour: a line a change
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "simulate/script/event_truth.h"

namespace sightline::simulate {

struct TrueBox {
  int64_t id = 0;
  ActorKind kind = ActorKind::kCar;
  Box box;                // whole object, clipped to the picture, pixels
  double visibility = 1;  // share of the object's pixels (were it alone and the picture larger) that are seen
  bool measured = true;   // false: too small, hidden or dim to be asked for (see kMeasured...)
};
// What is not measured is neither a miss nor, when found, a false alarm.
inline constexpr double kMeasuredVisibility = 0.3;
// Of the contrast: in fog, twice what ends the "visual range" of meteorology, as the sensor's noise is about.
inline constexpr double kMeasuredClearness = 0.1;
inline constexpr double kMeasuredHeight = 10,
                        kMeasuredArea = 80;  // pixels at 640 x 360; scaled with the picture

class TruthWriter {
 public:
  // `folder` exists. The same calls give the same bytes on every machine.
  static absl::StatusOr<std::unique_ptr<TruthWriter>> Create(const std::filesystem::path& folder,
                                                             const Layout& layout, double frames_per_second);
  virtual ~TruthWriter() = default;
  virtual absl::Status WriteFrame(int64_t frame, const Scene& scene,
                                  const std::vector<TrueBox>& boxes) = 0;  // from 0
  virtual absl::Status Finish(const std::vector<TrueEvent>& events) = 0;
};

}  // namespace sightline::simulate
