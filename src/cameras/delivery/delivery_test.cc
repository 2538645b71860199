#include "cameras/delivery/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/file.h"
#include "base/net/http_client.h"
#include "base/net/test_server.h"
#include "base/text.h"
#include "cameras/delivery/retry_pause.h"
#include "stages/sinks/events/test_event.h"

namespace sightline::cameras {
namespace {

using sinks::EventMessage;
using testing::ElementsAre;
using testing::HasSubstr;

// What a test sink was given, and what it answers; outlives the sink.
struct Box {
  absl::Mutex mutex;
  std::vector<std::string> taken;
  std::vector<std::string> cameras;
  int fail_next = 0, tries = 0;
  bool hang = false, cancelled = false;
  std::set<std::string> refuse, fail;

  bool AwaitTaken(size_t count, absl::Duration wait = absl::Seconds(20)) {
    absl::MutexLock lock(&mutex);
    const auto there = [&] { return taken.size() >= count; };
    return mutex.AwaitWithTimeout(absl::Condition(&there), wait);
  }
  std::vector<std::string> Taken() {
    absl::MutexLock lock(&mutex);
    return taken;
  }
};

class BoxSink final : public sinks::EventSink {
 public:
  explicit BoxSink(Box* box) : box_(box) {}
  absl::Status Send(const EventMessage& message) override {
    absl::MutexLock lock(&box_->mutex);
    ++box_->tries;
    const auto free = [this] { return !box_->hang || box_->cancelled; };
    box_->mutex.Await(absl::Condition(&free));
    if (box_->cancelled) return absl::CancelledError("given up");
    if (box_->refuse.count(message.id) != 0) return absl::InvalidArgumentError("never");
    if (box_->fail.count(message.id) != 0) return absl::UnavailableError("not this one");
    if (box_->fail_next > 0) {
      --box_->fail_next;
      return absl::UnavailableError("not now");
    }
    box_->taken.push_back(message.id);
    return absl::OkStatus();
  }
  std::string Shown() const override { return "box"; }
  void OnCameras(const std::vector<std::string>& names) override {
    absl::MutexLock lock(&box_->mutex);
    box_->cameras = names;
  }
  void Cancel() override {
    absl::MutexLock lock(&box_->mutex);
    box_->cancelled = true;
  }

 private:
  Box* const box_;
};

NamedSink Named(const std::string& name, Box* box, std::vector<std::string> kinds = {},
                std::vector<std::string> cameras = {}) {
  return {name, std::make_unique<BoxSink>(box), std::move(kinds), std::move(cameras)};
}

store::StoredEvent StoredNow(int number, const std::string& camera = "gate",
                             const std::string& kind = "dwell") {
  Event event = TestEvent(fmt::format("E{:06}", number), camera, kind);
  event.began = event.captured = std::chrono::system_clock::now();
  return StoredForm(event, "north");
}

class DeliveryTest : public testing::Test {
 protected:
  template <typename... Sinks>
  void Start(Sinks... sinks) {
    std::vector<NamedSink> all;
    (all.push_back(std::move(sinks)), ...);
    delivery_ = Delivery::Create(store_.get(), std::move(all));
  }
  SinkCounts Counts(const std::string& name) {
    for (const SinkCounts& counts : delivery_->counts())
      if (counts.name == name) return counts;
    return {};
  }
  // Polls, because counts have no signal.
  template <typename Condition>
  bool Await(Condition condition) {
    for (int i = 0; i < 4000 && !condition(); ++i) absl::SleepFor(absl::Milliseconds(5));
    return condition();
  }

