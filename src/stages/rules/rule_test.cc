#include "stages/rules/rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "base/text.h"
#include "stages/rules/motion/lamp.h"

namespace sightline::rules {
namespace {

const RuleKind kKinds[] = {RuleKind::kLineCrossing, RuleKind::kZonePresence,   RuleKind::kDwell,
                           RuleKind::kCount,        RuleKind::kCrowd,          RuleKind::kSpeed,
                           RuleKind::kWrongWay,     RuleKind::kStoppedVehicle, RuleKind::kPersonOnRoad,
                           RuleKind::kNearMiss,     RuleKind::kRedLight,       RuleKind::kAbandonedObject,
                           RuleKind::kAbsence};

SceneGeometry Scene(bool calibrated) {
  SceneGeometry scene;
  scene.picture = {640, 360};
  scene.zones.push_back({"road", {{0, 80}, {640, 80}, {640, 340}, {0, 340}}, 0.0});
  scene.zones.push_back({"lamp", {{600, 0}, {640, 0}, {640, 40}, {600, 40}}, std::nullopt});
  scene.lines.push_back({"stop", {320, 340}, {320, 80}});
  if (calibrated) {
    std::vector<Homography::Pair> pairs;
    // Seen from a mast: the far edge is narrower.
    for (const double y : {60.0, 360.0})
      for (const double x : {-1.0, 1.0})
        pairs.push_back({{320 + x * (y - 20) * 0.9, y}, {x * 8, 2400 / (y - 20) + 10}});
    auto ground = Homography::Fit(pairs);
    EXPECT_TRUE(ground.ok()) << ground.status();
    scene.ground = *ground;
  }
  return scene;
}

RuleConfig Config(RuleKind kind) {
  RuleConfig config;
  config.kind = kind;
  config.zones = {"road"};
  config.line = "stop";
  config.count = 2;
  config.speed_kmh = 20;
  config.topic = kind == RuleKind::kRedLight ? "signal" : "";
  return config;
}

std::shared_ptr<const Rule> Make(const RuleConfig& config, const SceneGeometry& scene) {
  auto rule = Rule::Create(config, scene);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return *rule;
}

Moment At(double time_s, absl::Span<const Object> objects, WallTime start = {}) {
  Moment moment;
  moment.time_s = time_s;
  moment.captured = start + std::chrono::milliseconds(static_cast<int64_t>(std::llround(time_s * 1000)));
  moment.picture = {640, 360};
  moment.objects = objects;
  return moment;
}

// What must hold of any stream of events, whatever came in.
class Ledger {
 public:
  void Add(const std::vector<Event>& events) {
    for (const Event& event : events) {
      EXPECT_TRUE(std::isfinite(event.time_s) && std::isfinite(event.duration_s) && event.duration_s >= 0);
      EXPECT_TRUE(event.confidence >= 0 && event.confidence <= 1) << event.confidence;
      EXPECT_FALSE(event.id.empty());
      EXPECT_GE(event.captured, captured_) << "became known before the one that was told before";
      captured_ = event.captured;
      for (const Event::Value& value : event.values) EXPECT_TRUE(std::isfinite(value.value)) << value.name;
      for (const EventActor& actor : event.actors) {
        EXPECT_LE(actor.path.size(), kEventPathMax);
        for (size_t i = 1; i < actor.path.size(); ++i)
          EXPECT_GT(actor.path[i].time_s, actor.path[i - 1].time_s);
      }
      if (event.phase == EventPhase::kBegin) {
        EXPECT_TRUE(begun_.emplace(event.id, event.time_s).second) << event.id << " begins twice";
        EXPECT_TRUE(known_.insert(event.id).second);
      } else if (event.phase == EventPhase::kEnd) {
        const auto begin = begun_.find(event.id);
        ASSERT_NE(begin, begun_.end()) << event.id << " ends, and never began";
        EXPECT_EQ(begin->second, event.time_s);
        begun_.erase(begin);
      } else {
        EXPECT_TRUE(known_.insert(event.id).second) << event.id << " twice";
      }
    }
  }
  size_t open() const { return begun_.size(); }
  size_t seen() const { return known_.size(); }
  void Restart() { captured_ = {}; }

