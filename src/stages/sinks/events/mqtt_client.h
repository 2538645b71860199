// One MQTT connection: connects and reconnects on a thread of libmosquitto's, publishes with QoS 1 and waits
// for the broker's word.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "stages/sinks/events/broker_address.h"

struct mosquitto;

namespace sightline::sinks {

struct MqttClientOptions {
  BrokerAddress address;
  std::string client_id;
  std::string authorities_file;
  std::string availability;  // topic: "online", retained, while connected; "offline" is the last will
};

struct MqttMessage {
  std::string topic, payload;
  bool retain = false;
};

// Threads: one at a time, but Cancel() from anywhere.
class MqttClient {
 public:
  static absl::StatusOr<std::unique_ptr<MqttClient>> Create(const MqttClientOptions& options);
  ~MqttClient();  // says "offline" where it is connected

  // Unavailable with the reason when the connection does not stand by then.
  absl::Status WaitConnected(absl::Time deadline);
  // A status for each: OK once the broker has acknowledged it.
  std::vector<absl::Status> Publish(const std::vector<MqttMessage>& messages, absl::Time deadline);
  int64_t connections() const {
    return connections_;
  }  // so far: what was said once may have to be said again
  void Cancel();

 private:
  explicit MqttClient(MqttClientOptions options) : options_(std::move(options)) {}
  absl::Status Start();
  absl::Status SetUpTls();
  static void OnConnect(mosquitto*, void* self, int code);
  static void OnDisconnect(mosquitto*, void* self, int code);
  static void OnPublish(mosquitto*, void* self, int message);

  const MqttClientOptions options_;
  mosquitto* client_ = nullptr;
  std::atomic<int64_t> connections_{0};
  absl::Mutex mutex_;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;                    // Publish does
  std::set<int> acknowledged_ ABSL_GUARDED_BY(mutex_);            // message numbers, while waits_
  std::string why_ ABSL_GUARDED_BY(mutex_) = "no answer so far";  // it is not connected
};

}  // namespace sightline::sinks
