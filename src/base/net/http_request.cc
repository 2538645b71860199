#include "base/net/http_request.h"

#include <openssl/evp.h>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "base/net/address.h"
#include "base/net/http_connection.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

namespace http = boost::beast::http;
using ErrorCode = HttpConnection::ErrorCode;

constexpr uint32_t kHeaderBytesMax = 64 << 10;

std::string Base64(const std::string& plain) {
  std::vector<uint8_t> encoded(plain.size() / 3 * 4 + 5);
  const int length = EVP_EncodeBlock(encoded.data(), reinterpret_cast<const uint8_t*>(plain.data()),
                                     static_cast<int>(plain.size()));
  return std::string(encoded.begin(), encoded.begin() + length);
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

class BeastSession final : public HttpSession {
 public:
  BeastSession(Url url, const HttpSessionOptions& options) : url_(std::move(url)), options_(options) {
    connection_options_.connect_timeout = options.timeout;
    connection_options_.authorities_file = options.authorities_file;
    connection_options_.cancelled = options.cancelled;
  }

  absl::StatusOr<HttpResponse> Send(const HttpRequest& request) override {
    const MonotonicTime deadline = MonotonicClock::now() + options_.timeout;
    try {
      // A server may have closed a connection that was idle: then it is tried once on a new one.
      const bool kept = connection_ != nullptr;
      bool unanswered = false;
      auto response = Try(request, deadline, &unanswered);
      if (!response.ok()) connection_.reset();
      if (!response.ok() && kept && unanswered) response = Try(request, deadline, &unanswered);
      if (!response.ok()) connection_.reset();
      return response.ok() ? response : Annotate(response.status(), url_.Shown());
    } catch (const std::exception& error) {  // Asio, Beast and OpenSSL's set-up throw
      connection_.reset();
      return absl::InternalError(fmt::format("{}: {}", url_.Shown(), error.what()));
    }
  }

 private:
  // One connection and what was read of it beyond the last answer.
  struct Connection {
    HttpConnection http;
    boost::beast::flat_buffer buffer;
  };

  absl::Status Connect(MonotonicTime deadline) {
    AddressPolicy policy(url_.host);
    ASSIGN_OR_RETURN(const auto addresses, policy.LookUp(url_.host, options_.cancelled));
    auto connection = std::make_unique<Connection>();
    std::string connected;
    RETURN_IF_ERROR(connection->http.Connect(url_, addresses, connection_options_, deadline, &connected));
    connection_ = std::move(connection);
    return absl::OkStatus();
  }

  // `unanswered`: the server cut the connection before a byte of an answer came.
  absl::StatusOr<HttpResponse> Try(const HttpRequest& request, MonotonicTime deadline, bool* unanswered) {
    http::request<http::string_body> message{http::string_to_verb(request.method), request.target, 11};
    if (message.method() == http::verb::unknown || !IsPrintable(request.target) || request.target.empty())
      return absl::InvalidArgumentError("a method or target that cannot be");
    message.set(http::field::host, url_.Authority());
    message.set(http::field::user_agent, "sightline");
    message.set(http::field::accept, "*/*");
    if (!url_.credentials.empty())
      message.set(http::field::authorization, "Basic " + Base64(PercentDecoded(url_.credentials)));
    for (const auto& [name, value] : request.headers) {
      if (!IsPrintable(name) || !IsPrintable(value))
        return absl::InvalidArgumentError(fmt::format("a header {} that cannot be", ToValidUtf8(name)));
      message.set(name, value);
    }
    message.body() = request.body;
    message.prepare_payload();
    if (connection_ == nullptr) RETURN_IF_ERROR(Connect(deadline));
    ErrorCode error = connection_->http.Await(deadline, [&](auto& stream, auto handler) {
      http::async_write(stream, message, std::move(handler));
    });
    http::response_parser<http::string_body> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(options_.body_bytes_max);
    if (message.method() == http::verb::head) parser.skip(true);
    if (!error) {
      error = connection_->http.Await(deadline, [&](auto& stream, auto handler) {
        http::async_read(stream, connection_->buffer, parser, std::move(handler));
      });
    }
    if (error) {
      *unanswered = error != boost::asio::error::timed_out && !parser.got_some();
      return Failure(error);
    }
    const auto& answer = parser.get();
    const auto field = [&](http::field name) {
      return std::string(answer[name].data(), answer[name].size());
    };
    HttpResponse response{static_cast<int>(answer.result_int()), field(http::field::content_type),
                          field(http::field::retry_after), answer.body()};
    if (!answer.keep_alive()) connection_.reset();
    return response;
  }

  absl::Status Failure(ErrorCode error) const {
    if (options_.cancelled && options_.cancelled()) return absl::CancelledError("the request was given up");
    if (error == boost::asio::error::timed_out)
      return absl::DeadlineExceededError(
          fmt::format("no answer within {} s", static_cast<double>(options_.timeout.count()) / 1000));
    if (error == http::error::body_limit)
      return absl::ResourceExhaustedError(
          fmt::format("the answer is longer than the limit of {} bytes", options_.body_bytes_max));
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return absl::ResourceExhaustedError("the answer's header is too long");
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error == boost::asio::error::eof || error == boost::asio::error::connection_reset ||
        error == boost::asio::error::broken_pipe || error == boost::asio::ssl::error::stream_truncated)
      return absl::UnavailableError("the server cut the connection");
    return absl::DataLossError(fmt::format("the answer can't be read: {}", error.message()));
  }

  const Url url_;
  const HttpSessionOptions options_;
  HttpOptions connection_options_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpSession>> HttpSession::Create(const std::string& url,
                                                                 const HttpSessionOptions& options) {
  ASSIGN_OR_RETURN(Url parsed, ParseUrl(url));
  if (parsed.scheme != "http" && parsed.scheme != "https")
    return absl::InvalidArgumentError(fmt::format("{} is not http or https", parsed.Shown()));
  return std::make_unique<BeastSession>(std::move(parsed), options);
}

}  // namespace sightline