  TemporaryFolder folder_ = *TemporaryFolder::Create();
  Box box_, other_;
  std::unique_ptr<store::NodeStore> store_ = *store::NodeStore::Open(folder_.path() / "node.sqlite");
  std::unique_ptr<Delivery> delivery_;
};

TEST_F(DeliveryTest, brings_events_in_order_and_forgets_what_was_taken) {
  Start(Named("box", &box_));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
  EXPECT_TRUE(delivery_->Drain(20));
  EXPECT_THAT(box_.Taken(), ElementsAre("E000000", "E000001", "E000002", "E000003", "E000004"));
  EXPECT_EQ(store_->State("box")->items, 0);
  EXPECT_THAT(store_->FindEvent("E000003")->json, HasSubstr("north/cameras/gate"));
  EXPECT_EQ(Counts("box").sent, 5u);
  EXPECT_GT(Counts("box").delay_p95_s, 0);
  delivery_->OnCameras({"gate", "dock"});
  EXPECT_TRUE(Await([&] { return absl::MutexLock(&box_.mutex), box_.cameras.size() == 2; }));
}

TEST_F(DeliveryTest, each_sink_gets_the_kinds_and_cameras_it_wants) {
  Start(Named("box", &box_, {"speed"}), Named("other", &other_, {}, {"dock"}));
  ASSERT_TRUE(delivery_->Deliver(StoredNow(1, "gate", "speed")).ok());
  ASSERT_TRUE(delivery_->Deliver(StoredNow(2, "dock", "dwell")).ok());
  ASSERT_TRUE(delivery_->Deliver(StoredNow(3, "dock", "speed")).ok());
  ASSERT_TRUE(delivery_->Deliver(StoredNow(4, "gate", "dwell")).ok());
  EXPECT_TRUE(delivery_->Drain(20));
  EXPECT_THAT(box_.Taken(), ElementsAre("E000001", "E000003"));
  EXPECT_THAT(other_.Taken(), ElementsAre("E000002", "E000003"));
}

TEST_F(DeliveryTest, tries_again_what_failed_and_puts_aside_what_is_refused) {
  box_.fail_next = 2;
  box_.refuse = {"E000001"};
  Start(Named("box", &box_));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
  EXPECT_TRUE(box_.AwaitTaken(2));
  EXPECT_TRUE(delivery_->Drain(20));
  EXPECT_THAT(box_.Taken(), ElementsAre("E000000", "E000002"));
  EXPECT_EQ(Counts("box").failed, 2u);
  EXPECT_EQ(Counts("box").refused, 1u);
  EXPECT_EQ(Counts("box").waiting, 0);
}

TEST_F(DeliveryTest, message_that_fails_again_and_again_lets_the_others_go_first) {
  box_.hang = true;
  Start(Named("box", &box_));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
  delivery_ = nullptr;
  const auto items = store_->Outbox("box", 10);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store_->CountAttempt("box", items->front().sequence).ok());
  other_.fail = {"E000000"};
  Start(Named("box", &other_));
  EXPECT_TRUE(other_.AwaitTaken(2));
  EXPECT_THAT(other_.Taken(), ElementsAre("E000001", "E000002"));
  EXPECT_TRUE(Await([&] { return Counts("box").waiting == 1; })) << "it is kept all the same";
}

TEST_F(DeliveryTest, sink_that_hangs_holds_up_nobody) {
  box_.hang = true;
  Start(Named("stuck", &box_), Named("other", &other_));
  constexpr int kEvents = 200;
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
    absl::SleepFor(absl::Milliseconds(2));  // a busy node, not a flood: the delay of each is looked at
  }
  EXPECT_TRUE(other_.AwaitTaken(kEvents));
  EXPECT_TRUE(Await([&] { return Counts("other").sent == kEvents; }));
  EXPECT_LT(Counts("other").delay_p95_s, 0.1);
  EXPECT_EQ(Counts("stuck").waiting, kEvents);
  EXPECT_FALSE(delivery_->Drain(0.05));
  const absl::Time begin = absl::Now();
  delivery_ = nullptr;
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5)) << "it can be ended all the same";
}

