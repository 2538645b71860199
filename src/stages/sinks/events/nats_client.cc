#include "stages/sinks/events/nats_client.h"

#include <nats/nats.h>

#include <nlohmann/json.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr int64_t kSliceMs = 200;     // how long a step can't be given up
constexpr int kConnectMsMax = 3'000;  // connecting can't be given up at all
constexpr size_t kSubjectsMax = 100'000;
// The server says that a subject is not permitted before it answers a flush, but the library tells of it on
// another thread, at some time.
constexpr absl::Duration kRefusalWait = absl::Milliseconds(50);
constexpr int kMessageTooLarge = 10'054;  // JetStream's: more than its stream takes

absl::Status Unacknowledged() { return absl::UnavailableError(""); }
constexpr std::string_view kNoStream = "no JetStream stream takes this subject";
bool IsUnacknowledged(const absl::Status& status) {
  return absl::IsUnavailable(status) && status.message().empty();
}

// Connections that were refused something, by number: the library may call when a connection is gone already.
class Refusals {
 public:
  static Refusals& Get() {
    static auto& all = *new Refusals;
    return all;
  }
  int64_t Begin() {
    absl::MutexLock lock(&mutex_);
    return ++last_;
  }
  void End(int64_t connection) {
    absl::MutexLock lock(&mutex_);
    refused_.erase(connection);
  }
  static void OnError(natsConnection*, natsSubscription*, natsStatus error, void* connection) {
    if (error != NATS_NOT_PERMITTED) return;
    Refusals& all = Get();
    absl::MutexLock lock(&all.mutex_);
    all.refused_.insert(reinterpret_cast<intptr_t>(connection));
  }
  bool Await(int64_t connection, absl::Duration wait) {
    absl::MutexLock lock(&mutex_);
    const auto refused = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return refused_.count(connection) != 0;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&refused), wait);
  }

 private:
  absl::Mutex mutex_;
  int64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<int64_t> refused_ ABSL_GUARDED_BY(mutex_);
};

// {"stream": ..., "seq": ...} or {"error": {"description": ...}}
absl::Status StatusOfAnswer(natsMsg* answer, const std::string& shown) {
  if (natsMsg_IsNoResponders(answer)) return absl::UnavailableError(fmt::format("{}: {}", shown, kNoStream));
  const auto json = nlohmann::json::parse(
      natsMsg_GetData(answer), natsMsg_GetData(answer) + natsMsg_GetDataLength(answer), nullptr, false);
  if (!json.is_object()) return absl::DataLossError(fmt::format("{}: what answers is no JetStream", shown));
  if (!json.contains("error") || !json["error"].is_object()) return absl::OkStatus();
  const auto& error = json["error"];
  const auto text = [&] {
    const auto found = error.find("description");
    return found != error.end() && found->is_string() ? found->get<std::string>() : std::string("an error");
  };
  const auto code = error.find("err_code");
  const std::string words =
      fmt::format("{}: JetStream answered: {}", shown, ToValidUtf8(text().substr(0, 200)));
  if (code != error.end() && code->is_number_integer() && code->get<int>() == kMessageTooLarge)
    return absl::InvalidArgumentError(words);
  return absl::UnavailableError(words);
}

