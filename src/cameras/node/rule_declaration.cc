// What each kind of rule may say: one declaration a kind, over one struct.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cameras/node/camera_declaration.h"

namespace sightline::cameras {
namespace {

using pipeline::Boolean;
using pipeline::Choice;
using pipeline::Integer;
using pipeline::ListOf;
using pipeline::Node;
using pipeline::Number;
using pipeline::Object;
using pipeline::ObjectType;
using pipeline::Optional;
using pipeline::Report;
using pipeline::Show;
using pipeline::Typed;
using pipeline::WideNumber;
using rules::RuleConfig;
using rules::RuleKind;
using rules::Schedule;

using RuleObject = Object<RuleConfig>;
using Kinds = std::vector<std::tuple<std::string, RuleKind, std::string>>;

const Kinds& RuleKinds() {
  static const auto* kinds = [] {
    auto* all = new Kinds;
    for (size_t i = 0; i < kEventKinds.size(); ++i)
      all->emplace_back(kEventKinds[i], static_cast<RuleKind>(i), "");
    return all;
  }();
  return *kinds;
}

// Minutes of the day as HH:MM.
class TimeOfDay final : public pipeline::Type {
 public:
  void Read(const Node& node, const std::string& path, Report* report, void* value) const override {
    const auto parts = Split(node.text, ':');
    const auto hours = parts.size() == 2 ? ParseInteger(parts[0]) : std::nullopt;
    const auto minutes = parts.size() == 2 ? ParseInteger(parts[1]) : std::nullopt;
    const bool good = node.kind == Node::Kind::kScalar && hours && minutes && *hours >= 0 && *minutes >= 0 &&
                      *minutes < 60 && *hours * 60 + *minutes <= 24 * 60;
    if (good) {
      *static_cast<int*>(value) = static_cast<int>(*hours * 60 + *minutes);
    } else {
      report->At(node, path, fmt::format("wanted {}, found {}", Words(), node.Found()));
    }
  }
  Node Write(const void* value, Show) const override {
    const int minutes = *static_cast<const int*>(value);
    return Node::Text(fmt::format("{:02}:{:02}", minutes / 60, minutes % 60));
  }
  std::string Words() const override { return "a time of day from 00:00 to 24:00"; }
  nlohmann::ordered_json Schema() const override {
    return {{"type", "string"}, {"pattern", "^([01][0-9]|2[0-4]):[0-5][0-9]$"}};
  }
};

Typed<int> DayOfWeek() {
  static const char* const kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  std::vector<pipeline::ChoiceName> names;
  for (int i = 0; i < 7; ++i) names.push_back({kDays[i], i, ""});
  return {pipeline::MakeChoice(
      std::move(names), [](const void* value) { return *static_cast<const int*>(value); },
      [](void* value, int chosen) { *static_cast<int*>(value) = chosen; })};
}

const Object<Schedule>& ScheduleDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<Schedule>("schedule", "When a rule is awake, in the node's local time.");
    o->Add("days", &Schedule::days, ListOf(DayOfWeek(), 1, 7), "Days of the week.")
        .Default("all")
        .Example("[mon, tue, wed, thu, fri]");
    const auto time = [] { return Typed<int>{std::make_shared<TimeOfDay>()}; };
    o->Add("from", &Schedule::from_minute, time(), "From this time of day.").Example("\"07:00\"");
    o->Add("to", &Schedule::to_minute, time(), "To this time; earlier than `from`: over midnight.")
        .Example("\"19:30\"");
    return o;
  }();
  return *object;
}

RuleObject* NewRule(std::string_view kind, std::string doc) {
  auto* o = new RuleObject(fmt::format("{} rule", kind), std::move(doc));
  o->Add("kind", &RuleConfig::kind, Choice<RuleKind>(RuleKinds()), "What it looks for.")
      .Required()
      .Example(std::string(kind));
  o->Add("name", &RuleConfig::name, NameText("a name of a-z, 0-9, '_' and '-'"),
         "Name in events; unique within the camera.")
      .Default("the kind")
      .Example(std::string(kind));
  o->Add("labels", &RuleConfig::labels, Names(1000), "Classes of the detector that it looks at.")
      .Default("what the kind is about")
      .Example("[car, truck]");
  o->Add("min_score", &RuleConfig::min_score, Number({.min = 0, .max = 1}),
         "Tracks whose mean score is lower are passed over.");
  o->Add("min_confidence", &RuleConfig::min_confidence, WideNumber({.min = 0, .max = 1}),
         "Events that are less sure than this are not reported.")
      .Default("see docs/rules.md")
      .Example("0.5");
  o->Add("cooldown_s", &RuleConfig::cooldown_s, WideNumber({.min = 0, .max = 86400}),
         "Seconds in which there is no second event about the same track.")
      .Example("60");
  o->Add("schedule", &RuleConfig::schedule, ListOf(pipeline::Of(ScheduleDeclaration()), 0, 32),
         "When it is awake; any of them.")
      .Default("always");
  return o;
}

void AddZones(RuleObject* o, std::string doc, bool required) {
  auto& field = o->Add("zones", &RuleConfig::zones, Names(64), std::move(doc)).Example("[road]");
  if (required) {
    field.Required();
  } else {
    field.Default("the whole picture");
  }
  o->Add("except_zones", &RuleConfig::except_zones, Names(64), "But not in these.")
      .Default("none")
      .Example("[crosswalk]");
}

