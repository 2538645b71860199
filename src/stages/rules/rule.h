// From tracks to events. A rule is immutable; what it remembers of a stream is its state. Pure: the same
// calls give the same events; no clock, no pixels except what it asks for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/event.h"
#include "data/frame.h"
#include "data/geometry.h"
#include "stages/rules/geometry.h"
#include "stages/rules/rule_config.h"

namespace sightline::rules {

// A track as it is at this moment.
struct Object {
  int64_t id = 0;
  std::string_view label;  // borrowed from the model card
  float score = 0;
  Box box;           // source pixels, clipped to the picture
  bool seen = true;  // by a detector in this frame; false: predicted
};

struct Moment {
  double time_s = 0;  // stream time, rising; steps may vary
  WallTime captured;  // UTC
  Size picture;       // source pixels
  absl::Span<const Object> objects;
  const Frame* frame = nullptr;  // for rules that need pixels (a signal's colour in a zone); may be null
};

// What is known from outside, by topic: {"signal/north", "red"}. See red_light.
struct TopicValue {
  std::string topic, value;
};

class RuleState {
 public:
  virtual ~RuleState() = default;
  // Appends to `events`: kind, rule, phase, time_s, captured, began, duration_s, zone, direction, confidence,
  // actors and values are set; `id` is the same text for kBegin and kEnd of one state, and unique within this
  // state.
  virtual void Update(const Moment& moment, std::vector<Event>* events) = 0;
  virtual void OnTopic(const TopicValue&) {}
  virtual bool needs_pixels() const { return false; }
  // The stream broke off: states that are open end now, tracks are forgotten.
  virtual void Reset(std::vector<Event>* events) = 0;
  // What is known of tracks (where they stand, how fast they go) becomes one with the other's, where both see
  // the same scene. Before the first Update; both are given the same moments from then on.
  virtual void ShareTracks(RuleState& /*other*/) {}
};

class Rule {
 public:
  // InvalidArgument: what is wrong, by key (a zone that is not there, metres without a homography).
  static absl::StatusOr<std::shared_ptr<const Rule>> Create(const RuleConfig& config,
                                                            const SceneGeometry& geometry);
  virtual ~Rule() = default;
  virtual const RuleConfig& config() const = 0;
  virtual std::unique_ptr<RuleState> NewState() const = 0;
};

// The states of all rules of one stream: what they need to know of a track is found out once for all.
class RuleStates {
 public:
  explicit RuleStates(absl::Span<const std::shared_ptr<const Rule>> rules);
  void Update(const Moment& moment, std::vector<Event>* events);
  void OnTopic(const TopicValue& value);
  void Reset(std::vector<Event>* events);

 private:
  std::vector<std::unique_ptr<RuleState>> states_;
};

}  // namespace sightline::rules