absl::Status SetUp(const NatsClientOptions& options, natsOptions* set) {
  const BrokerAddress& address = options.address;
  const std::string place = address.shown.substr(address.shown.find("://"));
  natsStatus status = natsOptions_SetURL(set, fmt::format("nats{}", place).c_str());
  const int64_t timeout_ms = std::min<int64_t>(kConnectMsMax, static_cast<int64_t>(options.timeout_s * 1e3));
  if (status == NATS_OK) status = natsOptions_SetTimeout(set, timeout_ms);
  if (status == NATS_OK) status = natsOptions_SetAllowReconnect(set, false);
  if (status == NATS_OK) status = natsOptions_SetPingInterval(set, 15'000);
  if (status == NATS_OK) status = natsOptions_SetName(set, "sightline");
  if (status == NATS_OK && !address.password.empty()) {
    status = natsOptions_SetUserInfo(set, address.user.c_str(), address.password.c_str());
  } else if (status == NATS_OK && !address.user.empty()) {
    status = natsOptions_SetToken(set, address.user.c_str());
  }
  const bool tls = address.tls || !options.authorities_file.empty();
  if (status == NATS_OK && tls) status = natsOptions_SetSecure(set, true);
  if (status == NATS_OK && tls) status = natsOptions_SetExpectedHostname(set, address.host.c_str());
  if (status != NATS_OK) return absl::InternalError(fmt::format("NATS: {}", natsStatus_GetText(status)));
  if (!options.authorities_file.empty() &&
      natsOptions_LoadCATrustedCertificates(set, options.authorities_file.c_str()) != NATS_OK) {
    return absl::InvalidArgumentError(
        fmt::format("cannot use the certificate authorities of {}", options.authorities_file));
  }
  return absl::OkStatus();
}

}  // namespace

NatsClient::NatsClient(NatsClientOptions options, const std::atomic<bool>* cancelled)
    : options_(std::move(options)), cancelled_(cancelled), number_(Refusals::Get().Begin()) {}

NatsClient::~NatsClient() {
  natsSubscription_Destroy(answers_);
  if (connection_ != nullptr) natsConnection_Close(connection_);
  natsConnection_Destroy(connection_);
  Refusals::Get().End(number_);
}

absl::Status NatsClient::Explained(int status) const {
  const char* detail = nullptr;
  if (connection_ != nullptr) natsConnection_GetLastError(connection_, &detail);
  if (detail == nullptr || *detail == '\0') detail = nats_GetLastError(nullptr);
  const std::string more =
      detail != nullptr && *detail != '\0' ? fmt::format(" ({})", ToValidUtf8(detail)) : "";
  const std::string words = fmt::format("{}: {}{}", options_.address.shown,
                                        natsStatus_GetText(static_cast<natsStatus>(status)), more);
  switch (status) {
    case NATS_TIMEOUT:
      return absl::DeadlineExceededError(words);
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
      return absl::PermissionDeniedError(words);
    case NATS_SSL_ERROR:
      return absl::UnauthenticatedError(words);
    case NATS_SECURE_CONNECTION_REQUIRED:
    case NATS_SECURE_CONNECTION_WANTED:
      return absl::FailedPreconditionError(words + "; tls:// and nats:// differ in this");
    case NATS_NO_RESPONDERS:
      return absl::UnavailableError(fmt::format("{}: {}", options_.address.shown, kNoStream));
    case NATS_MAX_PAYLOAD:
      return absl::InvalidArgumentError(words);
    default:
      return absl::UnavailableError(words);
  }
}

absl::Status NatsClient::Connect() {
  natsOptions* set = nullptr;
  if (natsOptions_Create(&set) != NATS_OK) return absl::ResourceExhaustedError("no memory for NATS");
  const std::unique_ptr<natsOptions, void (*)(natsOptions*)> owner(set, &natsOptions_Destroy);
  RETURN_IF_ERROR(SetUp(options_, set));
  natsOptions_SetErrorHandler(set, &Refusals::OnError,
                              reinterpret_cast<void*>(static_cast<intptr_t>(number_)));
  const natsStatus status = natsConnection_Connect(&connection_, set);
  return status == NATS_OK ? absl::OkStatus() : Explained(status);
}

bool NatsClient::usable() const {
  return connection_ != nullptr && natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
}

absl::Status NatsClient::Subscribe() {
  natsInbox* inbox = nullptr;
  if (const natsStatus status = natsInbox_Create(&inbox); status != NATS_OK) return Explained(status);
  inbox_ = inbox;
  natsInbox_Destroy(inbox);
  const natsStatus status =
      natsConnection_SubscribeSync(&answers_, connection_, fmt::format("{}.*", inbox_).c_str());
  return status == NATS_OK ? absl::OkStatus() : Explained(status);
}

