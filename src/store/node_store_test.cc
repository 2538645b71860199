#include "store/node_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/check.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "store/sqlite.h"

namespace sightline::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

StoredEvent EventNumber(int number, const std::string& camera = "gate", const std::string& kind = "dwell") {
  StoredEvent event;
  event.id = fmt::format("E{:08}", number);
  event.camera = camera;
  event.kind = kind;
  event.rule = kind + "_rule";
  event.phase = "moment";
  event.captured_us = 1'000'000ll * number;
  event.json = fmt::format(R"({{"id":"{}"}})", event.id);
  return event;
}

std::vector<std::string> Ids(const absl::StatusOr<std::vector<StoredEvent>>& events) {
  std::vector<std::string> ids;
  for (const StoredEvent& event : *events) ids.push_back(event.id);
  return ids;
}

class NodeStoreTest : public testing::Test {
 protected:
  std::unique_ptr<NodeStore> Open(const NodeStoreOptions& options = {}) {
    auto store = NodeStore::Open(file_, options);
    CHECK(store.ok()) << store.status();
    return *std::move(store);
  }
  TemporaryFolder folder_ = *TemporaryFolder::Create();
  const std::filesystem::path file_ = folder_.path() / "node.sqlite";
};

TEST_F(NodeStoreTest, keeps_cameras_over_a_restart_and_counts_revisions) {
  {
    auto store = Open();
    EXPECT_TRUE(store->AddCamera({"gate", "source: rtsp://a", false, 1}).ok());
    EXPECT_TRUE(store->AddCamera({"dock", "source: rtsp://b", true, 1}).ok());
    EXPECT_TRUE(absl::IsAlreadyExists(store->AddCamera({"gate", "x", false, 1})));
    EXPECT_TRUE(store->ReplaceCamera({"gate", "source: rtsp://c", false, 1}).ok());
    EXPECT_TRUE(absl::IsNotFound(store->ReplaceCamera({"none", "x", false, 1})));
  }
  auto store = Open();
  auto cameras = store->Cameras();
  ASSERT_EQ(cameras->size(), 2u);
  EXPECT_EQ((*cameras)[0].name, "dock");
  EXPECT_TRUE((*cameras)[0].paused);
  EXPECT_EQ(store->Camera("gate")->config, "source: rtsp://c");
  EXPECT_EQ(store->Camera("gate")->revision, 2);
  EXPECT_TRUE(store->RemoveCamera("dock").ok());
  EXPECT_TRUE(absl::IsNotFound(store->RemoveCamera("dock")));
  EXPECT_TRUE(absl::IsNotFound(store->Camera("dock").status()));
}

TEST_F(NodeStoreTest, file_is_for_its_owner_alone_because_addresses_hold_passwords) {
  const auto store = Open();
  ASSERT_TRUE(store->AddCamera({"gate", "source: rtsp://u:secret@a", false, 1}).ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0u) << entry.path();
  }
}

TEST_F(NodeStoreTest, finds_events_by_camera_kind_rule_and_time_newest_first) {
  const auto store = Open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(store->AddEvent(EventNumber(i, i % 2 ? "gate" : "dock", i % 3 ? "dwell" : "speed"), {}).ok());
  }
  EXPECT_THAT(Ids(store->Events({.limit = 2})), ElementsAre("E00000019", "E00000018"));
  EXPECT_THAT(Ids(store->Events({.camera = "gate", .kind = "speed"})),
              ElementsAre("E00000015", "E00000009", "E00000003"));
  EXPECT_THAT(Ids(store->Events({.rule = "speed_rule", .before_id = "E00000009", .limit = 2})),
              ElementsAre("E00000006", "E00000003"));
  EXPECT_THAT(Ids(store->Events({.from_us = 4'000'000, .to_us = 6'000'000})),
              ElementsAre("E00000005", "E00000004"));
  EXPECT_EQ(store->FindEvent("E00000007")->json, R"({"id":"E00000007"})");
  EXPECT_TRUE(absl::IsNotFound(store->FindEvent("other").status()));
  EXPECT_TRUE(absl::IsAlreadyExists(store->AddEvent(EventNumber(7), {{"hook", "x"}})));
  EXPECT_EQ(store->State("hook")->items, 0) << "an event refused leaves nothing in the outbox";
}

