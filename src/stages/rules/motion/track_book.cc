#include "stages/rules/motion/track_book.h"

#include <algorithm>
#include <cmath>

namespace sightline::rules {
namespace {

constexpr double kPathStep_s = 0.15, kPath_s = 8;
constexpr float kSamePlace = 0.5f;        // overlap of a lost track's box with a new one's
constexpr double kJump = 6;               // deviations: it cannot have moved so far
constexpr double kHeadingSpeed = 1.5;     // m/s: slower says nothing about where a vehicle heads
constexpr double kHeadingSure = 3;        // deviations of its speed
constexpr double kWhole_s = 0.3;          // clear of the picture's edge for so long
constexpr double kTurn_s = 0.1;           // how soon it is seen to turn
constexpr double kTurnMax = 1.2;          // radians a second
constexpr double kFarOff = 1.0;           // radians, of its motion to its heading
constexpr double kTurned_s = 0.8;         // so long, and it was the heading that was wrong
constexpr double kAlongLane = 0.7;        // cosine
constexpr double kSideways = 1.5;         // deviations of its speed, and
constexpr double kSidewaysShare = 0.35;   // of its speed along the lane
constexpr double kOdd = 3;                // deviations
constexpr double kStandTolerance = 0.45;  // metres
constexpr double kRestLooks = 12;

Point FootOf(const Box& box) {
  return {(static_cast<double>(box.x1) + static_cast<double>(box.x2)) / 2, static_cast<double>(box.y2)};
}

bool Sensible(const Object& object) {
  const Box& b = object.box;
  return std::isfinite(b.x1) && std::isfinite(b.y1) && std::isfinite(b.x2) && std::isfinite(b.y2) &&
         b.x2 > b.x1 && b.y2 > b.y1 && std::abs(b.x1) < 1e6f && std::abs(b.y1) < 1e6f && b.x2 < 1e6f &&
         b.y2 < 1e6f && std::isfinite(object.score);
}

// Boxes of low scores lie less exactly: how much less, of what a sure one may be off. (Detectors on simulated
// streets: the spread grows by e for each 0.43 of score below 0.75.)
double Doubt(float score) {
  return std::max(1.0, std::exp(2.3 * (0.75 - static_cast<double>(std::clamp(score, 0.f, 1.f)))));
}

// How much speeds change by themselves.
AxisFilter::Motion MotionOf(const ClassFacts& facts) {
  return facts.being == Being::kPerson ? AxisFilter::Motion{0.8, 0.6} : AxisFilter::Motion{2.5, 1.0};
}

Point Unit(const Point& p, const Point& otherwise) {
  const double length = Length(p);
  return length > 1e-9 ? p * (1 / length) : otherwise;
}

}  // namespace

const std::vector<int64_t>& TrackBook::Update(const Moment& moment) {
  if (time_s_ == moment.time_s) return forgotten_;
  if (time_s_ && moment.time_s < *time_s_) Clear();
  time_s_ = moment.time_s;
  forgotten_.clear();
  present_.clear();
  for (auto& [key, track] : tracks_) track.present = false;
  // Known ids first, so that a new one can only take what is really lost.
  std::vector<const Object*> news;
  for (const Object& object : moment.objects) {
    if (!Sensible(object)) continue;
    const auto known = key_of_id_.find(object.id);
    if (known == key_of_id_.end()) {
      news.push_back(&object);
      continue;
    }
    Track& track = tracks_.at(known->second);
    if (track.present) continue;  // the same id twice
    Observe(object, moment, moment.time_s - track.last_s, &track);
    present_.push_back(&track);
  }
  for (const Object* object : news) {
    if (key_of_id_.contains(object->id)) continue;
    Track* track = FindOrMake(*object, moment);
    Observe(*object, moment, moment.time_s - track->last_s, track);
    present_.push_back(track);
  }
  for (auto it = tracks_.begin(); it != tracks_.end();) {
    if (moment.time_s - it->second.last_s > kForget_s) {
      forgotten_.push_back(it->first);
      key_of_id_.erase(it->second.id);
      it = tracks_.erase(it);
    } else {
      ++it;
    }
  }
  return forgotten_;
}

void TrackBook::Clear() {
  tracks_.clear();
  key_of_id_.clear();
  present_.clear();
  forgotten_.clear();
  time_s_.reset();
}

bool TrackBook::SeesAs(const TrackBook& other) const {
  const auto same_lane = [](const SceneGeometry::Zone& a, const SceneGeometry::Zone& b) {
    return a.heading_deg == b.heading_deg && a.polygon == b.polygon;
  };
  return (view_ == nullptr) == (other.view_ == nullptr) && (view_ == nullptr || *view_ == *other.view_) &&
         std::equal(lanes_.begin(), lanes_.end(), other.lanes_.begin(), other.lanes_.end(), same_lane);
}

const Track* TrackBook::Find(int64_t key) const {
  const auto found = tracks_.find(key);
  return found == tracks_.end() ? nullptr : &found->second;
}

Track* TrackBook::FindOrMake(const Object& object, const Moment& moment) {
  const ClassFacts& facts = FactsOf(object.label);
  Track* best = nullptr;
  float most = kSamePlace;
  for (auto& [key, track] : tracks_) {
    if (track.present || track.label != object.label || moment.time_s <= track.last_s) continue;
    const float overlap = IntersectionOverUnion(track.box, object.box);
    if (overlap > most) most = overlap, best = &track;
  }
  if (best != nullptr) {
    key_of_id_.erase(best->id);
    best->id = object.id;
    key_of_id_[object.id] = best->key;
    return best;
  }
  Track& track = tracks_[next_key_];
  track.key = next_key_++;
  track.id = object.id;
  track.label = std::string(object.label);
  track.facts = &facts;
  track.first_s = track.last_s = track.standing_since_s = moment.time_s;
  key_of_id_[object.id] = track.key;
  return &track;
}

void TrackBook::Observe(const Object& object, const Moment& moment, double step_s, Track* track) {
  track->present = true;
  if (track->label != object.label) {  // the tracker knows better now
    track->label = std::string(object.label);
    track->facts = &FactsOf(object.label);
  }
  track->box = object.box;
  track->foot = FootOf(object.box);
  if (object.seen) {
    track->score_sum += static_cast<double>(std::clamp(object.score, 0.f, 1.f));
    ++track->looks;
  }
  const float edge = 1.5f;
  const bool was_cut = track->cut;
  track->cut = object.box.x1 < edge || object.box.y1 < edge ||
               object.box.x2 > static_cast<float>(moment.picture.width) - edge ||
               object.box.y2 > static_cast<float>(moment.picture.height) - edge;
  if (track->cut != was_cut || track->stands_weight <= 0) track->edge_changed_s = moment.time_s;
  if (track->cut || track->stands_weight <= 0) track->whole_since_s = moment.time_s;
  if (view_ && (track->grounded || track->stands_weight <= 0)) {
    SeeGround(object, moment, step_s, track);
  } else {
    SeePicture(object, step_s, track);
  }
  track->last_s = moment.time_s;
  SeeStanding(moment.time_s, track);
  if (track->path.empty() || moment.time_s - track->path.back().time_s >= kPathStep_s) {
    EventActor::Point point{moment.time_s, static_cast<float>(track->foot.x),
                            static_cast<float>(track->foot.y), std::nullopt, std::nullopt};
    if (track->grounded) point.x_m = track->footprint.center.x, point.y_m = track->footprint.center.y;
    track->path.push_back(point);
    while (track->path.size() > kEventPathMax || moment.time_s - track->path.front().time_s > kPath_s)
      track->path.pop_front();
  }
}

// The heading, of four, that explains the box best.
Point TrackBook::GuessHeading(const Box& box, const ClassFacts& facts) const {
  Point best{1, 0};
  double least = 1e18;
  for (int i = 0; i < 6; ++i) {
    const Point along{std::cos(i * M_PI / 6), std::sin(i * M_PI / 6)};
    View::Block block;
    const auto placed = view_->Place(box, facts, along, std::nullopt, &block);
    if (!placed) break;
    const double misfit = placed->misfit + 3 * (std::abs(block.length_scale) + std::abs(block.height_scale));
    if (misfit < least) least = misfit, best = along;
  }
  return best;
}

// None where there is no lane, or lanes that cross.
std::optional<Point> TrackBook::LaneHeading(const Point& ground) const {
  const Point pixel = view_->ground().ToPixel(ground);
  std::optional<Point> heading;
  for (const SceneGeometry::Zone& lane : lanes_) {
    if (!lane.heading_deg || lane.polygon.size() < 3 || !Inside(lane.polygon, pixel)) continue;
    const double angle = *lane.heading_deg * M_PI / 180;
    const Point along{std::cos(angle), std::sin(angle)};
    if (heading && std::abs(Dot(*heading, along)) < 0.97) return std::nullopt;
    heading = along;
  }
  return heading;
}

// Sideways speed that may as well be none is none: vehicles follow lanes.
void TrackBook::KeepLane(Track* track) const {
  if (!track->facts->vehicle() || lanes_.empty()) return;
  const auto lane = LaneHeading(track->footprint.center);
  if (!lane) return;
  const double sideways = Cross(*lane, track->footprint.velocity),
               along = Dot(*lane, track->footprint.velocity);
  const double deviation = std::sqrt((track->x.speed_variance() + track->y.speed_variance()) / 2);
  if (std::abs(sideways) < std::min(kSideways * deviation, kSidewaysShare * std::abs(along)))
    track->footprint.velocity = *lane * along;
}

void TrackBook::Turn(double step_s, Track* track) const {
  Footprint& f = track->footprint;
  const bool vehicle = track->facts->vehicle();
  if (!vehicle) {
    if (track->speed <= std::max(kHeadingSpeed / 2, 2 * track->speed_deviation)) return;
    f.along = Unit(f.velocity, f.along);
    track->heading_known = true;
    return;
  }
  const auto lane = track->heading_known ? std::nullopt : LaneHeading(f.center);
  if (lane) f.along = *lane;
  track->lane_heading = lane.has_value();
  const double now_s = track->last_s + step_s;
  if (track->speed <= std::max(kHeadingSpeed, kHeadingSure * track->speed_deviation)) {
    track->against_s = now_s;
    return;
  }
  const Point way = Unit(f.velocity, f.along);
  if (!track->heading_known) {
    // What grows out of the picture's edge seems to move as it does not.
    if (track->whole_s() <= kWhole_s) return;
    const double with = lane ? Dot(way, *lane) : 0;
    f.along = std::abs(with) > kAlongLane ? *lane * (with > 0 ? 1.0 : -1.0) : way;
    track->heading_known = true;
    track->against_s = now_s;
    return;
  }
  // Vehicles turn no faster than their length lets them; who seems to is measured wrongly, unless it lasts.
  const double angle = std::atan2(Cross(f.along, way), Dot(f.along, way));
  if (std::abs(angle) < kFarOff) track->against_s = now_s;
  if (now_s - track->against_s > kTurned_s) {
    f.along = way;
    track->against_s = now_s;
    return;
  }
  const double most = step_s * std::min(kTurnMax, track->speed / std::max(2.0, 2 * f.half_length));
  const double turn = std::clamp(angle * (1 - std::exp(-step_s / kTurn_s)), -most, most);
  f.along = Unit({f.along.x * std::cos(turn) - f.along.y * std::sin(turn),
                  f.along.x * std::sin(turn) + f.along.y * std::cos(turn)},
                 f.along);
}

void TrackBook::SeeGround(const Object& object, const Moment& moment, double step_s, Track* track) {
  const ClassFacts& facts = *track->facts;
  const bool fresh = !track->grounded;
  if (!fresh) {
    const AxisFilter::Motion motion = MotionOf(facts);
    track->x.Predict(step_s, motion);
    track->y.Predict(step_s, motion);
  }
  if (object.seen || fresh) {
    if (fresh && view_->upright_known()) {
      const auto foot = facts.vehicle() && !lanes_.empty() ? view_->PlaceFoot(object.box) : std::nullopt;
      const auto lane = foot ? LaneHeading(foot->center) : std::nullopt;
      track->footprint.along = lane ? *lane : GuessHeading(object.box, facts);
    }
    const std::optional<Point> near =
        fresh ? std::nullopt : std::optional<Point>({track->x.value, track->y.value});
    auto placed = view_->Place(object.box, facts, track->footprint.along, near, &track->block);
    if (!placed) {
      if (fresh) SeePicture(object, step_s, track);
      return;
    }
    placed->deviation = placed->deviation * (Doubt(object.score) * (placed->sides < 4 ? 1.5 : 1));
    double dx = placed->deviation.x, dy = placed->deviation.y;
    const bool jumped =
        !fresh &&
        (std::abs(placed->center.x - track->x.value) > 3 + kJump * std::sqrt(dx * dx + track->x.variance()) ||
         std::abs(placed->center.y - track->y.value) > 3 + kJump * std::sqrt(dy * dy + track->y.variance()));
    if (fresh || jumped) {
      const double fast = facts.being == Being::kPerson ? 1.5 : 8;
      track->x.Start(placed->center.x, dx, fast, MotionOf(facts).deviation);
      track->y.Start(placed->center.y, dy, fast, MotionOf(facts).deviation);
      if (jumped) track->heading_known = false;
    } else {
      // What is where it can hardly be is believed less.
      const double off =
          std::max(std::abs(placed->center.x - track->x.value) / std::sqrt(dx * dx + track->x.variance()),
                   std::abs(placed->center.y - track->y.value) / std::sqrt(dy * dy + track->y.variance()));
      if (off > kOdd) track->odd_s = moment.time_s, dx *= off / kOdd, dy *= off / kOdd;
      track->x.Update(placed->center.x, dx);
      track->y.Update(placed->center.y, dy);
    }
    track->deviation = std::hypot(dx, dy);
  }
  track->grounded = true;
  Footprint& f = track->footprint;
  f.center = {track->x.value, track->y.value};
  f.velocity = track->velocity();
  KeepLane(track);
  track->speed = Length(f.velocity);
  track->speed_deviation = std::sqrt((track->x.speed_variance() + track->y.speed_variance()) / 2);
  Turn(step_s, track);
  f.half_length = facts.length * std::exp(track->block.length_scale) / 2;
  f.half_width = facts.width * std::exp(track->block.height_scale / 2) / 2;
  track->place = view_->ground().ToPixel(f.center);
  if (!Finite(track->place) || !view_->upright_known()) track->place = track->foot;
  (void)moment;
}

void TrackBook::SeePicture(const Object& object, double step_s, Track* track) {
  const double size = std::sqrt(static_cast<double>(std::max(object.box.area(), 1.f)));
  track->scale = std::max(1.0, size * 0.12);
  const double rough = 1 + 0.02 * size;
  if (track->stands_weight <= 0) {
    track->x.Start(track->foot.x, rough, size * 3, size);
    track->y.Start(track->foot.y, rough, size * 3, size);
  } else {
    const AxisFilter::Motion motion{size, 0.25};
    track->x.Predict(step_s, motion);
    track->y.Predict(step_s, motion);
    if (object.seen) {
      track->x.Update(track->foot.x, rough);
      track->y.Update(track->foot.y, rough);
    }
  }
  track->deviation = rough;
  track->speed = Length(track->velocity());
  track->speed_deviation = std::sqrt((track->x.speed_variance() + track->y.speed_variance()) / 2);
  track->place = track->foot;
  if (track->speed > std::max(2 * track->scale, 2 * track->speed_deviation)) {
    track->footprint.along = Unit(track->velocity(), track->footprint.along);
    track->heading_known = true;
  }
}

void TrackBook::SeeStanding(double time_s, Track* track) {
  const Point at{track->x.value, track->y.value};
  const double tolerance = (track->grounded ? kStandTolerance : track->scale) +
                           2 * std::sqrt((track->x.variance() + track->y.variance()) / 2);
  if (track->stands_weight <= 0 || Length(at - track->stands_at) > tolerance) {
    if (track->stands_weight > 0) track->standing_since_s = time_s;
    track->stands_at = at;
    track->stands_weight = 1;
    return;
  }
  track->stands_weight = std::min(track->stands_weight + 1, kRestLooks);
  track->stands_at = track->stands_at + (at - track->stands_at) * (1 / track->stands_weight);
}

EventActor TrackBook::ActorOf(const Track& track) const {
  EventActor actor;
  actor.track_id = track.id;
  actor.label = track.label;
  actor.score = static_cast<float>(track.mean_score());
  actor.box = track.box;
  if (track.grounded) {
    actor.speed_mps = track.speed;
    actor.speed_error_mps = track.speed_deviation;
  }
  actor.path.assign(track.path.begin(), track.path.end());
  return actor;
}

}  // namespace sightline::rules
