#include "base/net/http_request.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <limits>

#include "base/net/address.h"
#include "base/net/http_connection.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

namespace http = boost::beast::http;
using ErrorCode = HttpConnection::ErrorCode;

constexpr uint32_t kHeaderBytesMax = 64 << 10;
constexpr size_t kBufferBytesMax = 128 << 10;

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

class BeastSession final : public HttpSession {
 public:
  BeastSession(Url url, HttpSessionOptions options)
      : url_(std::move(url)), shown_(url_.Place()), options_(std::move(options)) {}

  absl::StatusOr<HttpResponse> Send(const HttpRequest& request) override {
    deadline_ = MonotonicClock::now() + options_.timeout;
    try {
      const bool kept = connection_ != nullptr;
      auto response = SendOnce(request);
      if (kept && !response.ok() && closed_unanswered_) response = SendOnce(request);
      return response.ok() ? response : Annotate(response.status(), shown_);
    } catch (const std::exception& error) {  // Asio, Beast and OpenSSL's set-up throw
      connection_.reset();
      return absl::InternalError(fmt::format("{}: {}", shown_, error.what()));
    }
  }
  const std::string& Shown() const override { return shown_; }

 private:
  using Message = http::request<http::string_body>;
  using Parser = http::response_parser<http::buffer_body>;

  absl::StatusOr<Message> MessageOf(const HttpRequest& request) const {
    const std::string& target = request.target.empty() ? url_.target : request.target;
    Message message{http::string_to_verb(request.method), target, 11};
    if (message.method() == http::verb::unknown || !IsPrintable(target))
      return absl::InvalidArgumentError("a method or target that cannot be");
    message.set(http::field::host, url_.Authority());
    message.set(http::field::user_agent, "sightline");
    message.set(http::field::accept, "*/*");
    if (!url_.credentials.empty())
      message.set(http::field::authorization, BasicAuthentication(url_.credentials));
    for (const auto& [name, value] : request.headers) {
      if (!IsPrintable(name) || !IsPrintable(value))
        return absl::InvalidArgumentError(fmt::format("a header {} that cannot be", ToValidUtf8(name)));
      message.set(name, value);
    }
    message.body() = request.body;
    message.prepare_payload();
    return message;
  }

  absl::Status Connect() {
    AddressPolicy policy(url_.host);
    ASSIGN_OR_RETURN(std::vector<std::string> addresses, policy.LookUp(url_.host, options_.cancelled));
    if (!options_.allow_private) {
      std::erase_if(addresses, [](const std::string& a) { return ZoneOf(a) != AddressZone::kPublic; });
      if (addresses.empty()) return absl::PermissionDeniedError("its address is not a public one");
    }
    HttpOptions options;
    options.connect_timeout = options_.connect_timeout;
    options.authorities_file = options_.authorities_file;
    options.cancelled = options_.cancelled;
    auto connection = std::make_unique<HttpConnection>();
    std::string connected;
    RETURN_IF_ERROR(connection->Connect(url_, addresses, options, deadline_, &connected));
    buffer_.clear();
    connection_ = std::move(connection);
    return absl::OkStatus();
  }

  absl::StatusOr<HttpResponse> SendOnce(const HttpRequest& request) {
    closed_unanswered_ = false;
    ASSIGN_OR_RETURN(const Message message, MessageOf(request));
    if (connection_ == nullptr) RETURN_IF_ERROR(Connect());
    ErrorCode error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
      http::async_write(stream, message, std::move(handler));
    });
    if (error) return Failure(error, /*answered=*/false);
    Parser parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(std::numeric_limits<uint64_t>::max());  // counted in ReadBody instead
    if (message.method() == http::verb::head) parser.skip(true);
    error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
      http::async_read_header(stream, buffer_, parser, std::move(handler));
    });
    if (error) return Failure(error, parser.got_some());
    HttpResponse response;
    response.status = static_cast<int>(parser.get().result_int());
    const auto field = [&](http::field name) {
      const auto value = parser.get()[name];
      return std::string(value.data(), value.size());
    };
    response.type = field(http::field::content_type);
    response.retry_after = field(http::field::retry_after);
    // The status is an answer, whatever becomes of its body.
    response.whole = ReadBody(&parser, &response.body);
    if (!response.whole || !parser.get().keep_alive()) connection_.reset();
    return response;
  }

  bool ReadBody(Parser* parser, std::string* text) {
    char scratch[8192];
    while (!parser->is_done()) {
      auto& body = parser->get().body();
      body.data = scratch;
      body.size = sizeof scratch;
      body.more = true;
      const ErrorCode error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
        http::async_read_some(stream, buffer_, *parser, std::move(handler));
      });
      text->append(scratch, sizeof scratch - body.size);
      if (text->size() > options_.body_bytes_max || (error && error != http::error::need_buffer))
        return false;
    }
    return true;
  }

  absl::Status Failure(ErrorCode error, bool answered) {
    connection_.reset();
    if (options_.cancelled && options_.cancelled()) return absl::CancelledError("given up");
    if (error == boost::asio::error::timed_out)
      return absl::DeadlineExceededError(fmt::format("no answer within {} ms", options_.timeout.count()));
    closed_unanswered_ = !answered;
    if (answered && error.category() == make_error_code(http::error::bad_version).category())
      return absl::DataLossError(fmt::format("what came is no HTTP: {}", error.message()));
    return absl::UnavailableError(fmt::format("the connection broke: {}", error.message()));
  }

  const Url url_;
  const std::string shown_;
  const HttpSessionOptions options_;
  std::unique_ptr<HttpConnection> connection_;  // null: none is open
  boost::beast::flat_buffer buffer_{kBufferBytesMax};
  MonotonicTime deadline_;
  bool closed_unanswered_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpSession>> HttpSession::Create(const std::string& url,
                                                                 const HttpSessionOptions& options) {
  ASSIGN_OR_RETURN(Url parsed, ParseUrl(url));
  if (parsed.scheme != "http" && parsed.scheme != "https")
    return absl::InvalidArgumentError(fmt::format("{} is not http or https", parsed.Place()));
  return std::make_unique<BeastSession>(std::move(parsed), options);
}

}  // namespace sightline