TEST_F(DeliveryTest, what_waited_at_the_end_is_sent_after_the_next_start) {
  box_.hang = true;
  Start(Named("box", &box_));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
  delivery_ = nullptr;
  Start(Named("box", &other_));
  EXPECT_TRUE(other_.AwaitTaken(3));
  EXPECT_THAT(other_.Taken(), ElementsAre("E000000", "E000001", "E000002"));
}

TEST_F(DeliveryTest, webhook_has_a_signed_event_within_a_tenth_of_a_second) {
  TestServer server({"--secret", "key"}, "src/base/net/request_server.py");
  sinks::WebhookOptions options;
  options.url = server.Url("/status/200");
  options.secret = "key";
  Start(NamedSink{"hook", *sinks::CreateWebhookSink(options), {}, {}});
  constexpr int kEvents = 100;
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
    absl::SleepFor(absl::Milliseconds(5));
  }
  ASSERT_TRUE(delivery_->Drain(20));
  Bytes body;
  ASSERT_TRUE(HttpGet(server.Url("/received"), {}, &body).ok());
  const auto received = nlohmann::json::parse(body);
  ASSERT_EQ(received.size(), static_cast<size_t>(kEvents));
  for (const auto& one : received) EXPECT_EQ(one["signed"], true);
  RecordProperty("delay_p95_ms", std::to_string(Counts("hook").delay_p95_s * 1e3));
  std::printf("capture to webhook, p95: %.1f ms\n", Counts("hook").delay_p95_s * 1e3);
  EXPECT_LT(Counts("hook").delay_p95_s, 0.1);
}

TEST_F(DeliveryTest, server_that_fails_at_first_gets_each_event_in_the_end) {
  TestServer server({}, "src/base/net/request_server.py");
  sinks::WebhookOptions options;
  options.url = server.Url("/times/1");
  Start(NamedSink{"hook", *sinks::CreateWebhookSink(options), {}, {}});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(delivery_->Deliver(StoredNow(i)).ok());
  ASSERT_TRUE(delivery_->Drain(20));
  EXPECT_EQ(Counts("hook").sent, 4u);
  EXPECT_EQ(Counts("hook").failed, 4u);
  EXPECT_EQ(Counts("hook").last_error, "");
}

TEST_F(DeliveryTest, full_disk_is_an_error_and_the_sinks_get_the_event_all_the_same) {
  const auto small = folder_.path() / "small";
  std::filesystem::create_directory(small);
  if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=400k") != 0) {
    GTEST_SKIP() << "no small file system can be mounted here (root is needed)";
  }
  const auto unmount = absl::MakeCleanup([&] { umount2(small.c_str(), MNT_DETACH); });
  store_ = *store::NodeStore::Open(small / "node.sqlite");
  Start(Named("box", &box_), Named("other", &other_));
  std::set<std::string> offered;
  int full = 0;
  for (int i = 0; i < 2000 && full < 10; ++i) {
    const absl::Status status = delivery_->Deliver(StoredNow(i));
    offered.insert(fmt::format("E{:06}", i));
    if (status.ok()) continue;
    ASSERT_TRUE(absl::IsResourceExhausted(status)) << status;
    ++full;
  }
  EXPECT_EQ(full, 10);
  for (Box* box : {&box_, &other_}) {
    EXPECT_TRUE(Await([&] {
      const auto taken = box->Taken();
      return std::set<std::string>(taken.begin(), taken.end()) == offered;
    }));
  }
  delivery_ = nullptr;
  store_ = nullptr;
}

TEST(RetryPause, grows_from_a_fifth_of_a_second_to_half_a_minute_and_begins_anew) {
  RetryPause pause(1);
  EXPECT_LE(pause.Next(), std::chrono::milliseconds(200));
  for (int i = 0; i < 20; ++i) pause.Next();
  EXPECT_GE(pause.Next(), std::chrono::seconds(15));
  EXPECT_LE(pause.Next(), std::chrono::seconds(30));
  pause.Reset();
  EXPECT_LE(pause.Next(), std::chrono::milliseconds(200));
}

}  // namespace
}  // namespace sightline::cameras
