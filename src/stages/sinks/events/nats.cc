#include <atomic>

#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/events/nats_client.h"

namespace sightline::sinks {
namespace {

constexpr BrokerScheme kScheme{"nats", "tls", 4222, 4222};
constexpr std::string_view kSeparators = ".*>";

class NatsSink final : public EventSink {
 public:
  NatsSink(NatsOptions options, BrokerAddress address)
      : options_(std::move(options)), address_(std::move(address)) {}

  absl::Status Send(const EventMessage& message) override { return SendTogether({&message, 1}).front(); }
  size_t together_max() const override { return 64; }

  std::vector<absl::Status> SendTogether(absl::Span<const EventMessage> messages) override {
    if (absl::Status status = Ready(); !status.ok())
      return std::vector<absl::Status>(messages.size(), status);
    std::vector<NatsMessage> publishing;
    for (const EventMessage& one : messages) {
      publishing.push_back(
          {FillIn(options_.subject, one.camera, one.kind, kSeparators), one.id, &one.payload});
    }
    auto statuses = client_->Publish(publishing, options_.jet_stream);
    for (const absl::Status& status : statuses)
      if (!status.ok() && !absl::IsInvalidArgument(status)) client_.reset();
    return statuses;
  }

  std::string Shown() const override {
    return fmt::format("nats {}{}", address_.shown, options_.jet_stream ? " (JetStream)" : "");
  }
  void Cancel() override { cancelled_ = true; }

 private:
  absl::Status Ready() {
    if (cancelled_) return absl::CancelledError("given up");
    if (client_ != nullptr && client_->usable()) return absl::OkStatus();
    client_ = std::make_unique<NatsClient>(
        NatsClientOptions{address_, options_.authorities_file, options_.timeout_s}, &cancelled_);
    absl::Status status = client_->Connect();
    if (!status.ok()) client_.reset();
    return status;
  }

  const NatsOptions options_;
  const BrokerAddress address_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<NatsClient> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventSink>> CreateNatsSink(const NatsOptions& options) {
  ASSIGN_OR_RETURN(BrokerAddress address, ParseBrokerAddress(options.url, kScheme));
  const std::string tried = FillIn(options.subject, "c", "k", kSeparators);
  const bool empty_level =
      tried.empty() || tried.front() == '.' || tried.back() == '.' || tried.find("..") != std::string::npos;
  if (empty_level || tried.find_first_of("*> \t\r\n") != std::string::npos) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is no subject to publish to: it has an empty part, a blank, * or >", options.subject));
  }
  return std::make_unique<NatsSink>(options, std::move(address));
}

}  // namespace sightline::sinks
