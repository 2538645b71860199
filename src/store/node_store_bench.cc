// How many events a second the store keeps durably: bound by how often the disk syncs, so threads help, and
// so does adding many at once.
#include <benchmark/benchmark.h>

#include <atomic>
#include <optional>

#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "store/node_store.h"

namespace sightline::store {
namespace {

std::optional<TemporaryFolder> folder;
std::unique_ptr<NodeStore> shared;
std::atomic<int64_t> number{0};

// `range` events at once.
void BM_AddEvents(benchmark::State& state) {
  if (state.thread_index() == 0) {
    folder.emplace(*TemporaryFolder::Create());
    shared = *NodeStore::Open(folder->path() / "node.sqlite");
  }
  const std::string json(3000, 'j');
  std::vector<NewEvent> events(static_cast<size_t>(state.range(0)));
  for (NewEvent& added : events) {
    added.event.camera = "gate";
    added.event.kind = added.event.rule = "dwell";
    added.event.json = json;
    added.outbox = {{"hook", json}, {"mqtt", json}};
  }
  for (auto _ : state) {
    for (NewEvent& added : events) added.event.id = fmt::format("E{:012}", ++number);
    for (const absl::Status& status : shared->AddEvents(events)) CHECK(status.ok()) << status;
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  if (state.thread_index() == 0) {
    CHECK(!shared->Outbox("hook", 1)->empty()) << "nothing was kept";
    shared = nullptr;
    folder.reset();
  }
}
BENCHMARK(BM_AddEvents)->UseRealTime()->Arg(1)->Threads(1)->Threads(8);
BENCHMARK(BM_AddEvents)->UseRealTime()->Arg(100);

}  // namespace
}  // namespace sightline::store

BENCHMARK_MAIN();
