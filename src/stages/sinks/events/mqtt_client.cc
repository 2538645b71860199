#include "stages/sinks/events/mqtt_client.h"

#include <mosquitto.h>

#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr int kKeepAliveS = 15;
constexpr int kQos = 1;
constexpr const char* kSystemAuthorities = "/etc/ssl/certs";

void StartLibrary() {
  static const int started = mosquitto_lib_init();
  (void)started;
}

std::string Reason(int code) {
  if (code == MOSQ_ERR_ERRNO) return errno != 0 ? std::strerror(errno) : "the connection was lost";
  return mosquitto_strerror(code);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MqttClient>> MqttClient::Create(const MqttClientOptions& options) {
  StartLibrary();
  std::unique_ptr<MqttClient> client(new MqttClient(options));
  RETURN_IF_ERROR(client->Start());
  return client;
}

MqttClient::~MqttClient() {
  if (client_ == nullptr) return;
  bool connected = false;
  {
    absl::MutexLock lock(&mutex_);
    connected = connected_;
  }
  if (connected) {
    constexpr std::string_view kOffline = "offline";
    mosquitto_publish(client_, nullptr, options_.availability.c_str(), static_cast<int>(kOffline.size()),
                      kOffline.data(), 0, true);
  }
  mosquitto_disconnect(client_);
  mosquitto_loop_stop(client_, false);
  mosquitto_destroy(client_);
}

absl::Status MqttClient::SetUpTls() {
  const std::string& file = options_.authorities_file;
  const int code = mosquitto_tls_set(client_, file.empty() ? nullptr : file.c_str(),
                                     file.empty() ? kSystemAuthorities : nullptr, nullptr, nullptr, nullptr);
  if (code != MOSQ_ERR_SUCCESS) {
    return absl::InvalidArgumentError(fmt::format("cannot use the certificate authorities of {}: {}",
                                                  file.empty() ? kSystemAuthorities : file, Reason(code)));
  }
  mosquitto_tls_opts_set(client_, /*cert_reqs=*/1, "tlsv1.2", nullptr);
  return absl::OkStatus();
}

absl::Status MqttClient::Start() {
  client_ = mosquitto_new(options_.client_id.c_str(), /*clean_session=*/true, this);
  if (client_ == nullptr) return absl::ResourceExhaustedError("no memory for an MQTT client");
  mosquitto_connect_callback_set(client_, &OnConnect);
  mosquitto_disconnect_callback_set(client_, &OnDisconnect);
  mosquitto_publish_callback_set(client_, &OnPublish);
  mosquitto_max_inflight_messages_set(client_, 0);  // Publish bounds them
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_reconnect_delay_set(client_, 1, 1, false);  // seconds
  if (!options_.address.user.empty()) {
    mosquitto_username_pw_set(
        client_, options_.address.user.c_str(),
        options_.address.password.empty() ? nullptr : options_.address.password.c_str());
  }
  constexpr std::string_view kOffline = "offline";
  mosquitto_will_set(client_, options_.availability.c_str(), static_cast<int>(kOffline.size()),
                     kOffline.data(), kQos, /*retain=*/true);
  if (options_.address.tls) RETURN_IF_ERROR(SetUpTls());
  // A broker that is not there yet is asked again by the library's thread.
  mosquitto_connect_async(client_, options_.address.host.c_str(), options_.address.port, kKeepAliveS);
  if (const int code = mosquitto_loop_start(client_); code != MOSQ_ERR_SUCCESS)
    return absl::ResourceExhaustedError(fmt::format("no thread for MQTT: {}", Reason(code)));
  return absl::OkStatus();
}

void MqttClient::OnConnect(mosquitto* client, void* self, int code) {
  auto* me = static_cast<MqttClient*>(self);
  if (code == 0) {
    constexpr std::string_view kOnline = "online";
    mosquitto_publish(client, nullptr, me->options_.availability.c_str(), static_cast<int>(kOnline.size()),
                      kOnline.data(), kQos, /*retain=*/true);
    ++me->connections_;
  }
  absl::MutexLock lock(&me->mutex_);
  me->connected_ = code == 0;
  if (code != 0)
    me->why_ = fmt::format("the broker refuses the connection: {}", mosquitto_connack_string(code));
}

void MqttClient::OnDisconnect(mosquitto*, void* self, int code) {
  auto* me = static_cast<MqttClient*>(self);
  const std::string reason = Reason(code);
  absl::MutexLock lock(&me->mutex_);
  // A refusal says more than the cut that follows it.
  if (me->connected_ || !me->why_.starts_with("the broker refuses")) me->why_ = reason;
  me->connected_ = false;
}

void MqttClient::OnPublish(mosquitto*, void* self, int message) {
  auto* me = static_cast<MqttClient*>(self);
  absl::MutexLock lock(&me->mutex_);
  if (me->waits_) me->acknowledged_.insert(message);
}

void MqttClient::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
}

absl::Status MqttClient::WaitConnected(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return connected_ || cancelled_; };
  mutex_.AwaitWithDeadline(absl::Condition(&settled), deadline);
  if (cancelled_) return absl::CancelledError("given up");
  if (connected_) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{}: not connected: {}", options_.address.shown, why_));
}

std::vector<absl::Status> MqttClient::Publish(const std::vector<MqttMessage>& messages, absl::Time deadline) {
  {
    absl::MutexLock lock(&mutex_);
    waits_ = true;
    acknowledged_.clear();
  }
  std::vector<absl::Status> statuses(messages.size());
  std::vector<int> numbers(messages.size(), 0);
  for (size_t i = 0; i < messages.size(); ++i) {
    const MqttMessage& one = messages[i];
    const int code =
        mosquitto_publish(client_, &numbers[i], one.topic.c_str(), static_cast<int>(one.payload.size()),
                          one.payload.data(), kQos, one.retain);
    if (code == MOSQ_ERR_SUCCESS) continue;
    const std::string words = fmt::format("{}: {}", options_.address.shown, Reason(code));
    const bool never =
        code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_INVAL;
    statuses[i] = never ? absl::InvalidArgumentError(words) : absl::UnavailableError(words);
  }
  absl::MutexLock lock(&mutex_);
  const auto all_there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (cancelled_ || !connected_) return true;
    for (size_t i = 0; i < messages.size(); ++i)
      if (statuses[i].ok() && acknowledged_.count(numbers[i]) == 0) return false;
    return true;
  };
  mutex_.AwaitWithDeadline(absl::Condition(&all_there), deadline);
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!statuses[i].ok() || acknowledged_.count(numbers[i]) != 0) continue;
    statuses[i] = absl::UnavailableError(
        connected_ ? fmt::format("{} did not acknowledge in time", options_.address.shown)
                   : fmt::format("{}: the connection was lost: {}", options_.address.shown, why_));
  }
  waits_ = false;
  acknowledged_.clear();
  return statuses;
}

}  // namespace sightline::sinks
