#include <set>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/events/home_assistant.h"
#include "stages/sinks/events/mqtt_client.h"

namespace sightline::sinks {
namespace {

constexpr BrokerScheme kScheme{"mqtt", "mqtts", 1883, 8883};
constexpr std::string_view kSeparators = "/+#";

// What stands before the first name: sightline/{camera}/{kind} -> sightline
std::string Prefix(std::string_view topic) {
  std::string_view head = topic.substr(0, topic.find('{'));
  head = head.substr(0, head.rfind('/') == std::string_view::npos ? 0 : head.rfind('/'));
  return head.empty() ? "sightline" : std::string(head);
}

class MqttSink final : public EventSink {
 public:
  MqttSink(MqttOptions options, BrokerAddress address)
      : options_(std::move(options)), address_(std::move(address)) {
    availability_ = fmt::format("{}/{}/availability", Prefix(options_.topic),
                                FillIn("{camera}", options_.client_id, "", kSeparators));
  }

  absl::Status Send(const EventMessage& message) override { return SendTogether({&message, 1}).front(); }
  size_t together_max() const override { return 64; }

  std::vector<absl::Status> SendTogether(absl::Span<const EventMessage> messages) override {
    const absl::Time deadline = absl::Now() + absl::Seconds(options_.timeout_s);
    if (absl::Status status = Ready(deadline); !status.ok())
      return std::vector<absl::Status>(messages.size(), status);
    std::vector<MqttMessage> publishing;
    for (const EventMessage& one : messages)
      publishing.push_back({FillIn(options_.topic, one.camera, one.kind, kSeparators), one.payload, false});
    auto statuses = client_->Publish(publishing, deadline);
    for (const absl::Status& status : statuses) {
      if (status.ok() || absl::IsInvalidArgument(status)) continue;
      DropClient();  // or the library would send what is sent again, too
      break;
    }
    return statuses;
  }

  void OnCameras(const std::vector<std::string>& names) override {
    if (!options_.home_assistant) return;
    for (const std::string& name : cameras_) gone_.insert(name);
    cameras_ = {names.begin(), names.end()};
    for (const std::string& name : cameras_) gone_.erase(name);
    announced_ = -1;
    Ready(absl::Now() + absl::Seconds(options_.timeout_s)).IgnoreError();  // else with the next event
  }

  std::string Shown() const override { return fmt::format("mqtt {}", address_.shown); }

  void Cancel() override {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    if (client_ != nullptr) client_->Cancel();
  }

  absl::Status Start() {
    MqttClientOptions options;
    options.address = address_;
    options.client_id = options_.client_id;
    options.authorities_file = options_.authorities_file;
    options.availability = availability_;
    auto client = MqttClient::Create(options);
    if (!client.ok()) return client.status();
    absl::MutexLock lock(&mutex_);
    if (cancelled_) (*client)->Cancel();
    client_ = *std::move(client);
    announced_ = -1;
    return absl::OkStatus();
  }

 private:
  void DropClient() {
    std::unique_ptr<MqttClient> dropped;
    absl::MutexLock lock(&mutex_);
    dropped.swap(client_);
  }

  absl::Status Ready(absl::Time deadline) {
    if (client_ == nullptr) RETURN_IF_ERROR(Start());
    RETURN_IF_ERROR(client_->WaitConnected(deadline));
    if (options_.home_assistant && announced_ != client_->connections()) return Announce(deadline);
    return absl::OkStatus();
  }

  absl::Status Announce(absl::Time deadline) {
    const HomeAssistantPlace place{options_.topic, availability_, options_.client_id};
    const int64_t connection = client_->connections();
    std::vector<MqttMessage> messages;
    for (const std::string& name : gone_) messages.push_back({HomeAssistantTopic(place, name), "", true});
    for (const std::string& name : cameras_)
      messages.push_back({HomeAssistantTopic(place, name), HomeAssistantConfig(place, name), true});
    for (const absl::Status& status : client_->Publish(messages, deadline)) {
      if (status.ok()) continue;
      DropClient();
      return status;
    }
    gone_.clear();
    announced_ = connection;
    return absl::OkStatus();
  }

  const MqttOptions options_;
  const BrokerAddress address_;
  std::string availability_;
  std::set<std::string> cameras_, gone_;
  int64_t announced_ = -1;  // on which connection
  absl::Mutex mutex_;       // Cancel() against the exchange of client_
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<MqttClient> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventSink>> CreateMqttSink(const MqttOptions& options) {
  ASSIGN_OR_RETURN(BrokerAddress address, ParseBrokerAddress(options.url, kScheme));
  if (options.topic.empty() || options.topic.find_first_of("+#") != std::string::npos) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no topic to publish to: it is empty or holds + or #", options.topic));
  }
  auto sink = std::make_unique<MqttSink>(options, std::move(address));
  RETURN_IF_ERROR(sink->Start());
  return sink;
}

}  // namespace sightline::sinks
