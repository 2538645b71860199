// The scenario file: declared with the same machinery as pipelines, so that its mistakes are named as
// exactly.
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/declare.h"
#include "simulate/scene/exact.h"
#include "simulate/script/scenario.h"

namespace sightline::simulate {
namespace {

using pipeline::Choice;
using pipeline::Integer;
using pipeline::ListOf;
using pipeline::Object;
using pipeline::ObjectType;
using pipeline::Optional;
using pipeline::Typed;
using pipeline::WideNumber;

constexpr double kDay = 24 * 3600;
constexpr double kKmhPerMetreASecond = 3.6;
constexpr double kDegree = kPi / 180;

// As it is written: speeds in km/h, angles in degrees.
struct EventLine {
  std::optional<EventKind> kind;
  double at_s = 0;
  std::optional<double> duration_s, time_to_collision_s, post_encroachment_s, speed_kmh;
  std::optional<ActorKind> first, second;
  std::optional<int> count;
};
struct WeatherLine {
  double at_s = 0;
  DayLight light = DayLight::kDay;
  double clouds = 0, rain = 0, fog = 0;
  std::optional<double> wetness;
  double sun_azimuth_deg = 135, sun_elevation_deg = 45;
};
struct File {
  std::vector<EventLine> events;
  std::vector<WeatherLine> weather;
  TrafficOptions traffic;
};

Typed<std::optional<ActorKind>> Who(bool persons) {
  std::vector<std::tuple<std::string, ActorKind, std::string>> names;
  for (int i = persons ? 0 : 1; i < kActorKinds; ++i)
    names.emplace_back(std::string(kActorLabels[static_cast<size_t>(i)]), static_cast<ActorKind>(i), "");
  return Optional(Choice<ActorKind>(names));
}

Object<EventLine>* NewEvent(EventKind kind, std::string doc) {
  std::vector<std::tuple<std::string, EventKind, std::string>> names;
  for (size_t i = 0; i < kEventNames.size(); ++i)
    names.emplace_back(std::string(kEventNames[i]), static_cast<EventKind>(i), "");
  const std::string name(kEventNames[static_cast<size_t>(kind)]);
  auto* o = new Object<EventLine>(name + " event", std::move(doc));
  o->Add("kind", &EventLine::kind, Optional(Choice<EventKind>(names)), "What happens.")
      .Required()
      .Example(name);
  o->Add("at_s", &EventLine::at_s, WideNumber({.min = 0, .max = kDay}),
         "Second of the clip at which it begins, or is at its height.")
      .Required()
      .Example("20");
  return o;
}

void AddFirst(Object<EventLine>* o) {
  o->Add("first", &EventLine::first, Who(false), "Which vehicle.").Default("car").Example("truck");
}
void AddDuration(Object<EventLine>* o, double min) {
  o->Add("duration_s", &EventLine::duration_s, Optional(WideNumber({.min = min, .max = kDay})),
         "How long it lasts.")
      .Example("20");
}
void AddSpeed(Object<EventLine>* o, double max) {
  o->Add("speed_kmh", &EventLine::speed_kmh, Optional(WideNumber({.min = 1, .max = max})),
         "Speed of the first, in km/h.")
      .Example("40");
}

std::vector<std::pair<std::string, const ObjectType*>> EventObjects() {
  std::vector<std::pair<std::string, const ObjectType*>> all;
  const auto add = [&](const Object<EventLine>* o, EventKind kind) {
    all.emplace_back(std::string(kEventNames[static_cast<size_t>(kind)]), o);
  };
  auto* near = NewEvent(EventKind::kNearMiss, "Two nearly collide where their ways cross.");
  AddFirst(near);
  near->Add("second", &EventLine::second, Who(true), "Whom it nearly hits.").Default("person").Example("car");
  near->Add("time_to_collision_s", &EventLine::time_to_collision_s,
            Optional(WideNumber({.min = 0.4, .max = 1.4})),
            "Least time to collision that is reached. Not together with post_encroachment_s.")
      .Default("1")
      .Example("0.8");
  near->Add("post_encroachment_s", &EventLine::post_encroachment_s,
            Optional(WideNumber({.min = 0.3, .max = 1.4})),
            "Seconds between the one leaving the other's way and the other's coming there.")
      .Example("0.6");
  add(near, EventKind::kNearMiss);
  auto* person = NewEvent(EventKind::kPersonOnRoad, "Somebody walks on the road, away from crosswalks.");
  AddDuration(person, 2);
  add(person, EventKind::kPersonOnRoad);
  auto* red = NewEvent(EventKind::kRedLight, "A vehicle passes its stop line although its signal is red.");
  AddFirst(red);
  AddSpeed(red, 90);
  add(red, EventKind::kRedLight);
  auto* wrong = NewEvent(EventKind::kWrongWay, "A vehicle drives in a lane against its direction.");
  AddFirst(wrong);
  AddSpeed(wrong, 60);
  add(wrong, EventKind::kWrongWay);
  auto* stopped =
      NewEvent(EventKind::kStoppedVehicle, "A vehicle stands in a lane with its hazard lights on.");
  AddFirst(stopped);
  AddDuration(stopped, 9);
  add(stopped, EventKind::kStoppedVehicle);
  auto* speeding = NewEvent(EventKind::kSpeeding, "A vehicle drives much faster than is allowed.");
  AddFirst(speeding);
  AddSpeed(speeding, 160);
  add(speeding, EventKind::kSpeeding);
  auto* crowd = NewEvent(EventKind::kCrowd, "People gather on a pavement.");
  crowd->Add("count", &EventLine::count, Optional(Integer(8, 60)), "How many people.")
      .Default("12")
      .Example("15");
  AddDuration(crowd, 4);
  add(crowd, EventKind::kCrowd);
  auto* left = NewEvent(EventKind::kAbandonedVehicle,
                        "A vehicle stops on the road, somebody gets out and walks away; it stays.");
  AddFirst(left);
  add(left, EventKind::kAbandonedVehicle);
  for (const auto& [name, object] : all) {
    const_cast<ObjectType*>(object)->explain_unknown = [all, kind = name](const std::string& key) {
      std::vector<std::string> others;
      for (const auto& [other, type] : all)
        if (type->Find(key) != nullptr) others.push_back(other);
      if (others.empty()) return std::string();
      return fmt::format("a {} event has no key '{}' (it is for {})", kind, key, Join(others, ", "));
    };
  }
  return all;
}

Object<WeatherLine>* WeatherObject() {
  auto* o = new Object<WeatherLine>("weather", "The weather at one moment; between two it changes smoothly.");
  o->Add("at_s", &WeatherLine::at_s, WideNumber({.min = 0, .max = kDay}), "Second of the clip.")
      .Required()
      .Example("0");
  o->Add("light", &WeatherLine::light,
         Choice<DayLight>({{"day", DayLight::kDay, "The sun is up."},
                           {"dusk", DayLight::kDusk, "It is about to set."},
                           {"night", DayLight::kNight, "Lamps and headlights."}}),
         "Light; from one to the next it changes half-way.")
      .Example("dusk");
  const pipeline::Range share{.min = 0, .max = 1};
  o->Add("clouds", &WeatherLine::clouds, WideNumber(share), "0: hard shadows; 1: none.").Example("0.4");
  o->Add("rain", &WeatherLine::rain, WideNumber(share), "0: dry; 1: heavy.").Example("0.7");
  o->Add("fog", &WeatherLine::fog, WideNumber(share), "1 hides what is 40 m away.").Example("0.5");
  o->Add("wetness", &WeatherLine::wetness, Optional(WideNumber(share)), "How much the road mirrors.")
      .Default("by the rain")
      .Example("0.8");
  o->Add("sun_azimuth_deg", &WeatherLine::sun_azimuth_deg, WideNumber({.min = -360, .max = 360}),
         "Where the sun stands, counter-clockwise from +x.");
  o->Add("sun_elevation_deg", &WeatherLine::sun_elevation_deg, WideNumber({.min = 2, .max = 90}),
         "How high it stands.");
  return o;
}

Object<TrafficOptions>* TrafficObject() {
  auto* o = new Object<TrafficOptions>("traffic", "How busy the street is.");
  const pipeline::Range rate{.min = 0, .max = 200};
  o->Add("vehicles_per_minute", &TrafficOptions::vehicles_per_minute, WideNumber(rate),
         "On all arms together.")
      .Example("30");
  o->Add("bicycles_per_minute", &TrafficOptions::bicycles_per_minute, WideNumber(rate), "Cyclists.");
  o->Add("walkers_per_minute", &TrafficOptions::walkers_per_minute, WideNumber(rate), "People on foot.");
  o->Add("parked_share", &TrafficOptions::parked_share, WideNumber({.min = 0, .max = 1}),
         "Share of the parking bays that are taken.");
  o->Add("warm_up_s", &TrafficOptions::warm_up_s, WideNumber({.min = 0, .max = 600}),
         "Seconds of traffic before the clip begins.");
  return o;
}

const ObjectType& FileObject() {
  static const auto* object = [] {
    const Typed<EventLine> event{pipeline::MakeVariants("kind", EventObjects(), [](const void* line) {
      return static_cast<size_t>(static_cast<const EventLine*>(line)->kind.value_or(EventKind::kNearMiss));
    })};
    auto* o = new Object<File>("scenario", "What happens in a simulated street.");
    o->Add("events", &File::events, ListOf(event, 0, 1000), "What is staged.");
    o->Add("weather", &File::weather, ListOf(pipeline::Of(*WeatherObject()), 0, 1000),
           "Weather at some moments, by rising time.")
        .Default("a clear day");
    o->Add("traffic", &File::traffic, pipeline::Of(*TrafficObject()), "Everybody else.");
    return o;
  }();
  return *object;
}

// What no single key shows.
void CheckTogether(const File& file, pipeline::Report* report) {
  for (size_t i = 0; i < file.events.size(); ++i) {
    const EventLine& line = file.events[i];
    const std::string path = fmt::format("events[{}]", i);
    if (line.time_to_collision_s && line.post_encroachment_s)
      report->At(
          path + ".post_encroachment_s",
          "cannot be ordered together with time_to_collision_s: ways that cross one after the other meet "
          "no collision course");
  }
  for (size_t i = 1; i < file.weather.size(); ++i) {
    if (!(file.weather[i].at_s > file.weather[i - 1].at_s))
      report->At(
          fmt::format("weather[{}].at_s", i),
          fmt::format("{} is not after the {} before it", file.weather[i].at_s, file.weather[i - 1].at_s));
  }
}

Scenario ToScenario(const File& file) {
  Scenario scenario;
  scenario.traffic = file.traffic;
  for (const EventLine& line : file.events) {
    ScriptedEvent event;
    event.kind = line.kind.value_or(EventKind::kNearMiss);
    event.at_s = line.at_s;
    event.duration_s = line.duration_s;
    event.time_to_collision_s = line.time_to_collision_s;
    event.post_encroachment_s = line.post_encroachment_s;
    event.first = line.first;
    event.second = line.second;
    event.count = line.count;
    if (line.speed_kmh) event.speed = *line.speed_kmh / kKmhPerMetreASecond;
    scenario.events.push_back(event);
  }
  for (const WeatherLine& line : file.weather) {
    Weather weather;
    weather.light = line.light;
    weather.clouds = line.clouds;
    weather.rain = line.rain;
    weather.fog = line.fog;
    weather.wetness = line.wetness.value_or(line.rain > 0 ? std::min(1.0, 0.55 + 0.5 * line.rain) : 0);
    weather.sun_azimuth = WrapAngle(line.sun_azimuth_deg * kDegree);
    weather.sun_elevation = line.sun_elevation_deg * kDegree;
    scenario.weather.push_back({line.at_s, weather});
  }
  if (scenario.weather.empty()) scenario.weather.push_back({0, {}});
  return scenario;
}

}  // namespace

absl::StatusOr<Scenario> LoadScenario(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadTextFile(path, pipeline::YamlLimits().bytes_max));
  auto parsed = pipeline::ParseYaml(yaml, path);
  if (auto* diagnostic = std::get_if<pipeline::Diagnostic>(&parsed)) return pipeline::ToStatus({*diagnostic});
  const pipeline::Node& root = std::get<pipeline::Node>(parsed);
  pipeline::Report report(path, &root);
  File file;
  if (root.kind != pipeline::Node::Kind::kNull) FileObject().Read(root, "", &report, &file);
  CheckTogether(file, &report);
  if (report.count() > 0) return pipeline::ToStatus(report.Take());
  return ToScenario(file);
}

}  // namespace sightline::simulate
