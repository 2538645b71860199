#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mosquitto.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "base/file.h"
#include "base/text.h"
#include "stages/sinks/events/event_sink.h"
#include "stages/sinks/events/test_broker.h"

namespace sightline::sinks {
namespace {

using testing::HasSubstr;
using testing::Not;

// Subscribes to everything and remembers it, by topic.
class Listener {
 public:
  explicit Listener(int port) {
    mosquitto_lib_init();
    client_ = mosquitto_new(nullptr, true, this);
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      auto* me = static_cast<Listener*>(self);
      absl::MutexLock lock(&me->mutex_);
      me->received_.emplace_back(message->topic, std::string(static_cast<const char*>(message->payload),
                                                             static_cast<size_t>(message->payloadlen)));
    });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int, const int*) {
      auto* me = static_cast<Listener*>(self);
      absl::MutexLock lock(&me->mutex_);
      me->ready_ = true;
    });
    CHECK(mosquitto_connect(client_, "127.0.0.1", port, 60) == 0) << "no broker";
    mosquitto_subscribe(client_, nullptr, "#", 1);
    mosquitto_loop_start(client_);
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&ready_), absl::Seconds(10));
    CHECK(ready_) << "no subscription";
  }
  ~Listener() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, false);
    mosquitto_destroy(client_);
  }

  // The newest message of `topic`, once it is `wanted` (or anything); "nothing" after 10 s.
  std::string Await(const std::string& topic, const std::string& wanted = "*") {
    absl::MutexLock lock(&mutex_);
    std::string found = "nothing";
    const auto there = [&] {
      for (const auto& [name, payload] : received_)
        if (name == topic) found = payload;
      return found != "nothing" && (wanted == "*" || found == wanted);
    };
    mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(10));
    return found;
  }
  size_t Count(const std::string& topic) {
    absl::MutexLock lock(&mutex_);
    return static_cast<size_t>(std::count_if(received_.begin(), received_.end(),
                                             [&](const auto& one) { return one.first == topic; }));
  }

 private:
  absl::Mutex mutex_;
  bool ready_ = false;
  std::vector<std::pair<std::string, std::string>> received_;
  mosquitto* client_;
};

class MqttTest : public testing::Test {
 protected:
  // A plain listener always, and one more as `listener` says.
  void StartBroker(const std::string& more = "") {
    port_ = FreePort();
    std::ofstream(folder_.path() / "mosquitto.conf") << fmt::format(
        "per_listener_settings true\nuser root\nlistener {} 127.0.0.1\nallow_anonymous true\n{}", port_,
        more);
    broker_.emplace(std::vector<std::string>{"mosquitto", "-c", folder_.path() / "mosquitto.conf"}, port_);
  }
  MqttOptions Options(const std::string& url) {
    MqttOptions options;
    options.url = url;
    options.client_id = "sightline-north-mqtt";
    options.timeout_s = 5;
    return options;
  }
  std::string Plain() const { return fmt::format("mqtt://127.0.0.1:{}", port_); }
  EventMessage Message(const std::string& id) const {
    return {id, "dwell", "gate", fmt::format("payload {}", id)};
  }

  TemporaryFolder folder_ = *TemporaryFolder::Create();
  int port_ = 0;
  std::optional<TestBroker> broker_;
};

TEST_F(MqttTest, publishes_acknowledged_and_says_whether_it_is_online) {
  StartBroker();
  Listener listener(port_);
  const std::string availability = "sightline/sightline-north-mqtt/availability";
  {
    auto sink = *CreateMqttSink(Options(Plain()));
    EXPECT_TRUE(sink->Send(Message("a")).ok());
    EXPECT_EQ(listener.Await("sightline/gate/dwell"), "payload a");
    EXPECT_EQ(listener.Await(availability), "online");
    std::vector<EventMessage> many;
    for (int i = 0; i < 60; ++i) many.push_back({"x", "speed", "a/b+#", "p"});
    for (const absl::Status& status : sink->SendTogether(many)) EXPECT_TRUE(status.ok()) << status;
    listener.Await("sightline/a_b__/speed");
  }
  EXPECT_EQ(listener.Await(availability, "offline"), "offline");
}

