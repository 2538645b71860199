#include "stages/rules/rule.h"

#include <cmath>

#include "base/text.h"
#include "stages/rules/rule_state.h"

namespace sightline::rules {
namespace {

const Kind& KindOf(RuleKind kind) {
  switch (kind) {
    case RuleKind::kLineCrossing:
      return LineCrossingKind();
    case RuleKind::kZonePresence:
      return ZonePresenceKind();
    case RuleKind::kDwell:
      return DwellKind();
    case RuleKind::kCount:
      return CountKind();
    case RuleKind::kCrowd:
      return CrowdKind();
    case RuleKind::kSpeed:
      return SpeedKind();
    case RuleKind::kWrongWay:
      return WrongWayKind();
    case RuleKind::kStoppedVehicle:
      return StoppedVehicleKind();
    case RuleKind::kPersonOnRoad:
      return PersonOnRoadKind();
    case RuleKind::kNearMiss:
      return NearMissKind();
    case RuleKind::kRedLight:
      return RedLightKind();
    case RuleKind::kAbandonedObject:
      return AbandonedObjectKind();
    case RuleKind::kAbsence:
      return AbsenceKind();
  }
  return ZonePresenceKind();
}

class AnyRule final : public Rule {
 public:
  AnyRule(std::shared_ptr<const RuleFacts> facts, NewStateFunction make)
      : facts_(std::move(facts)), make_(make) {}
  const RuleConfig& config() const override { return facts_->config; }
  std::unique_ptr<RuleState> NewState() const override { return make_(facts_); }

 private:
  std::shared_ptr<const RuleFacts> facts_;
  NewStateFunction make_;
};

absl::Status FindZones(const std::vector<std::string>& names, std::string_view key,
                       const SceneGeometry& geometry, std::vector<const SceneGeometry::Zone*>* zones) {
  for (const std::string& name : names) {
    const auto* zone = geometry.FindZone(name);
    if (zone == nullptr) {
      std::vector<std::string> known;
      for (const auto& other : geometry.zones) known.push_back(other.name);
      const std::string nearest = NearestName(name, known);
      return absl::InvalidArgumentError(
          fmt::format("{}: there is no zone '{}'{}", key, name,
                      nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
    }
    if (zone->polygon.size() < 3)
      return absl::InvalidArgumentError(fmt::format("{}: zone '{}' has fewer than 3 corners", key, name));
    zones->push_back(zone);
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const RuleConfig& c) {
  const std::pair<std::string_view, double> numbers[] = {{"after_s", c.after_s},
                                                         {"clear_s", c.clear_s},
                                                         {"cooldown_s", c.cooldown_s},
                                                         {"count", static_cast<double>(c.count)},
                                                         {"radius_m", c.radius_m},
                                                         {"speed_kmh", c.speed_kmh},
                                                         {"min_score", static_cast<double>(c.min_score)},
                                                         {"min_confidence", c.min_confidence},
                                                         {"time_to_collision_s", c.time_to_collision_s},
                                                         {"post_encroachment_s", c.post_encroachment_s}};
  for (const auto& [key, value] : numbers)
    if (!(value >= 0 && std::isfinite(value)))
      return absl::InvalidArgumentError(fmt::format("{}: {} is no number from 0 on", key, value));
  return absl::OkStatus();
}

absl::Status CheckDirection(const RuleConfig& c) {
  if (c.direction == "forward" || c.direction == "backward" || c.direction == "both") return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("direction: '{}' is none of forward, backward, both", c.direction));
}

absl::Status CheckKind(const Kind& kind, const RuleFacts& facts) {
  const RuleConfig& c = facts.config;
  if (kind.needs_ground && !facts.view)
    return absl::InvalidArgumentError(
        fmt::format("{} measures on the ground: the camera needs `calibration`", kind.facts.name));
  if (kind.needs_zone && facts.zones.empty())
    return absl::InvalidArgumentError("zones: at least one is needed");
  if (kind.needs_line && facts.line == nullptr) return absl::InvalidArgumentError("line: one is needed");
  switch (c.kind) {
    case RuleKind::kLineCrossing:
      return CheckDirection(c);
    case RuleKind::kRedLight:
      if (c.topic.empty() == (facts.signal_zone == nullptr))
        return absl::InvalidArgumentError("either topic or signal_zone must say what the signal shows");
      return CheckDirection(c);
    case RuleKind::kCount:
      if (c.count < 1) return absl::InvalidArgumentError("count: at least 1 is needed");
      break;
    case RuleKind::kSpeed:
      if (!(c.speed_kmh > 0)) return absl::InvalidArgumentError("speed_kmh: a limit is needed");
      break;
    case RuleKind::kWrongWay:
      for (const auto* zone : facts.zones)
        if (!zone->heading_deg)
          return absl::InvalidArgumentError(fmt::format("zones: zone '{}' has no heading_deg", zone->name));
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

RuleStates::RuleStates(absl::Span<const std::shared_ptr<const Rule>> rules) {
  for (const auto& rule : rules) {
    auto state = rule->NewState();
    for (const auto& other : states_) state->ShareTracks(*other);
    states_.push_back(std::move(state));
  }
}

void RuleStates::Update(const Moment& moment, std::vector<Event>* events) {
  for (const auto& state : states_) state->Update(moment, events);
}

void RuleStates::OnTopic(const TopicValue& value) {
  for (const auto& state : states_) state->OnTopic(value);
}

void RuleStates::Reset(std::vector<Event>* events) {
  for (const auto& state : states_) state->Reset(events);
}

absl::StatusOr<std::shared_ptr<const Rule>> Rule::Create(const RuleConfig& config,
                                                         const SceneGeometry& geometry) {
  const Kind& kind = KindOf(config.kind);
  auto facts = std::make_shared<RuleFacts>();
  facts->config = config;
  facts->geometry = geometry;
  facts->kind = kind.facts;
  if (facts->config.name.empty()) facts->config.name = std::string(kind.facts.name);
  if (auto status = CheckNumbers(config); !status.ok()) return status;
  facts->after_s = config.after_s > 0 ? config.after_s : kind.facts.after_s;
  facts->clear_s = config.clear_s > 0 ? config.clear_s : kind.facts.clear_s;
  facts->min_confidence = config.min_confidence > 0 ? config.min_confidence : kind.facts.min_confidence;
  if (auto status = FindZones(config.zones, "zones", facts->geometry, &facts->zones); !status.ok())
    return status;
  if (auto status = FindZones(config.except_zones, "except_zones", facts->geometry, &facts->except_zones);
      !status.ok())
    return status;
  if (!config.line.empty()) {
    facts->line = facts->geometry.FindLine(config.line);
    if (facts->line == nullptr)
      return absl::InvalidArgumentError(fmt::format("line: there is no line '{}'", config.line));
  }
  if (!config.signal_zone.empty()) {
    std::vector<const SceneGeometry::Zone*> zones;
    if (auto status = FindZones({config.signal_zone}, "signal_zone", facts->geometry, &zones); !status.ok())
      return status;
    facts->signal_zone = zones.front();
  }
  if (geometry.ground) facts->view = std::make_shared<const View>(*geometry.ground, geometry.picture);
  if (auto status = CheckKind(kind, *facts); !status.ok()) return status;
  return std::shared_ptr<const Rule>(std::make_shared<const AnyRule>(std::move(facts), kind.make));
}

}  // namespace sightline::rules