 private:
  std::map<std::string, double> begun_;
  std::set<std::string> known_;
  WallTime captured_;
};

TEST(Rule, every_kind_is_made) {
  for (const RuleKind kind : kKinds)
    EXPECT_TRUE(Rule::Create(Config(kind), Scene(true)).ok()) << static_cast<int>(kind);
}

TEST(Rule, what_measures_on_the_ground_asks_for_calibration) {
  for (const RuleKind kind : {RuleKind::kSpeed, RuleKind::kNearMiss}) {
    const auto rule = Rule::Create(Config(kind), Scene(false));
    ASSERT_FALSE(rule.ok());
    EXPECT_NE(rule.status().message().find("calibration"), std::string::npos);
  }
}

TEST(Rule, refuses_by_key) {
  const auto refused = [](std::string_view word, RuleConfig config) {
    const auto rule = Rule::Create(config, Scene(true));
    ASSERT_FALSE(rule.ok()) << word;
    EXPECT_NE(rule.status().ToString().find(word), std::string::npos) << rule.status();
  };
  RuleConfig config = Config(RuleKind::kDwell);
  config.zones = {"roads"};
  refused("did you mean 'road'", config);
  config = Config(RuleKind::kDwell);
  config.except_zones = {"nowhere"};
  refused("except_zones", config);
  config = Config(RuleKind::kDwell);
  config.zones.clear();
  refused("zones", config);
  config = Config(RuleKind::kLineCrossing);
  config.line = "none";
  refused("line", config);
  config = Config(RuleKind::kLineCrossing);
  config.direction = "up";
  refused("direction", config);
  config = Config(RuleKind::kRedLight);
  config.signal_zone = "lamp";
  refused("either topic or signal_zone", config);
  config = Config(RuleKind::kWrongWay);
  config.zones = {"lamp"};
  refused("heading_deg", config);
  config = Config(RuleKind::kCount);
  config.count = 0;
  refused("count", config);
  for (const double bad : {-1.0, std::nan(""), HUGE_VAL}) {
    config = Config(RuleKind::kDwell);
    config.after_s = bad;
    refused("after_s", config);
  }
}

// Tracks that come, go, jump, lie, and repeat themselves.
std::vector<Object> Wild(std::mt19937* random, double time_s) {
  const auto draw = [&](double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(*random));
  };
  static constexpr std::string_view kLabels[] = {"person", "car", "bicycle", "bus", "suitcase", ""};
  std::vector<Object> objects;
  const int count = std::uniform_int_distribution<int>(0, 14)(*random);
  for (int i = 0; i < count; ++i) {
    const auto id = std::uniform_int_distribution<int64_t>(1, 12)(*random);
    const double lap =
        std::fmod(time_s * (5 + static_cast<double>(id) * 9) + static_cast<double>(id) * 50, 700);
    const float x = static_cast<float>(id % 2 == 0 ? lap - 30 : 670 - lap),
                y = static_cast<float>(100 + id * 18);
    Object object{
        id, kLabels[static_cast<size_t>(id) % 6], draw(0.2, 1), {x, y - 30, x + 40, y}, draw(0, 1) < 0.9f};
    const float luck = draw(0, 1);
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                    kInf = std::numeric_limits<float>::infinity();
    if (luck < 0.02f)
      object.box = {kNan, y, x, kNan};
    else if (luck < 0.04f)
      object.box = {-kInf, y, kInf, y + 20};
    else if (luck < 0.06f)
      object.box = {x, y, x, y};
    else if (luck < 0.07f)
      object.box = {x + 50, y, x, y - 40};
    else if (luck < 0.08f)
      object.score = kNan;
    else if (luck < 0.1f)
      object.box = {draw(-1e5, 1e5), draw(-1e5, 1e5), draw(-1e5, 1e5), draw(-1e5, 1e5)};
    else if (luck < 0.12f)
      object.label = kLabels[static_cast<size_t>(i) % 6];
    objects.push_back(object);
  }
  return objects;
}

TEST(RuleProperty, any_stream_gives_paired_states_in_order) {
  for (const RuleKind kind : kKinds) {
    for (uint32_t seed = 1; seed <= 6; ++seed) {
      SCOPED_TRACE(testing::Message() << "kind " << static_cast<int>(kind) << " seed " << seed);
      std::mt19937 random(seed);
      RuleConfig config = Config(kind);
      config.after_s = seed % 2 == 0 ? 0.4 : 0;
      config.clear_s = seed % 3 == 0 ? 0.2 : 0;
      config.cooldown_s = seed % 4 == 0 ? 5 : 0;
      const bool calibrated = seed % 2 == 1 || kind == RuleKind::kSpeed || kind == RuleKind::kNearMiss;
      const auto state = Make(config, Scene(calibrated))->NewState();
      Ledger ledger;
      double time_s = 0;
      for (int i = 0; i < 700; ++i) {
        const int step = std::uniform_int_distribution<int>(0, 99)(random);
        time_s += step < 2 ? 0 : step < 4 ? 4 : step < 5 ? 1e-6 : 0.04 * (1 + step % 5);
        std::vector<Event> events;
        if (step == 50) state->OnTopic({"signal", "red"});
        if (step == 51) state->OnTopic({"signal", "\xff\x01nonsense"});
        if (step == 52 && i > 300) state->Reset(&events);
        const auto objects = Wild(&random, time_s);
        state->Update(At(time_s, objects), &events);
        ledger.Add(events);
      }
      std::vector<Event> events;
      state->Reset(&events);
      ledger.Add(events);
      EXPECT_EQ(ledger.open(), 0u);
    }
  }
}

TEST(RuleProperty, same_calls_give_the_same_events) {
  for (const RuleKind kind : kKinds) {
    const auto rule = Make(Config(kind), Scene(true));
    std::vector<Event> runs[2];
    for (auto& run : runs) {
      std::mt19937 random(11);
      const auto state = rule->NewState();
      for (int i = 0; i < 300; ++i) state->Update(At(i * 0.1, Wild(&random, i * 0.1)), &run);
    }
    ASSERT_EQ(runs[0].size(), runs[1].size());
    for (size_t i = 0; i < runs[0].size(); ++i) {
      EXPECT_EQ(runs[0][i].id, runs[1][i].id);
      EXPECT_EQ(runs[0][i].time_s, runs[1][i].time_s);
      EXPECT_EQ(runs[0][i].confidence, runs[1][i].confidence);
    }
  }
}

TEST(RuleProperty, rules_of_one_stream_find_together_what_each_finds_alone) {
  std::vector<std::shared_ptr<const Rule>> rules;
  for (const RuleKind kind : kKinds) rules.push_back(Make(Config(kind), Scene(true)));
  for (const RuleKind kind : {RuleKind::kDwell, RuleKind::kStoppedVehicle})  // of another scene
    rules.push_back(Make(Config(kind), Scene(false)));
  const auto stories = [](const std::vector<Event>& events) {
    std::multiset<std::string> all;
    for (const Event& event : events)
      all.insert(fmt::format("{} {} {} {} {}", event.kind, event.id, Name(event.phase), event.time_s,
                             event.confidence));
    return all;
  };
  std::vector<Event> together, alone;
  RuleStates states(rules);
  const auto play = [&](const auto& update, const auto& reset) {
    std::mt19937 random(5);
    for (int i = 0; i < 400; ++i) {
      const double time_s = i < 200 ? i * 0.1 : 1 + (i - 200) * 0.1;  // and back once
      update(At(time_s, Wild(&random, i * 0.1)));
      if (i == 300) reset();
    }
    reset();
  };
  play([&](const Moment& moment) { states.Update(moment, &together); }, [&] { states.Reset(&together); });
  for (const auto& rule : rules) {
    const auto state = rule->NewState();
    play([&](const Moment& moment) { state->Update(moment, &alone); }, [&] { state->Reset(&alone); });
  }
  EXPECT_GT(alone.size(), 20u);
  EXPECT_EQ(stories(together), stories(alone));
}

TEST(RuleState, time_that_goes_back_ends_what_is_open) {
  const auto state = Make(Config(RuleKind::kZonePresence), Scene(false))->NewState();
  const std::vector<Object> one{{1, "person", 1, {100, 100, 120, 200}, true}};
  std::vector<Event> events;
  state->Update(At(100, one), &events);
  state->Update(At(101, one), &events);
  ASSERT_EQ(events.size(), 1u);
  state->Update(At(3, one), &events);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1].phase, EventPhase::kEnd);
  EXPECT_EQ(events[1].id, events[0].id);
  EXPECT_EQ(events[2].phase, EventPhase::kBegin);
  EXPECT_NE(events[2].id, events[0].id);
}