void AddDirection(RuleObject* o) {
  o->Add("direction", &RuleConfig::direction, NameText("forward, backward or both"),
         "forward: from the line's left to its right, seen from `from` to `to`; backward; both.");
}

void AddAfter(RuleObject* o, std::string doc) {
  o->Add("after_s", &RuleConfig::after_s, WideNumber({.min = 0, .max = 86400}), std::move(doc))
      .Default("see docs/rules.md");
  o->Add("clear_s", &RuleConfig::clear_s, WideNumber({.min = 0, .max = 86400}),
         "It must be over for so long (seconds) before it ends.")
      .Default("see docs/rules.md");
}

void AddLine(RuleObject* o) {
  o->Add("line", &RuleConfig::line, NameText("the name of a line"), "Line that is crossed.")
      .Required()
      .Example("stop_north");
}

std::vector<std::pair<std::string, const ObjectType*>> Variants() {
  std::vector<std::pair<std::string, const ObjectType*>> all;
  const auto add = [&](std::string_view kind, std::string doc) {
    RuleObject* o = NewRule(kind, std::move(doc));
    all.emplace_back(kind, o);
    return o;
  };
  RuleObject* o = add("line_crossing", "Something crosses a line; counts per direction.");
  AddLine(o);
  AddDirection(o);
  o = add("zone_presence", "Something is in a zone.");
  AddZones(o, "Zones, any of them.", true);
  AddAfter(o, "It must be there for so long (seconds).");
  o = add("dwell", "Something stays in a zone for longer than `after_s`.");
  AddZones(o, "Zones, any of them.", true);
  AddAfter(o, "Seconds that are too long.");
  o = add("count", "At least `count` things are in a zone at a time.");
  AddZones(o, "Zones, any of them.", false);
  o->Add("count", &RuleConfig::count, Integer(1, 10'000), "At least so many.").Required().Example("10");
  AddAfter(o, "For so long (seconds).");
  o = add("crowd", "At least `count` people stand near each other.");
  AddZones(o, "Zones, any of them.", false);
  o->Add("count", &RuleConfig::count, Integer(2, 10'000), "At least so many.").Default("8").Example("8");
  o->Add("radius_m", &RuleConfig::radius_m, WideNumber({.min = 0, .max = 1000}),
         "Within so many metres (needs calibration; without it: within the zone).")
      .Default("3")
      .Example("4");
  AddAfter(o, "For so long (seconds).");
  o = add("speed", "Something is faster than the limit. Needs calibration.");
  AddZones(o, "Zones, any of them.", false);
  o->Add("speed_kmh", &RuleConfig::speed_kmh, WideNumber({.min = 0, .max = 1000, .above_min = true}),
         "Limit, km/h; the measurement's error is taken off before it is compared.")
      .Required()
      .Example("50");
  AddAfter(o, "For so long (seconds).");
  o = add("wrong_way", "A vehicle drives against a zone's heading.");
  AddZones(o, "Zones with a heading, any of them.", true);
  AddAfter(o, "For so long (seconds).");
  o = add("stopped_vehicle", "A vehicle stands where it should not.");
  AddZones(o, "Zones, any of them.", true);
  AddAfter(o, "For so long (seconds).");
  o->Add("topic", &RuleConfig::topic, pipeline::Text(), "Signal state from outside: red excuses waiting.")
      .Example("signal/north");
  o = add("person_on_road", "Somebody is on the road outside a crosswalk.");
  AddZones(o, "Zones of the road, any of them.", true);
  AddAfter(o, "For so long (seconds).");
  o = add("near_miss", "Two come close to a collision. Needs calibration.");
  AddZones(o, "Zones, any of them.", false);
  o->Add("time_to_collision_s", &RuleConfig::time_to_collision_s, WideNumber({.min = 0, .max = 10}),
         "Time to collision below this (seconds).")
      .Default("see docs/rules.md");
  o->Add("post_encroachment_s", &RuleConfig::post_encroachment_s, WideNumber({.min = 0, .max = 10}),
         "Time between one leaving a place and the other coming there below this (seconds).")
      .Default("see docs/rules.md");
  o = add("red_light", "A vehicle crosses a line while its signal is red.");
  AddLine(o);
  AddDirection(o);
  o->Add("topic", &RuleConfig::topic, pipeline::Text(), "Signal state from outside: red, amber, green.")
      .Example("signal/north");
  o->Add("signal_zone", &RuleConfig::signal_zone, NameText("the name of a zone"),
         "Or the zone in which the signal's lamps are seen.")
      .Example("lamp_north");
  o = add("abandoned_object", "Something is left standing where nobody is with it.");
  AddZones(o, "Zones, any of them.", true);
  AddAfter(o, "For so long (seconds).");
  o->Add("radius_m", &RuleConfig::radius_m, WideNumber({.min = 0, .max = 1000}),
         "Nobody within so many metres of a thing; who appears within so many of a standing vehicle got out "
         "of it.")
      .Default("3; of vehicles 1.5");
  o = add("absence", "Nothing of the labels is in the zone for `after_s`.");
  AddZones(o, "Zones, any of them.", false);
  AddAfter(o, "For so long (seconds).");
  return all;
}

}  // namespace

Typed<RuleConfig> RuleVariants() {
  static const auto* type = new std::shared_ptr<const pipeline::Type>(pipeline::MakeVariants(
      "kind", Variants(),
      [](const void* value) { return static_cast<size_t>(static_cast<const RuleConfig*>(value)->kind); }));
  return {*type};
}

}  // namespace sightline::cameras
