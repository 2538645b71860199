// What a node must remember, in one SQLite file (WAL): cameras, events, and what is still to be delivered.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace sightline::store {

struct StoredCamera {
  std::string name;
  std::string config;  // YAML text, as it was given
  bool paused = false;
  int64_t revision = 1;  // rises with each change
};

struct StoredEvent {
  std::string id;  // sortable by time
  std::string camera, kind, rule, phase;
  int64_t captured_us = 0;  // UTC, microseconds
  std::string json;         // CloudEvents
};

struct NewEvent {
  StoredEvent event;
  std::vector<std::pair<std::string, std::string>> outbox{};  // sinks, and what each is to be sent
};

struct EventQuery {
  std::string camera{}, kind{}, rule{};  // "" any
  std::optional<int64_t> from_us{}, to_us{};
  std::string before_id{};  // page on: events with smaller ids; "" from the newest
  int limit = 100;          // 1..1000
};

struct OutboxItem {
  int64_t sequence = 0;
  std::string sink, id, payload;  // id: the event's; receivers may see it twice
  std::string camera, kind;       // the event's
  int64_t captured_us = 0;
  int attempts = 0;
  int64_t added_us = 0;
};

struct NodeStoreOptions {
  int64_t events_max = 1'000'000;            // the oldest go first
  uint64_t outbox_bytes_max = 512ull << 20;  // of each sink: the oldest go first, and are counted
};

// Threads: safe. Every call is durable when it returns (synchronous=FULL for cameras and outbox). Errors:
// NotFound, AlreadyExists, ResourceExhausted (disk full), DataLoss (a damaged file, which is named and never
// overwritten), FailedPrecondition (made by a newer version, or in use by another process).
class NodeStore {
 public:
  static absl::StatusOr<std::unique_ptr<NodeStore>> Open(const std::filesystem::path& file,
                                                         const NodeStoreOptions& options = {});
  virtual ~NodeStore() = default;

  virtual absl::Status AddCamera(const StoredCamera& camera) = 0;      // AlreadyExists
  virtual absl::Status ReplaceCamera(const StoredCamera& camera) = 0;  // NotFound; sets the next revision
  virtual absl::Status RemoveCamera(std::string_view name) = 0;        // NotFound
  virtual absl::StatusOr<StoredCamera> Camera(std::string_view name) const = 0;
  virtual absl::StatusOr<std::vector<StoredCamera>> Cameras() const = 0;  // by name

  // Each event and its outbox rows are kept together or not at all; all of them cost one sync of the disk. A
  // status each: AlreadyExists for an id known already.
  virtual std::vector<absl::Status> AddEvents(absl::Span<const NewEvent> events) = 0;
  absl::Status AddEvent(StoredEvent event, std::vector<std::pair<std::string, std::string>> outbox) {
    const NewEvent one{std::move(event), std::move(outbox)};
    return AddEvents({&one, 1}).front();
  }
  virtual absl::StatusOr<std::vector<StoredEvent>> Events(const EventQuery& query) const = 0;  // newest first
  virtual absl::StatusOr<StoredEvent> FindEvent(std::string_view id) const = 0;

  // Oldest first.
  virtual absl::StatusOr<std::vector<OutboxItem>> Outbox(std::string_view sink, int limit) const = 0;
  virtual absl::Status Acknowledge(std::string_view sink, const std::vector<int64_t>& sequences) = 0;
  virtual absl::Status CountAttempt(std::string_view sink, int64_t sequence) = 0;
  struct OutboxState {
    int64_t items = 0, dropped = 0;
    uint64_t bytes = 0;
    int64_t oldest_us = 0;
  };
  virtual absl::StatusOr<OutboxState> State(std::string_view sink) const = 0;
};

}  // namespace sightline::store