absl::Status NatsClient::PublishOne(const NatsMessage& message, const std::string& reply) {
  natsMsg* made = nullptr;
  natsStatus status = natsMsg_Create(&made, message.subject.c_str(), reply.empty() ? nullptr : reply.c_str(),
                                     message.payload->data(), static_cast<int>(message.payload->size()));
  const std::unique_ptr<natsMsg, void (*)(natsMsg*)> owner(made, &natsMsg_Destroy);
  if (status == NATS_OK && !reply.empty())
    status = natsMsgHeader_Set(made, "Nats-Msg-Id", message.id.c_str());
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection_, made);
  return status == NATS_OK ? absl::OkStatus() : Explained(status);
}

absl::Status NatsClient::Flush(MonotonicTime deadline) {
  while (true) {
    const natsStatus status = natsConnection_FlushTimeout(connection_, kSliceMs);
    if (*cancelled_) return absl::CancelledError("given up");
    if (status == NATS_TIMEOUT && MonotonicClock::now() < deadline) continue;
    return status == NATS_OK ? absl::OkStatus() : Explained(status);
  }
}

absl::Status NatsClient::NotRefused(absl::Duration wait) const {
  if (!Refusals::Get().Await(number_, wait)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("{}: the server does not permit publishing to a subject", options_.address.shown));
}

void NatsClient::ReadAnswers(int64_t first, std::vector<absl::Status>* statuses, MonotonicTime deadline) {
  const auto waiting = [&] { return std::count_if(statuses->begin(), statuses->end(), &IsUnacknowledged); };
  absl::Status failure;
  while (failure.ok() && waiting() > 0) {
    natsMsg* answer = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&answer, answers_, kSliceMs);
    const std::unique_ptr<natsMsg, void (*)(natsMsg*)> owner(answer, &natsMsg_Destroy);
    if (*cancelled_) {
      failure = absl::CancelledError("given up");
    } else if (status == NATS_OK) {
      const std::string_view subject = natsMsg_GetSubject(answer);
      const auto number = ParseInteger(subject.substr(subject.rfind('.') + 1));
      if (!number || *number < first) continue;  // of an earlier try
      const auto at = static_cast<size_t>(*number - first);
      if (at < statuses->size()) (*statuses)[at] = StatusOfAnswer(answer, options_.address.shown);
    } else if (status != NATS_TIMEOUT || MonotonicClock::now() >= deadline) {
      failure = Explained(status);
    } else {
      failure = NotRefused(absl::ZeroDuration());
    }
  }
  for (absl::Status& status : *statuses)
    if (IsUnacknowledged(status)) status = failure;
}

std::vector<absl::Status> NatsClient::Publish(absl::Span<const NatsMessage> messages, bool jet_stream) {
  const MonotonicTime deadline =
      MonotonicClock::now() + std::chrono::milliseconds(static_cast<int64_t>(options_.timeout_s * 1e3));
  if (jet_stream && answers_ == nullptr) {
    if (absl::Status status = Subscribe(); !status.ok())
      return std::vector<absl::Status>(messages.size(), status);
  }
  std::vector<absl::Status> statuses;
  bool new_subject = false;
  const int64_t first = asked_;
  for (const NatsMessage& message : messages) {
    const std::string reply = jet_stream ? fmt::format("{}.{}", inbox_, asked_) : "";
    ++asked_;
    new_subject |= subjects_.insert(message.subject).second;
    const absl::Status status = PublishOne(message, reply);
    statuses.push_back(status.ok() ? Unacknowledged() : status);
  }
  absl::Status flushed = Flush(deadline);
  if (jet_stream && flushed.ok()) {
    ReadAnswers(first, &statuses, deadline);
    return statuses;
  }
  if (flushed.ok()) flushed = NotRefused(new_subject ? kRefusalWait : absl::ZeroDuration());
  if (subjects_.size() > kSubjectsMax) subjects_.clear();
  for (absl::Status& status : statuses)
    if (IsUnacknowledged(status)) status = flushed;
  return statuses;
}

}  // namespace sightline::sinks
