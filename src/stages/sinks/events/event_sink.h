// Where events go: webhook, MQTT, NATS, files. A sink sends; durability and retries are the outbox's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/event.h"

namespace sightline::sinks {

// CloudEvents 1.0 in structured JSON mode, one line. type: org.sightline.event.KIND.v1; source:
// NODE/cameras/NAME; subject: the rule; time: when captured.
std::string ToCloudEvent(const Event& event, std::string_view node);

struct EventMessage {
  std::string id, kind, camera;
  std::string payload;  // the CloudEvent
};

// Threads: one at a time, but Cancel() from anywhere. Send blocks until the other side has acknowledged or
// `timeout` is over. Errors: InvalidArgument: the other side will never take this message (4xx but 408, 425,
// 429): it is put aside; anything else: try again later. Messages hold no credentials.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual absl::Status Send(const EventMessage& message) = 0;
  // Several at once where the protocol allows it, at most together_max(); a status for each.
  virtual std::vector<absl::Status> SendTogether(absl::Span<const EventMessage> messages);
  virtual size_t together_max() const { return 1; }
  // Ends a Send that waits, and all to come, at once (Cancelled). Only destruction follows.
  virtual void Cancel() {}
  virtual std::string Shown() const = 0;  // for people: kind and address without credentials
  // What the camera list looks like now (Home Assistant discovery announces them); may be ignored.
  virtual void OnCameras(const std::vector<std::string>&) {}
};

struct WebhookOptions {
  std::string url;
  std::string
      secret;  // signature: X-Sightline-Signature: t=UNIX,v1=hex(HMAC-SHA256(secret, "t.body")); "" none
  double timeout_s = 5;
  std::string authorities_file;
  bool allow_private = true;  // addresses of local networks
};
absl::StatusOr<std::unique_ptr<EventSink>> CreateWebhookSink(const WebhookOptions& options);

struct MqttOptions {
  std::string url;  // mqtt://[user:password@]host[:1883] or mqtts://...[:8883]
  std::string topic = "sightline/{camera}/{kind}";
  std::string client_id;
  std::string authorities_file;  // TLS
  bool home_assistant = false;   // discovery under homeassistant/
  double timeout_s = 5;
};
absl::StatusOr<std::unique_ptr<EventSink>> CreateMqttSink(const MqttOptions& options);  // QoS 1

struct NatsOptions {
  std::string url;  // nats://[user:password@ or token@]host[:4222]
  std::string subject = "sightline.{camera}.{kind}";
  bool jet_stream = false;  // wait for the stream's acknowledgement; else flushed to the server
  std::string authorities_file;
  double timeout_s = 5;
};
absl::StatusOr<std::unique_ptr<EventSink>> CreateNatsSink(const NatsOptions& options);

struct JsonLinesOptions {
  std::filesystem::path file;
  uint64_t file_bytes_max = 64 << 20;  // then FILE.1 and so on
  int files_max = 10;
};
absl::StatusOr<std::unique_ptr<EventSink>> CreateJsonLinesSink(const JsonLinesOptions& options);  // fdatasync

}  // namespace sightline::sinks
