#include "store/node_store.h"

#include <set>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "store/group_commit.h"
#include "store/node_file.h"

namespace sightline::store {
namespace {

constexpr int64_t kRowBytes = 128;  // of an outbox row besides its texts, about

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::Real().Wall().time_since_epoch())
      .count();
}

absl::Status NoCamera(std::string_view name) {
  return absl::NotFoundError(fmt::format("there is no camera '{}'", name));
}

StoredCamera CameraOf(const Statement& row) {
  return {row.Text(0), row.Text(1), row.Integer(2) != 0, row.Integer(3)};
}

StoredEvent EventOf(const Statement& row) {
  StoredEvent event;
  event.id = row.Text(0);
  event.camera = row.Text(1);
  event.kind = row.Text(2);
  event.rule = row.Text(3);
  event.phase = row.Text(4);
  event.captured_us = row.Integer(5);
  event.json = row.Text(6);
  return event;
}

// Reads on a connection of its own, which neither waits for writers nor holds them up.
struct Reader {
  absl::Mutex mutex;
  std::unique_ptr<SqliteConnection> connection;
};

class SqliteNodeStore final : public NodeStore {
 public:
  SqliteNodeStore(FileLock lock, std::unique_ptr<SqliteConnection> writer, const NodeStoreOptions& options)
      : lock_(std::move(lock)), options_(options), writer_(std::move(writer)) {}

  absl::Status OpenReaders(const std::filesystem::path& file) {
    for (Reader* reader : {&lists_, &outbox_}) {
      ASSIGN_OR_RETURN(reader->connection, SqliteConnection::Open(file));
      RETURN_IF_ERROR(reader->connection->Execute("PRAGMA query_only=1"));
    }
    return absl::OkStatus();
  }

  absl::Status AddCamera(const StoredCamera& camera) override {
    absl::Status status = writer_.Write([&](SqliteConnection& connection) {
      return connection.Prepared("INSERT INTO cameras VALUES(?, ?, ?, ?)")
          .Bind(camera.name)
          .Bind(camera.config)
          .Bind(int64_t{camera.paused})
          .Bind(camera.revision)
          .Run();
    });
    if (!absl::IsAlreadyExists(status)) return status;
    return absl::AlreadyExistsError(fmt::format("there is a camera '{}' already", camera.name));
  }

  absl::Status ReplaceCamera(const StoredCamera& camera) override {
    return writer_.Write([&](SqliteConnection& connection) -> absl::Status {
      RETURN_IF_ERROR(
          connection
              .Prepared("UPDATE cameras SET config = ?, paused = ?, revision = revision + 1 WHERE name = ?")
              .Bind(camera.config)
              .Bind(int64_t{camera.paused})
              .Bind(camera.name)
              .Run());
      return connection.changes() == 0 ? NoCamera(camera.name) : absl::OkStatus();
    });
  }

  absl::Status RemoveCamera(std::string_view name) override {
    return writer_.Write([&](SqliteConnection& connection) -> absl::Status {
      RETURN_IF_ERROR(connection.Prepared("DELETE FROM cameras WHERE name = ?").Bind(name).Run());
      return connection.changes() == 0 ? NoCamera(name) : absl::OkStatus();
    });
  }

  absl::StatusOr<StoredCamera> Camera(std::string_view name) const override {
    absl::MutexLock lock(&lists_.mutex);
    Statement rows =
        lists_.connection->Prepared("SELECT name, config, paused, revision FROM cameras WHERE name = ?");
    ASSIGN_OR_RETURN(const bool found, rows.Bind(name).Next());
    if (!found) return NoCamera(name);
    return CameraOf(rows);
  }