TEST_F(MqttTest, comes_back_after_the_broker_went_and_announces_again) {
  StartBroker();
  MqttOptions options = Options(Plain());
  options.home_assistant = true;
  options.timeout_s = 1;
  auto sink = *CreateMqttSink(options);
  sink->OnCameras({"gate", "dock"});
  ASSERT_TRUE(sink->Send(Message("a")).ok());
  broker_->Stop();
  const absl::Status down = sink->Send(Message("b"));
  EXPECT_TRUE(absl::IsUnavailable(down)) << down;
  broker_->Start();
  Listener listener(port_);
  absl::Status status = absl::UnavailableError("");
  for (int i = 0; i < 10 && !status.ok(); ++i) status = sink->Send(Message("b"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(listener.Await("sightline/gate/dwell"), "payload b");
  const auto config =
      nlohmann::json::parse(listener.Await("homeassistant/event/sightline-north-mqtt_gate/config"));
  EXPECT_EQ(config["state_topic"], "sightline/gate/+");
  EXPECT_EQ(config["availability_topic"], "sightline/sightline-north-mqtt/availability");
  EXPECT_EQ(config["device"]["name"], "gate");
  EXPECT_THAT(config["event_types"].dump(), HasSubstr("near_miss"));
  sink->OnCameras({"dock"});
  EXPECT_EQ(listener.Await("homeassistant/event/sightline-north-mqtt_gate/config", ""), "")
      << "what is gone is taken back";
}

TEST_F(MqttTest, broker_that_hangs_costs_the_timeout_and_no_more) {
  StartBroker();
  MqttOptions options = Options(Plain());
  options.timeout_s = 0.3;
  auto sink = *CreateMqttSink(options);
  ASSERT_TRUE(sink->Send(Message("a")).ok());
  broker_->Freeze();
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(absl::IsUnavailable(sink->Send(Message("b"))));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

TEST_F(MqttTest, passwords_are_used_and_never_shown) {
  const std::string file = folder_.path() / "passwords";
  std::ofstream(file) << "";
  ASSERT_EQ(std::system(fmt::format("mosquitto_passwd -b {} user 'hid den:1'", file).c_str()), 0);
  const int port = FreePort();
  StartBroker(fmt::format("listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\n", port, file));
  auto good = *CreateMqttSink(Options(fmt::format("mqtt://user:hid%20den%3A1@127.0.0.1:{}", port)));
  EXPECT_TRUE(good->Send(Message("a")).ok());
  EXPECT_THAT(good->Shown(), Not(HasSubstr("hid")));
  MqttOptions options = Options(fmt::format("mqtt://user:hidden@127.0.0.1:{}", port));
  options.timeout_s = 1;
  const absl::Status status = (*CreateMqttSink(options))->Send(Message("a"));
  EXPECT_TRUE(absl::IsUnavailable(status)) << "a password can be put right: nothing is lost";
  EXPECT_THAT(status.message(), HasSubstr("refuses"));
  EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
}

TEST_F(MqttTest, certificates_and_host_names_are_verified) {
  MakeCertificate(folder_.path());
  const int port = FreePort();
  StartBroker(fmt::format("listener {} 127.0.0.1\nallow_anonymous true\ncertfile {}\nkeyfile {}\n", port,
                          (folder_.path() / "cert.pem").string(), (folder_.path() / "key.pem").string()));
  const auto send = [&](const std::string& host, bool trusting) {
    MqttOptions options = Options(fmt::format("mqtts://{}:{}", host, port));
    options.timeout_s = 1;
    if (trusting) options.authorities_file = folder_.path() / "cert.pem";
    return (*CreateMqttSink(options))->Send(Message("a"));
  };
  EXPECT_TRUE(send("localhost", true).ok());
  EXPECT_TRUE(absl::IsUnavailable(send("127.0.0.1", true)));
  EXPECT_TRUE(absl::IsUnavailable(send("localhost", false)));
}

TEST_F(MqttTest, wrong_addresses_and_topics_are_refused_without_their_credentials) {
  for (const char* url : {"http://u:hidden@host", "mqtt://u:hidden@", "mqtt://u:hidden@host/path", "host"}) {
    const absl::Status status = CreateMqttSink(Options(url)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url;
    EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
  }
  MqttOptions options = Options("mqtt://host");
  options.topic = "all/#";
  EXPECT_TRUE(absl::IsInvalidArgument(CreateMqttSink(options).status()));
  options = Options("mqtts://host");
  options.authorities_file = "/nowhere.pem";
  EXPECT_THAT(CreateMqttSink(options).status().message(), HasSubstr("/nowhere.pem"));
}

}  // namespace
}  // namespace sightline::sinks
