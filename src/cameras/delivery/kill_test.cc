// Nothing that Deliver acknowledged is lost when the process is killed, whenever that is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <set>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "cameras/delivery/delivery.h"
#include "stages/sinks/events/test_event.h"

namespace sightline::cameras {
namespace {

// Fails every so often, so that something waits at each moment.
class MoodySink final : public sinks::EventSink {
 public:
  MoodySink(std::unique_ptr<EventSink> inner, int fail_every)
      : inner_(std::move(inner)), fail_every_(fail_every) {}
  absl::Status Send(const sinks::EventMessage& message) override {
    if (++tries_ % fail_every_ == 0) return absl::UnavailableError("not now");
    return inner_->Send(message);
  }
  std::string Shown() const override { return inner_->Shown(); }

 private:
  const std::unique_ptr<EventSink> inner_;
  const int fail_every_;
  int tries_ = 0;
};

struct Places {
  std::filesystem::path store, plain, moody;
};

std::unique_ptr<Delivery> StartDelivery(store::NodeStore* store, const Places& places, int fail_every) {
  std::vector<NamedSink> sinks;
  sinks.push_back({"plain", *sinks::CreateJsonLinesSink({places.plain}), {}, {}});
  sinks.push_back({"moody",
                   std::make_unique<MoodySink>(*sinks::CreateJsonLinesSink({places.moody}), fail_every),
                   {},
                   {}});
  return Delivery::Create(store, std::move(sinks));
}

// In a process of its own: delivers for ever, and writes the id of each event that was acknowledged.
[[noreturn]] void DeliverUntilKilled(const Places& places, int round, int acknowledged) {
  auto store = store::NodeStore::Open(places.store);
  if (!store.ok()) _exit(3);
  auto delivery = StartDelivery(store->get(), places, 3);
  for (int i = 0;; ++i) {
    const std::string id = fmt::format("R{:02}E{:06}", round, i);
    if (!delivery->Deliver(StoredForm(TestEvent(id), "north")).ok()) _exit(4);
    if (write(acknowledged, (id + "\n").data(), id.size() + 1) < 0) _exit(5);
  }
}

std::set<std::string> IdsIn(const std::filesystem::path& file) {
  std::set<std::string> ids;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const size_t at = line.find("\"id\":\"");
    if (at != std::string::npos) ids.insert(line.substr(at + 6, 10));
  }
  return ids;
}

TEST(Kill, loses_nothing_that_was_acknowledged) {
  const TemporaryFolder folder = *TemporaryFolder::Create();
  const Places places{folder.path() / "node.sqlite", folder.path() / "plain.jsonl",
                      folder.path() / "moody.jsonl"};
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);  // or each child says it, too
  std::mt19937_64 random(seed);
  std::string acknowledged;
  for (int round = 0; round < 12; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) DeliverUntilKilled(places, round, ends[1]);
    close(ends[1]);
    // Killed after some events and some microseconds more.
    const auto events = random() % 40;
    char block[4096];
    size_t lines = 0;
    while (lines <= events) {
      const ssize_t count = read(ends[0], block, sizeof block);
      ASSERT_GT(count, 0) << "the child ended by itself";
      acknowledged.append(block, static_cast<size_t>(count));
      lines += static_cast<size_t>(std::count(block, block + count, '\n'));
    }
    absl::SleepFor(absl::Microseconds(random() % 20'000));
    kill(child, SIGKILL);
    for (ssize_t count; (count = read(ends[0], block, sizeof block)) > 0;)
      acknowledged.append(block, static_cast<size_t>(count));
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  }
  auto store = store::NodeStore::Open(places.store);
  ASSERT_TRUE(store.ok()) << store.status();
  auto delivery = StartDelivery(store->get(), places, 50);
  ASSERT_TRUE(delivery->Drain(60));
  const auto plain = IdsIn(places.plain), moody = IdsIn(places.moody);
  size_t count = 0;
  for (const std::string& id : Split(acknowledged, '\n')) {
    if (id.size() != 10) continue;  // the last line of a round may be torn
    ++count;
    EXPECT_TRUE(plain.count(id) == 1) << id;
    EXPECT_TRUE(moody.count(id) == 1) << id;
    EXPECT_TRUE((*store)->FindEvent(id).ok()) << id;
  }
  std::printf("%zu events were acknowledged\n", count);
  EXPECT_GT(count, 12u);
}

}  // namespace
}  // namespace sightline::cameras
