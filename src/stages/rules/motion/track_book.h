// What is remembered of each track: its way, where it stands on the ground, how fast it goes and how sure
// that is.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/event.h"
#include "stages/rules/motion/axis_filter.h"
#include "stages/rules/motion/kinds.h"
#include "stages/rules/motion/view.h"
#include "stages/rules/rule.h"

namespace sightline::rules {

struct Track {
  int64_t key = 0;  // stays when the track's id is lost and found under another
  int64_t id = 0;
  std::string label;
  const ClassFacts* facts = nullptr;
  double first_s = 0, last_s = 0;  // given by the tracker
  int looks = 0;                   // seen by a detector
  double score_sum = 0;
  Box box;
  Point foot;   // middle of the box's lower edge
  Point place;  // where it is in the picture for zones: the middle of its footprint, else the foot point
  bool present = false;  // in this moment

  // Over ground where `grounded`; in pixels otherwise.
  bool grounded = false;
  Footprint footprint;
  AxisFilter x, y;
  double deviation = 0;        // of its place, metres or pixels
  bool heading_known = false;  // from its motion
  double against_s = 0;        // its motion has not been far off its heading since then
  double odd_s = -1e9;         // when it was seen last where it could hardly be
  bool lane_heading = false;   // else: that of the lane it is in
  bool cut = false;            // by the picture's edge
  double whole_since_s = 0;    // not cut since then
  double edge_changed_s = 0;   // when it came to or went off the edge last, or into the picture
  View::Block block;
  double speed = 0, speed_deviation = 0;  // m/s or pixels/s
  double scale = 1;                       // metres: 1; pixels: how many of them about half a metre is
  // Stands since then; not earlier than it was first seen.
  double standing_since_s = 0;
  Point stands_at;
  double stands_weight = 0;

  std::deque<EventActor::Point> path;

  double mean_score() const { return looks > 0 ? score_sum / looks : 0; }
  double age_s() const { return last_s - first_s; }
  double whole_s() const { return cut ? 0 : last_s - whole_since_s; }
  double stood_s() const { return last_s - standing_since_s; }
  Point velocity() const { return {x.speed, y.speed}; }
};

// Bounded by the tracks that are given; those that vanish are forgotten after `kForget_s`, unless one of the
// same kind turns up where they were: then it is the same.
class TrackBook {
 public:
  static constexpr double kForget_s = 3.0;
  // `view`: null without ground. `lanes`: zones whose heading tells where what has not moved yet is heading.
  explicit TrackBook(std::shared_ptr<const View> view, std::vector<SceneGeometry::Zone> lanes = {})
      : view_(std::move(view)), lanes_(std::move(lanes)) {}

  // Returns the keys that are forgotten now. The same moment again changes nothing; when time goes back, all
  // is forgotten first (and no key is told).
  const std::vector<int64_t>& Update(const Moment& moment);
  void Clear();
  bool SeesAs(const TrackBook& other) const;                       // the same ground and lanes
  const std::vector<Track*>& present() const { return present_; }  // as moment.objects
  const Track* Find(int64_t key) const;
  const std::map<int64_t, Track>& all() const { return tracks_; }  // by key; vanished ones, too
  EventActor ActorOf(const Track& track) const;

 private:
  Track* FindOrMake(const Object& object, const Moment& moment);
  void Observe(const Object& object, const Moment& moment, double step_s, Track* track);
  void SeeGround(const Object& object, const Moment& moment, double step_s, Track* track);
  void SeePicture(const Object& object, double step_s, Track* track);
  void SeeStanding(double time_s, Track* track);
  Point GuessHeading(const Box& box, const ClassFacts& facts) const;
  std::optional<Point> LaneHeading(const Point& ground) const;
  void KeepLane(Track* track) const;
  void Turn(double step_s, Track* track) const;

  std::shared_ptr<const View> view_;
  std::vector<SceneGeometry::Zone> lanes_;
  std::map<int64_t, Track> tracks_;  // by key
  std::map<int64_t, int64_t> key_of_id_;
  int64_t next_key_ = 1;
  std::optional<double> time_s_;  // of the last update
  std::vector<Track*> present_;
  std::vector<int64_t> forgotten_;
};

}  // namespace sightline::rules
