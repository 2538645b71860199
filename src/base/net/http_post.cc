#include "base/net/http_post.h"

#include <openssl/evp.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <limits>

#include "base/net/address.h"
#include "base/net/http_connection.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

namespace http = boost::beast::http;
using ErrorCode = HttpConnection::ErrorCode;

constexpr uint32_t kHeaderBytesMax = 64 << 10;
constexpr size_t kBufferBytesMax = 128 << 10;

std::string BasicAuthentication(const std::string& credentials) {
  const std::string plain = PercentDecoded(credentials);
  std::string encoded(plain.size() / 3 * 4 + 5, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<uint8_t*>(encoded.data()),
                      reinterpret_cast<const uint8_t*>(plain.data()), static_cast<int>(plain.size()));
  encoded.resize(static_cast<size_t>(length));
  return fmt::format("Basic {}", encoded);
}

std::string ShownUrl(const Url& url) {
  Url shown = url;
  shown.target = shown.target.substr(0, shown.target.find('?'));  // queries may hold keys
  return shown.Shown();
}

class BeastPoster final : public HttpPoster {
 public:
  BeastPoster(Url url, HttpPostOptions options)
      : url_(std::move(url)), shown_(ShownUrl(url_)), options_(std::move(options)) {}

  absl::StatusOr<int> Post(std::string_view body, std::string_view content_type,
                           const HttpFields& fields) override {
    deadline_ = MonotonicClock::now() + options_.timeout;
    try {
      const bool kept = connection_ != nullptr;
      auto code = PostOnce(body, content_type, fields);
      if (kept && !code.ok() && closed_unanswered_) code = PostOnce(body, content_type, fields);
      if (!code.ok()) return Annotate(code.status(), shown_);
      return code;
    } catch (const std::exception& error) {  // Asio, Beast and OpenSSL's set-up throw
      connection_.reset();
      return absl::InternalError(fmt::format("{}: {}", shown_, error.what()));
    }
  }

  const std::string& Shown() const override { return shown_; }

 private:
  absl::StatusOr<int> PostOnce(std::string_view body, std::string_view content_type,
                               const HttpFields& fields) {
    closed_unanswered_ = false;
    if (connection_ == nullptr) RETURN_IF_ERROR(Connect());
    http::request<http::span_body<const char>> request(http::verb::post, url_.target, 11);
    request.set(http::field::host, url_.Authority());
    request.set(http::field::user_agent, "sightline");
    request.set(http::field::accept, "*/*");
    request.set(http::field::content_type,
                boost::beast::string_view(content_type.data(), content_type.size()));
    for (const auto& [name, value] : fields) request.set(name, value);
    if (!url_.credentials.empty())
      request.set(http::field::authorization, BasicAuthentication(url_.credentials));
    request.body() = {body.data(), body.size()};
    request.prepare_payload();
    const ErrorCode error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
      http::async_write(stream, request, std::move(handler));
    });
    if (error) return Failure(error, /*answered=*/false);
    return ReadAnswer();
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

  absl::StatusOr<int> ReadAnswer() {
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(std::numeric_limits<uint64_t>::max());  // counted below instead
    const ErrorCode error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
      http::async_read_header(stream, buffer_, parser, std::move(handler));
    });
    if (error) return Failure(error, parser.got_some());
    // The code is the answer; a body that is too long or cut changes nothing about it.
    if (!ReadPastBody(&parser) || !parser.get().keep_alive()) connection_.reset();
    return static_cast<int>(parser.get().result_int());
  }

  bool ReadPastBody(http::response_parser<http::buffer_body>* parser) {
    char scratch[8192];
    uint64_t bytes = 0;
    while (!parser->is_done()) {
      auto& body = parser->get().body();
      body.data = scratch;
      body.size = sizeof scratch;
      body.more = true;
      const ErrorCode error = connection_->Await(deadline_, [&](auto& stream, auto handler) {
        http::async_read_some(stream, buffer_, *parser, std::move(handler));
      });
      bytes += sizeof scratch - body.size;
      if (bytes > options_.answer_bytes_max || (error && error != http::error::need_buffer)) return false;
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
  const HttpPostOptions options_;
  std::unique_ptr<HttpConnection> connection_;  // null: none is open
  boost::beast::flat_buffer buffer_{kBufferBytesMax};
  MonotonicTime deadline_;
  bool closed_unanswered_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpPoster>> HttpPoster::Create(const std::string& url,
                                                               const HttpPostOptions& options) {
  ASSIGN_OR_RETURN(Url parsed, ParseUrl(url));
  if (parsed.scheme != "http" && parsed.scheme != "https") {
    return absl::InvalidArgumentError(fmt::format("{} is not http or https", ShownUrl(parsed)));
  }
  return std::make_unique<BeastPoster>(std::move(parsed), options);
}

}  // namespace sightline