TEST(RuleState, time_that_is_no_number_is_passed_over) {
  const auto state = Make(Config(RuleKind::kZonePresence), Scene(false))->NewState();
  const std::vector<Object> one{{1, "person", 1, {100, 100, 120, 200}, true}};
  std::vector<Event> events;
  for (const double time_s : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Moment moment = At(0, one);
    moment.time_s = time_s;
    state->Update(moment, &events);
  }
  EXPECT_TRUE(events.empty());
}

TEST(RuleState, who_vanishes_is_ended_when_forgotten) {
  const auto state = Make(Config(RuleKind::kZonePresence), Scene(false))->NewState();
  const std::vector<Object> one{{1, "person", 1, {100, 100, 120, 200}, true}};
  std::vector<Event> events;
  for (int i = 0; i < 10; ++i) state->Update(At(i * 0.2, one), &events);
  for (int i = 10; i < 60; ++i) state->Update(At(i * 0.2, {}), &events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].phase, EventPhase::kEnd);
  EXPECT_NEAR(events[1].time_s + events[1].duration_s, 1.8, 1e-9);  // when it was seen last
}

TEST(RuleState, a_new_id_at_the_same_place_goes_on) {
  const auto state = Make(Config(RuleKind::kDwell), Scene(false))->NewState();
  std::vector<Event> events;
  for (int i = 0; i < 150; ++i) {
    const std::vector<Object> one{{i < 60 ? 1 : 2, "person", 1, {100, 100, 120, 200}, true}};
    state->Update(At(i * 0.1, one), &events);
  }
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].time_s, 0);
}