TEST_F(NodeStoreTest, of_events_added_together_each_is_judged_alone) {
  const auto store = Open();
  ASSERT_TRUE(store->AddEvent(EventNumber(3), {}).ok());
  std::vector<NewEvent> added;
  for (int i = 0; i < 300; ++i)
    added.push_back({EventNumber(i), {{"hook", "x"}}});  // more than one transaction
  added.push_back({EventNumber(299), {{"hook", "x"}}});
  const std::vector<absl::Status> statuses = store->AddEvents(added);
  ASSERT_EQ(statuses.size(), added.size());
  for (size_t i = 0; i < added.size(); ++i)
    EXPECT_EQ(statuses[i].ok(), i != 3 && i != 300) << i << ": " << statuses[i];
  EXPECT_TRUE(absl::IsAlreadyExists(statuses[3])) << statuses[3];
  EXPECT_EQ(store->Events({.limit = 1000})->size(), 300u);
  EXPECT_EQ(store->State("hook")->items, 299);
  EXPECT_TRUE(store->AddEvents({}).empty());
}

TEST_F(NodeStoreTest, oldest_events_go_when_there_are_too_many) {
  const auto store = Open({.events_max = 5});
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(store->AddEvent(EventNumber(i), {}).ok());
  const auto ids = Ids(store->Events({}));
  ASSERT_EQ(ids.size(), 5u);
  EXPECT_EQ(ids.back(), "E00000007");
}

TEST_F(NodeStoreTest, outbox_keeps_order_attempts_and_what_was_not_acknowledged) {
  {
    const auto store = Open();
    for (int i = 0; i < 4; ++i) {
      const std::string text = fmt::format("payload {}", i);
      ASSERT_TRUE(store->AddEvent(EventNumber(i), {{"hook", text}, {"mqtt", text}}).ok());
    }
    const auto items = store->Outbox("hook", 10);
    ASSERT_EQ(items->size(), 4u);
    EXPECT_EQ((*items)[2].payload, "payload 2");
    EXPECT_EQ((*items)[2].camera, "gate");
    EXPECT_EQ((*items)[2].kind, "dwell");
    EXPECT_EQ((*items)[2].captured_us, 2'000'000);
    EXPECT_TRUE(store->Acknowledge("hook", {(*items)[0].sequence, (*items)[2].sequence}).ok());
    EXPECT_TRUE(store->CountAttempt("hook", (*items)[1].sequence).ok());
    EXPECT_TRUE(store->Acknowledge("mqtt", {(*items)[1].sequence}).ok()) << "not its own: nothing happens";
  }
  const auto store = Open();
  const auto items = store->Outbox("hook", 10);
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ((*items)[0].id, "E00000001");
  EXPECT_EQ((*items)[0].attempts, 1);
  EXPECT_EQ((*items)[1].id, "E00000003");
  EXPECT_EQ(store->State("hook")->items, 2);
  EXPECT_EQ(store->State("mqtt")->items, 4);
  EXPECT_GT(store->State("mqtt")->bytes, store->State("hook")->bytes);
  EXPECT_EQ(store->State("hook")->oldest_us, (*items)[0].added_us);
}

