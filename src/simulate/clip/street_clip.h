// A simulated street camera: frames, and the truth about each of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "data/frame_source.h"
#include "simulate/faults/fault.h"
#include "simulate/script/event_truth.h"
#include "simulate/script/scenario.h"
#include "simulate/script/truth_writer.h"

namespace sightline::simulate {

struct StreetOptions {
  uint64_t seed = 1;
  double seconds = 60;  // > 0; scripts and changing weather are spread over it
  double frames_per_second = 25;
  Size size{640, 360};
  std::string scenario;  // a file; empty: made up by the seed
  std::string weather;   // words as ParseWeather takes them; empty: the scenario's own
  bool pixels = true;    // false: the truth alone, much faster; frames are then nullptr
  bool truth = true;     // false: pixels alone; boxes() stays empty
};
inline constexpr double kSecondsMax = 24 * 3600;
inline constexpr int kSideMin = 64, kSideMax = 4096;

// "sim:street?seed=7&seconds=60&fps=10&size=640x360&weather=night,rain&scenario=FILE&fault=smudge:severity=3,at=20s"
// (fault may stand several times). Errors name the part and what is known.
struct StreetAddress {
  StreetOptions options;
  std::vector<Fault> faults;
};
absl::StatusOr<StreetAddress> ParseStreetAddress(std::string_view address);
absl::StatusOr<Size> ParseSize(std::string_view text);  // "640x360"

// Threads: one at a time; frames may be kept anywhere. The same options give the same truth on every machine.
class StreetClip final : public FrameSource {
 public:
  static absl::StatusOr<std::unique_ptr<StreetClip>> Create(const StreetOptions& options);
  ~StreetClip() override;

  const SourceFormat& format() const override { return format_; }
  // With pixels off the frame pointer is null.
  absl::StatusOr<SourceFrame> Next() override;

  // Of the frame that Next() gave last.
  const Scene& scene() const;
  const std::vector<TrueBox>& boxes() const;
  // Once Next() has ended: what happened.
  std::vector<TrueEvent> Events();

  const Layout& layout() const;
  const std::vector<std::string>& left_out() const;  // scripted events for which there was no room

 private:
  struct Parts;
  explicit StreetClip(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  SourceFormat format_;
};

// The camera behind an address, its faults done to it: what a pipeline reads.
absl::StatusOr<std::unique_ptr<FrameSource>> OpenStreet(std::string_view address);

}  // namespace sightline::simulate