  absl::StatusOr<std::vector<StoredCamera>> Cameras() const override {
    absl::MutexLock lock(&lists_.mutex);
    Statement rows =
        lists_.connection->Prepared("SELECT name, config, paused, revision FROM cameras ORDER BY name");
    std::vector<StoredCamera> cameras;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return cameras;
      cameras.push_back(CameraOf(rows));
    }
  }

  std::vector<absl::Status> AddEvents(absl::Span<const NewEvent> events) override {
    const auto adding = [this](const NewEvent& added) {
      return [this, &added](SqliteConnection& connection) { return Add(connection, added); };
    };
    std::vector<decltype(adding(events[0]))> work;
    for (const NewEvent& added : events) work.push_back(adding(added));
    auto statuses = writer_.WriteEach(std::vector<GroupCommit::Change>(work.begin(), work.end()));
    for (size_t i = 0; i < statuses.size(); ++i) {
      if (!absl::IsAlreadyExists(statuses[i])) continue;
      statuses[i] =
          absl::AlreadyExistsError(fmt::format("there is an event '{}' already", events[i].event.id));
    }
    return statuses;
  }

  absl::StatusOr<std::vector<StoredEvent>> Events(const EventQuery& query) const override {
    absl::MutexLock lock(&lists_.mutex);
    // One statement for each set of conditions, so that each uses its index.
    std::string sql = "SELECT id, camera, kind, rule, phase, captured_us, json FROM events WHERE 1";
    if (!query.camera.empty()) sql += " AND camera = ?";
    if (!query.kind.empty()) sql += " AND kind = ?";
    if (!query.rule.empty()) sql += " AND rule = ?";
    if (query.from_us) sql += " AND captured_us >= ?";
    if (query.to_us) sql += " AND captured_us < ?";
    if (!query.before_id.empty()) sql += " AND id < ?";
    sql += " ORDER BY id DESC LIMIT ?";
    Statement rows = lists_.connection->Prepared(queries_.insert(sql).first->c_str());
    if (!query.camera.empty()) rows.Bind(query.camera);
    if (!query.kind.empty()) rows.Bind(query.kind);
    if (!query.rule.empty()) rows.Bind(query.rule);
    if (query.from_us) rows.Bind(*query.from_us);
    if (query.to_us) rows.Bind(*query.to_us);
    if (!query.before_id.empty()) rows.Bind(query.before_id);
    rows.Bind(int64_t{std::clamp(query.limit, 1, 1000)});
    std::vector<StoredEvent> events;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return events;
      events.push_back(EventOf(rows));
    }
  }

  absl::StatusOr<StoredEvent> FindEvent(std::string_view id) const override {
    absl::MutexLock lock(&lists_.mutex);
    Statement rows = lists_.connection->Prepared(
        "SELECT id, camera, kind, rule, phase, captured_us, json FROM events WHERE id = ?");
    ASSIGN_OR_RETURN(const bool found, rows.Bind(id).Next());
    if (!found) return absl::NotFoundError(fmt::format("there is no event '{}'", id));
    return EventOf(rows);
  }

  absl::StatusOr<std::vector<OutboxItem>> Outbox(std::string_view sink, int limit) const override {
    absl::MutexLock lock(&outbox_.mutex);
    Statement rows = outbox_.connection->Prepared(
        "SELECT sequence, id, camera, kind, captured_us, payload, attempts, added_us FROM outbox "
        "WHERE sink = (SELECT number FROM sinks WHERE name = ?) ORDER BY sequence LIMIT ?");
    rows.Bind(sink).Bind(int64_t{std::max(limit, 0)});
    std::vector<OutboxItem> items;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return items;
      OutboxItem& item = items.emplace_back();
      item.sequence = rows.Integer(0);
      item.sink = sink;
      item.id = rows.Text(1);
      item.camera = rows.Text(2);
      item.kind = rows.Text(3);
      item.captured_us = rows.Integer(4);
      item.payload = rows.Text(5);
      item.attempts = static_cast<int>(rows.Integer(6));
      item.added_us = rows.Integer(7);
    }
  }

  absl::Status Acknowledge(std::string_view sink, const std::vector<int64_t>& sequences) override {
    if (sequences.empty()) return absl::OkStatus();
    return writer_.Write([&](SqliteConnection& connection) -> absl::Status {
      ASSIGN_OR_RETURN(const int64_t number, NumberOf(connection, sink));
      for (const int64_t sequence : sequences)
        RETURN_IF_ERROR(TakeOut(connection, number, sequence, /*dropped=*/0).status());
      return absl::OkStatus();
    });
  }

  absl::Status CountAttempt(std::string_view sink, int64_t sequence) override {
    return writer_.Write([&](SqliteConnection& connection) -> absl::Status {
      ASSIGN_OR_RETURN(const int64_t number, NumberOf(connection, sink));
      return connection.Prepared("UPDATE outbox SET attempts = attempts + 1 WHERE sequence = ? AND sink = ?")
          .Bind(sequence)
          .Bind(number)
          .Run();
    });
  }

  absl::StatusOr<OutboxState> State(std::string_view sink) const override {
    absl::MutexLock lock(&outbox_.mutex);
    Statement rows = outbox_.connection->Prepared(
        "SELECT items, dropped, bytes, ifnull((SELECT added_us FROM outbox WHERE sink = number "
        "ORDER BY sequence LIMIT 1), 0) FROM sinks WHERE name = ?");
    ASSIGN_OR_RETURN(const bool found, rows.Bind(sink).Next());
    if (!found) return OutboxState{};  // nothing was ever put out for it
    return OutboxState{rows.Integer(0), rows.Integer(1), static_cast<uint64_t>(rows.Integer(2)),
                       rows.Integer(3)};
  }

 private:
  static absl::Status Insert(SqliteConnection& connection, const StoredEvent& event) {
    return connection.Prepared("INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?)")
        .Bind(event.id)
        .Bind(event.camera)
        .Bind(event.kind)
        .Bind(event.rule)
        .Bind(event.phase)
        .Bind(event.captured_us)
        .Bind(event.json)
        .Run();
  }

  absl::Status DropOldEvents(SqliteConnection& connection) const {
    int64_t count = 0;
    {
      Statement added =
          connection.Prepared("UPDATE counts SET value = value + 1 WHERE name = 'events' RETURNING value");
      RETURN_IF_ERROR(added.Next().status());
      count = added.Integer(0);
      RETURN_IF_ERROR(added.Run());
    }
    if (count <= options_.events_max) return absl::OkStatus();
    RETURN_IF_ERROR(
        connection.Prepared("DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)")
            .Bind(count - options_.events_max)
            .Run());
    return connection.Prepared("UPDATE counts SET value = value - ? WHERE name = 'events'")
        .Bind(connection.changes())
        .Run();
  }

  static absl::StatusOr<int64_t> NumberOf(SqliteConnection& connection, std::string_view sink) {
    {
      Statement known = connection.Prepared("SELECT number FROM sinks WHERE name = ?");
      ASSIGN_OR_RETURN(const bool found, known.Bind(sink).Next());
      if (found) return known.Integer(0);
    }
    Statement added = connection.Prepared("INSERT INTO sinks(name) VALUES(?) RETURNING number");
    RETURN_IF_ERROR(added.Bind(sink).Next().status());
    const int64_t number = added.Integer(0);
    RETURN_IF_ERROR(added.Run());
    return number;
  }

  absl::Status Add(SqliteConnection& connection, const NewEvent& added) const {
    RETURN_IF_ERROR(Insert(connection, added.event));
    RETURN_IF_ERROR(DropOldEvents(connection));
    for (const auto& [sink, payload] : added.outbox)
      RETURN_IF_ERROR(PutOut(connection, added.event, sink, payload));
    return absl::OkStatus();
  }

  absl::Status PutOut(SqliteConnection& connection, const StoredEvent& event, std::string_view sink,
                      std::string_view payload) const {
    ASSIGN_OR_RETURN(const int64_t number, NumberOf(connection, sink));
    const auto bytes =
        static_cast<int64_t>(payload.size() + event.id.size() + event.camera.size()) + kRowBytes;
    RETURN_IF_ERROR(connection
                        .Prepared("INSERT INTO outbox(sink, id, camera, kind, captured_us, payload, bytes, "
                                  "added_us) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
                        .Bind(number)
                        .Bind(event.id)
                        .Bind(event.camera)
                        .Bind(event.kind)
                        .Bind(event.captured_us)
                        .Bind(payload)
                        .Bind(bytes)
                        .Bind(NowUs())
                        .Run());
    int64_t waiting = 0;
    {
      Statement sum = connection.Prepared(
          "UPDATE sinks SET items = items + 1, bytes = bytes + ? WHERE number = ? RETURNING bytes");
      RETURN_IF_ERROR(sum.Bind(bytes).Bind(number).Next().status());
      waiting = sum.Integer(0);
      RETURN_IF_ERROR(sum.Run());
    }
    while (waiting > static_cast<int64_t>(options_.outbox_bytes_max)) {
      ASSIGN_OR_RETURN(const int64_t freed, DropOldest(connection, number));
      if (freed == 0) break;
      waiting -= freed;
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<int64_t> DropOldest(SqliteConnection& connection, int64_t sink) {
    int64_t sequence = 0;
    {
      Statement oldest =
          connection.Prepared("SELECT sequence FROM outbox WHERE sink = ? ORDER BY sequence LIMIT 1");
      ASSIGN_OR_RETURN(const bool found, oldest.Bind(sink).Next());
      if (!found) return int64_t{0};
      sequence = oldest.Integer(0);
    }
    return TakeOut(connection, sink, sequence, /*dropped=*/1);
  }

  // Its bytes; 0 where it is not there (any more).
  static absl::StatusOr<int64_t> TakeOut(SqliteConnection& connection, int64_t sink, int64_t sequence,
                                         int64_t dropped) {
    int64_t bytes = 0;
    {
      Statement gone =
          connection.Prepared("DELETE FROM outbox WHERE sequence = ? AND sink = ? RETURNING bytes");
      ASSIGN_OR_RETURN(const bool found, gone.Bind(sequence).Bind(sink).Next());
      if (!found) return int64_t{0};
      bytes = gone.Integer(0);
      RETURN_IF_ERROR(gone.Run());
    }
    RETURN_IF_ERROR(
        connection
            .Prepared("UPDATE sinks SET items = items - 1, bytes = bytes - ?, dropped = dropped + ? "
                      "WHERE number = ?")
            .Bind(bytes)
            .Bind(dropped)
            .Bind(sink)
            .Run());
    return bytes;
  }

  const FileLock lock_;  // given back last
  const NodeStoreOptions options_;
  GroupCommit writer_;
  mutable Reader lists_, outbox_;          // apart, so that a long list holds no sink up
  mutable std::set<std::string> queries_;  // under lists_.mutex; at most 64
};

}  // namespace

absl::StatusOr<std::unique_ptr<NodeStore>> NodeStore::Open(const std::filesystem::path& file,
                                                           const NodeStoreOptions& options) {
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Take(file));
  ASSIGN_OR_RETURN(auto writer, OpenNodeFile(file));
  auto store = std::make_unique<SqliteNodeStore>(std::move(lock), std::move(writer), options);
  RETURN_IF_ERROR(store->OpenReaders(file));
  return store;
}

}  // namespace sightline::store
