#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>

#include "base/clock.h"
#include "base/net/http_request.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {
namespace {

constexpr size_t kAnswerBytesMax = 64 << 10;

std::string HmacHex(std::string_view key, std::string_view text) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const uint8_t*>(text.data()),
       text.size(), digest, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

absl::Status StatusOfCode(int code, const std::string& shown) {
  if (code >= 200 && code < 300) return absl::OkStatus();
  const std::string words = fmt::format("{} answered {}", shown, code);
  if (code >= 300 && code < 400)
    return absl::FailedPreconditionError(words + ": redirects are not followed; configure where it leads to");
  if (code >= 400 && code < 500 && code != 408 && code != 425 && code != 429)
    return absl::InvalidArgumentError(words);
  return absl::UnavailableError(words);
}

class WebhookSink final : public EventSink {
 public:
  explicit WebhookSink(std::string secret) : secret_(std::move(secret)) {}

  absl::Status Open(const WebhookOptions& options) {
    HttpSessionOptions session;
    session.timeout = std::chrono::milliseconds(static_cast<int64_t>(options.timeout_s * 1e3));
    session.connect_timeout = session.timeout;
    session.body_bytes_max = kAnswerBytesMax;
    session.authorities_file = options.authorities_file;
    session.allow_private = options.allow_private;
    session.cancelled = [this] { return cancelled_.load(); };
    ASSIGN_OR_RETURN(session_, HttpSession::Create(options.url, session));
    return absl::OkStatus();
  }

  absl::Status Send(const EventMessage& message) override {
    if (cancelled_) return absl::CancelledError("given up");
    HttpRequest request;
    request.method = "POST";
    request.headers = {{"Content-Type", "application/cloudevents+json; charset=UTF-8"},
                       {"X-Sightline-Event", message.id}};
    request.body = message.payload;
    if (!secret_.empty()) {
      const int64_t now =
          std::chrono::duration_cast<std::chrono::seconds>(Clock::Real().Wall().time_since_epoch()).count();
      request.headers.emplace_back(
          "X-Sightline-Signature",
          fmt::format("t={},v1={}", now, HmacHex(secret_, fmt::format("{}.{}", now, message.payload))));
    }
    ASSIGN_OR_RETURN(const HttpResponse response, session_->Send(request));
    return StatusOfCode(response.status, session_->Shown());
  }

  std::string Shown() const override { return fmt::format("webhook {}", session_->Shown()); }
  void Cancel() override { cancelled_ = true; }

 private:
  const std::string secret_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<HttpSession> session_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventSink>> CreateWebhookSink(const WebhookOptions& options) {
  auto sink = std::make_unique<WebhookSink>(options.secret);
  RETURN_IF_ERROR(sink->Open(options));
  return sink;
}

}  // namespace sightline::sinks