TEST(RuleState, schedules_are_of_local_time) {
  RuleConfig config = Config(RuleKind::kZonePresence);
  std::tm local{};
  local.tm_year = 124, local.tm_mon = 2, local.tm_mday = 4, local.tm_hour = 23,
  local.tm_min = 59;  // a Monday
  local.tm_isdst = -1;
  const WallTime start = std::chrono::system_clock::from_time_t(std::mktime(&local));
  const std::vector<Object> one{{1, "person", 1, {100, 100, 120, 200}, true}};
  const auto awake = [&](Schedule schedule, double minutes) {
    config.schedule = {schedule};
    const auto state = Make(config, Scene(false))->NewState();
    std::vector<Event> events;
    state->Update(At(minutes * 60, one, start), &events);
    return !events.empty();
  };
  EXPECT_TRUE(awake({{0}, 22 * 60, 6 * 60}, 0));
  EXPECT_TRUE(awake({{0}, 22 * 60, 6 * 60}, 5));     // Tuesday, but Monday's night
  EXPECT_FALSE(awake({{1}, 22 * 60, 6 * 60}, 5));    // Tuesday's night has not begun
  EXPECT_FALSE(awake({{0}, 22 * 60, 6 * 60}, 361));  // over at six
  EXPECT_TRUE(awake({{}, 0, 24 * 60}, 5));
  EXPECT_FALSE(awake({{1}, 0, 24 * 60}, 0));
}

