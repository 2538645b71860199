// How many events a second the store keeps durably: bound by how often the disk syncs, so threads help.
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

void BM_AddEvent(benchmark::State& state) {
  if (state.thread_index() == 0) {
    folder.emplace(*TemporaryFolder::Create());
    shared = *NodeStore::Open(folder->path() / "node.sqlite");
  }
  const std::string json(3000, 'j');
  for (auto _ : state) {
    StoredEvent event;
    event.id = fmt::format("E{:012}", ++number);
    event.camera = "gate";
    event.kind = event.rule = "dwell";
    event.json = json;
    const absl::Status status = shared->AddEvent(event, {{"hook", json}, {"mqtt", json}});
    CHECK(status.ok()) << status;
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    CHECK(!shared->Outbox("hook", 1)->empty()) << "nothing was kept";
    shared = nullptr;
    folder.reset();
  }
}
BENCHMARK(BM_AddEvent)->UseRealTime()->Threads(1)->Threads(8);

}  // namespace
}  // namespace sightline::store

BENCHMARK_MAIN();
