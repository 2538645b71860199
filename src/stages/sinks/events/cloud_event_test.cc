#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "stages/sinks/events/event_sink.h"
#include "stages/sinks/events/test_event.h"

namespace sightline::sinks {
namespace {

using Json = nlohmann::json;

TEST(CloudEvent, has_the_attributes_of_the_standard_and_all_of_the_event) {
  const std::string text = ToCloudEvent(TestEvent(), "north");
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["specversion"], "1.0");
  EXPECT_EQ(json["id"], "01J0000000000000000000000A");
  EXPECT_EQ(json["type"], "org.sightline.event.near_miss.v1");
  EXPECT_EQ(json["source"], "north/cameras/gate");
  EXPECT_EQ(json["subject"], "crossing");
  EXPECT_EQ(json["time"], "2025-06-15T15:06:40.373456Z");
  EXPECT_EQ(json["datacontenttype"], "application/json");
  const Json& data = json["data"];
  EXPECT_EQ(data["began"], "2025-06-15T15:06:40.123456Z");
  EXPECT_EQ(data["phase"], "moment");
  EXPECT_EQ(data["zone"], "junction");
  EXPECT_EQ(data["time_s"], 12.5);
  EXPECT_EQ(data["reported_s"], 12.75);
  EXPECT_EQ(data["confidence"], 0.87);
  EXPECT_EQ(data["pipeline"], "street@3");
  EXPECT_EQ(data["models"], Json::array({"street_detector@1"}));
  EXPECT_EQ(data["values"]["time_to_collision_s"], (Json{{"value", 0.8}, {"error", 0.15}}));
  EXPECT_EQ(data["values"]["post_encroachment_s"], (Json{{"value", 1.1}}));
  EXPECT_EQ(data["snapshot"], "gate/2025-06-15/01J.jpg");
  EXPECT_FALSE(data.contains("clip"));
  const Json& actor = data["actors"][0];
  EXPECT_EQ(actor["track"], 7);
  EXPECT_EQ(actor["box"], Json::array({10.13, 20.0, 110.5, 80.0}));
  EXPECT_EQ(actor["speed_mps"], 8.3333);
  EXPECT_EQ(actor["speed_error_mps"], 0.4);
  EXPECT_EQ(actor["path"][0],
            (Json{{"time_s", 12.0}, {"x", 50.0}, {"y", 80.0}, {"x_m", 1.25}, {"y_m", 2.5}}));
  EXPECT_FALSE(actor["path"][1].contains("x_m"));
}

TEST(CloudEvent, of_a_state_says_when_it_began_and_ended) {
  Event event = TestEvent();
  event.phase = EventPhase::kEnd;
  event.state = "01J0";
  event.duration_s = 30;
  const Json data = Json::parse(ToCloudEvent(event, "n"))["data"];
  EXPECT_EQ(data["phase"], "end");
  EXPECT_EQ(data["state"], "01J0");
  EXPECT_EQ(data["begin_s"], 12.5);
  EXPECT_EQ(data["duration_s"], 30.0);
  EXPECT_EQ(data["end_s"], 42.5);
}

TEST(CloudEvent, is_json_whatever_text_and_numbers_come) {
  Event event = TestEvent();
  event.rule = "\"quoted\"\n\xFF\xFE";
  event.zone = std::string("nul\0byte", 8);
  event.confidence = std::numeric_limits<double>::quiet_NaN();
  event.actors[0].box.x1 = std::numeric_limits<float>::infinity();
  event.values[0].value = -std::numeric_limits<double>::infinity();
  event.captured = WallTime(std::chrono::microseconds(-1));
  const Json json = Json::parse(ToCloudEvent(event, "n"));
  EXPECT_EQ(json["subject"], "\"quoted\"\n\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(json["data"]["confidence"].is_null());
  EXPECT_TRUE(json["data"]["actors"][0]["box"][0].is_null());
  EXPECT_EQ(json["time"], "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace sightline::sinks