Frame Lamp(PixelFormat format, uint8_t r, uint8_t g, uint8_t b) {
  Frame frame;
  frame.Allocate(format, {64, 64});
  const double luma = 0.299 * r + 0.587 * g + 0.114 * b;
  const auto byte = [](double v) { return static_cast<uint8_t>(std::clamp(v, 0.0, 255.0)); };
  for (int plane = 0; plane < PlaneCount(format); ++plane) {
    const Size size = PlaneSize(format, frame.size, plane);
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) {
        uint8_t value = plane == 0   ? byte(luma)
                        : plane == 1 ? byte(128 + (b - luma) * 0.564)
                                     : byte(128 + (r - luma) * 0.713);
        if (format == PixelFormat::kRgb24) value = x % 3 == 0 ? r : x % 3 == 1 ? g : b;
        frame.mutable_plane(plane)[y * frame.planes[static_cast<size_t>(plane)].stride + x] = value;
      }
  }
  return frame;
}

TEST(Lamp, shows_its_colour_in_every_format) {
  const Polygon all{{0, 0}, {640, 0}, {640, 640}, {0, 640}};
  for (const PixelFormat format : {PixelFormat::kRgb24, PixelFormat::kYuv420, PixelFormat::kYuv444}) {
    EXPECT_EQ(ShownByPixels(Lamp(format, 230, 30, 20), {640, 640}, all), Shown::kRed);
    EXPECT_EQ(ShownByPixels(Lamp(format, 240, 160, 20), {640, 640}, all), Shown::kAmber);
    EXPECT_EQ(ShownByPixels(Lamp(format, 20, 210, 120), {640, 640}, all), Shown::kGreen);
    EXPECT_EQ(ShownByPixels(Lamp(format, 90, 90, 90), {640, 640}, all), Shown::kUnknown);
    EXPECT_EQ(ShownByPixels(Lamp(format, 30, 8, 8), {640, 640}, all), Shown::kUnknown);
  }
  EXPECT_EQ(ShownByPixels(Lamp(PixelFormat::kGray8, 230, 0, 0), {640, 640}, all), Shown::kUnknown);
  EXPECT_EQ(
      ShownByPixels(Lamp(PixelFormat::kRgb24, 230, 30, 20), {640, 640}, {{900, 900}, {999, 900}, {950, 999}}),
      Shown::kUnknown);
}

TEST(Lamp, words_are_read_whatever_their_case) {
  EXPECT_EQ(ShownByWord(" RED "), Shown::kRed);
  EXPECT_EQ(ShownByWord("Yellow"), Shown::kAmber);
  EXPECT_EQ(ShownByWord("green"), Shown::kGreen);
  EXPECT_EQ(ShownByWord("broken"), Shown::kUnknown);
}

TEST(RedLight, sees_the_signal_in_a_zone) {
  RuleConfig config = Config(RuleKind::kRedLight);
  config.topic.clear();
  config.signal_zone = "lamp";
  const auto rule = Make(config, Scene(false));
  for (const bool red : {true, false}) {
    const auto state = rule->NewState();
    EXPECT_TRUE(state->needs_pixels());
    const Frame lamp = red ? Lamp(PixelFormat::kRgb24, 230, 30, 20) : Lamp(PixelFormat::kRgb24, 20, 210, 120);
    std::vector<Event> events;
    for (int i = 0; i < 40; ++i) {
      const float x = 100 + static_cast<float>(i) * 12;
      const std::vector<Object> one{{1, "car", 1, {x, 150, x + 60, 200}, true}};
      Moment moment = At(i * 0.1, one);
      moment.frame = &lamp;
      state->Update(moment, &events);
    }
    EXPECT_EQ(events.size(), red ? 1u : 0u);
  }
}

}  // namespace
}  // namespace sightline::rules
