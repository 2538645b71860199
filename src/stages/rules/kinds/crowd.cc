// People stand close together: at least so many, of whom one has all others within a radius. Several crowds
// may be about at a time, and each may wander. Without calibration, whoever is in the zones is the crowd.
#include <algorithm>
#include <list>

#include "stages/rules/kinds/gathering.h"

namespace sightline::rules {
namespace {

constexpr int kCrowdCount = 8;
constexpr double kCrowdRadius = 3, kWanders = 6;  // metres
constexpr double kHidden_s = 2.0;
constexpr float kSame = 0.3f;  // overlap
constexpr size_t kCrowdsMax = 64;

class Crowd final : public Gathering {
 public:
  using Gathering::Gathering;

 protected:
  bool Wanted(const Track& track) const override { return track.facts->being == Being::kPerson; }
  void Look(const Moment& moment, std::vector<Event>* events) override {
    for (Known& crowd : crowds_) crowd.seen = false;
    auto here = Here();
    AddHidden(moment, &here);
    if (rule().view) {
      std::erase_if(here, [](const Track* track) { return !track->grounded; });
      // The middle is the one with most around; then the next among the rest.
      while (here.size() >= Least()) {
        std::vector<const Track*> most = Densest(here);
        if (most.size() < Least()) break;
        std::erase_if(here, [&](const Track* track) {
          return std::find(most.begin(), most.end(), track) != most.end();
        });
        See(moment, most.front()->footprint.center, most, events);
      }
    } else if (here.size() >= Least()) {
      See(moment, {}, here, events);
    }
    for (Known& crowd : crowds_)
      if (!crowd.seen) State(moment, crowd.key, nullptr, std::nullopt, events);
    const double over = std::max(rule().clear_s, rule().kind.gap_s);
    std::erase_if(crowds_, [&](const Known& crowd) { return moment.time_s - crowd.last_s > over; });
  }
  void Clear() override { crowds_.clear(); }

 private:
  struct Known {
    int64_t key = 0;  // below 0: tracks have those above
    Point place;
    double last_s = 0;
    bool seen = false;
  };
  size_t Least() const {
    return static_cast<size_t>(rule().config.count > 0 ? rule().config.count : kCrowdCount);
  }
  double Radius() const { return rule().config.radius_m > 0 ? rule().config.radius_m : kCrowdRadius; }

  // In a crowd people cover each other: who was there a moment ago mostly still is, unless somebody else is
  // now.
  void AddHidden(const Moment& moment, std::vector<const Track*>* here) const {
    for (const auto& entry : book().all()) {
      const Track& track = entry.second;
      if (track.present || moment.time_s - track.last_s > kHidden_s || !IsHere(track)) continue;
      const bool taken = std::any_of(here->begin(), here->end(), [&](const Track* other) {
        return IntersectionOverUnion(other->box, track.box) > kSame;
      });
      if (!taken) here->push_back(&track);
    }
  }

  // Its middle first.
  std::vector<const Track*> Densest(const std::vector<const Track*>& here) const {
    std::vector<const Track*> most;
    for (const Track* middle : here) {
      std::vector<const Track*> near{middle};
      for (const Track* other : here) {
        const Point apart = middle->footprint.center - other->footprint.center;
        if (other != middle && Length(apart) <= Radius()) near.push_back(other);
      }
      if (near.size() > most.size()) most = std::move(near);
    }
    return most;
  }
  void See(const Moment& moment, const Point& place, const std::vector<const Track*>& who,
           std::vector<Event>* events) {
    auto known = std::find_if(crowds_.begin(), crowds_.end(), [&](const Known& crowd) {
      return !crowd.seen && Length(crowd.place - place) <= std::max(kWanders, 2 * Radius());
    });
    if (known == crowds_.end()) {
      if (crowds_.size() >= kCrowdsMax) return;
      known = crowds_.insert(crowds_.end(), Known{--last_key_, {}, 0, false});
    }
    known->place = place;
    known->last_s = moment.time_s;
    known->seen = true;
    State(moment, known->key, nullptr, Found(who), events);
  }

  std::list<Known> crowds_;
  int64_t last_key_ = 0;
};

}  // namespace

const Kind& CrowdKind() {
  static const Kind kind{{.name = "crowd", .after_s = 3, .gap_s = 2, .clear_s = 2, .min_confidence = 0.3},
                         &MakeState<Crowd>};
  return kind;
}

}  // namespace sightline::rules