TEST_F(NodeStoreTest, outbox_drops_its_oldest_beyond_the_limit_and_counts_them) {
  const auto store = Open({.outbox_bytes_max = 10'000});
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(store->AddEvent(EventNumber(i), {{"slow", std::string(1000, 'x')}, {"other", "y"}}).ok());
  }
  const auto state = store->State("slow");
  const auto items = store->Outbox("slow", 100);
  EXPECT_LE(state->bytes, 10'000u);
  EXPECT_EQ(state->items + state->dropped, 30);
  ASSERT_EQ(static_cast<int64_t>(items->size()), state->items);
  EXPECT_EQ(items->back().id, "E00000029");
  EXPECT_EQ(store->State("other")->items, 30) << "each sink has a limit of its own";
  EXPECT_EQ(store->State("other")->dropped, 0);
}

TEST_F(NodeStoreTest, one_process_at_a_time) {
  const auto store = Open();
  const auto second = NodeStore::Open(file_);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_THAT(second.status().message(), HasSubstr("in use by another process"));
}

TEST_F(NodeStoreTest, damaged_file_is_named_and_left_alone) {
  const auto read = [&] { return *ReadTextFile(file_, 64 << 20); };
  std::ofstream(file_) << std::string(100'000, 'Z');
  const std::string text = read();
  const auto status = NodeStore::Open(file_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(file_.string()));
  EXPECT_EQ(read(), text);
}

TEST_F(NodeStoreTest, damaged_pages_and_a_cut_file_are_data_loss_not_a_crash) {
  {
    const auto store = Open();
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(store->AddCamera({fmt::format("camera{}", i), std::string(500, 'c'), false, 1}).ok());
    }
  }
  const std::string good = *ReadTextFile(file_, 64 << 20);
  ASSERT_GT(good.size(), 20u * 4096);
  for (const bool cut : {true, false}) {
    std::string bad = cut ? good.substr(0, good.size() / 3) : good;
    if (!cut) std::fill(bad.begin() + 4096, bad.end() - 4096, '\x5A');
    std::ofstream(file_, std::ios::trunc | std::ios::binary) << bad;
    const auto status = NodeStore::Open(file_).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(file_.string()));
    EXPECT_EQ(*ReadTextFile(file_, 64 << 20), bad) << "left as it was";
  }
}

TEST_F(NodeStoreTest, newer_format_and_foreign_files_are_refused) {
  { Open(); }
  {
    auto connection = *SqliteConnection::Open(file_);
    ASSERT_TRUE(connection->Execute("PRAGMA user_version=99").ok());
  }
  EXPECT_THAT(NodeStore::Open(file_).status().message(), HasSubstr("newer version"));
  {
    auto connection = *SqliteConnection::Open(file_);
    ASSERT_TRUE(connection->Execute("PRAGMA application_id=7").ok());
  }
  const auto status = NodeStore::Open(file_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("another program"));
}

// How many events another process finds, which closes the file again; -1 where it cannot read.
int EventsSeenByAnotherProcess(const std::filesystem::path& file) {
  const std::string command = fmt::format(
      "python3 -c 'import sqlite3; c = sqlite3.connect(\"{}\"); print(c.execute(\"SELECT count(*) FROM "
      "events\").fetchone()[0]); c.close()'",
      file.string());
  FILE* output = popen(command.c_str(), "r");
  CHECK(output != nullptr);
  int count = -1;
  if (fscanf(output, "%d", &count) != 1) count = -1;
  pclose(output);
  return count;
}

TEST_F(NodeStoreTest, another_program_that_looks_into_the_file_costs_nothing) {
  const auto store = Open();
  ASSERT_TRUE(store->AddEvent(EventNumber(1), {}).ok());
  EXPECT_EQ(EventsSeenByAnotherProcess(file_), 1);
  ASSERT_TRUE(store->AddEvent(EventNumber(2), {}).ok());
  EXPECT_EQ(EventsSeenByAnotherProcess(file_), 2) << "the log was taken away: a crash now would lose events";
}

TEST_F(NodeStoreTest, changes_of_many_threads_go_together_and_each_gets_its_own_answer) {
  const auto store = Open();
  constexpr int kThreads = 8, kEvents = 50;
  std::atomic<int> twice{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEvents; ++i) {
          EXPECT_TRUE(store->AddEvent(EventNumber(t * 1000 + i), {{fmt::format("sink{}", t), "p"}}).ok());
          // The same id from all threads: one wins, and the others' failure undoes nothing else.
          if (absl::IsAlreadyExists(store->AddEvent(EventNumber(900'000 + i), {}))) ++twice;
          EXPECT_TRUE(store->Outbox(fmt::format("sink{}", t), 5).ok());
        }
      });
    }
  }
  EXPECT_EQ(twice, (kThreads - 1) * kEvents);
  EXPECT_EQ(store->Events({.limit = 1000})->size(), static_cast<size_t>((kThreads + 1) * kEvents));
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(store->State(fmt::format("sink{}", t))->items, kEvents);
}

TEST_F(NodeStoreTest, full_disk_is_said_and_loses_nothing) {
  const auto mount_point = folder_.path() / "small";
  std::filesystem::create_directory(mount_point);
  if (mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "no small file system can be mounted here (root is needed)";
  }
  const auto unmount = absl::MakeCleanup([&] { umount2(mount_point.c_str(), MNT_DETACH); });
  std::set<std::string> kept;
  int full = 0;
  {
    auto store = *NodeStore::Open(mount_point / "node.sqlite");
    ASSERT_TRUE(store->AddCamera({"gate", "source: x", false, 1}).ok());
    for (int i = 0; i < 1500; ++i) {
      const absl::Status status = store->AddEvent(EventNumber(i), {{"hook", std::string(2000, 'x')}});
      if (status.ok()) {
        kept.insert(EventNumber(i).id);
      } else {
        ASSERT_TRUE(absl::IsResourceExhausted(status)) << status;
        if (++full > 20) break;
      }
    }
    EXPECT_GT(full, 20);
    EXPECT_EQ(store->Camera("gate")->config, "source: x") << "still there to be read";
  }
  auto store = NodeStore::Open(mount_point / "node.sqlite");
  ASSERT_TRUE(store.ok()) << store.status();
  std::set<std::string> found;
  const auto items = (*store)->Outbox("hook", 10'000);
  for (const OutboxItem& item : *items) found.insert(item.id);
  EXPECT_EQ(found, kept);
}

}  // namespace
}  // namespace sightline::store
