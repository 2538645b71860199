// One NATS connection: publishes, and waits until the server (or JetStream) says that it has everything.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "stages/sinks/events/broker_address.h"

struct __natsConnection;
struct __natsSubscription;

namespace sightline::sinks {

struct NatsClientOptions {
  BrokerAddress address;  // user without password: a token
  std::string authorities_file;
  double timeout_s = 5;
};

struct NatsMessage {
  std::string subject, id;  // id: JetStream takes the second of two alike for the first
  const std::string* payload = nullptr;
};

// Threads: one at a time, but Cancel() from anywhere. Not kept after a failure: make another.
class NatsClient {
 public:
  NatsClient(NatsClientOptions options, const std::atomic<bool>* cancelled);
  NatsClient(const NatsClient&) = delete;
  NatsClient& operator=(const NatsClient&) = delete;
  ~NatsClient();

  absl::Status Connect();
  bool usable() const;
  // A status for each. With `jet_stream` OK means that a stream has stored it, else that the server took it.
  std::vector<absl::Status> Publish(absl::Span<const NatsMessage> messages, bool jet_stream);

 private:
  absl::Status Explained(int status) const;
  absl::Status PublishOne(const NatsMessage& message, const std::string& reply);
  absl::Status Flush(MonotonicTime deadline);
  absl::Status NotRefused(absl::Duration wait) const;
  void ReadAnswers(int64_t first, std::vector<absl::Status>* statuses, MonotonicTime deadline);
  absl::Status Subscribe();

  const NatsClientOptions options_;
  const std::atomic<bool>* const cancelled_;
  const int64_t number_;
  __natsConnection* connection_ = nullptr;
  __natsSubscription* answers_ = nullptr;  // of JetStream
  std::string inbox_;
  std::set<std::string> subjects_;  // published to already, and not refused so far
  int64_t asked_ = 0;               // numbers the questions of this connection
};

}  // namespace sightline::sinks
