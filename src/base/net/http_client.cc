#include "base/net/http_client.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <limits>

#include "base/net/http_connection.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

namespace http = boost::beast::http;
using ErrorCode = HttpConnection::ErrorCode;

constexpr uint32_t kHeaderBytesMax = 64 << 10;
constexpr size_t kBufferBytesMax = 128 << 10;
constexpr size_t kReserveBytesMax = 64 << 20;  // a length that a server claims is believed only so far

absl::Status StatusOfCode(unsigned code, std::string_view reason) {
  const std::string words = fmt::format("the server answered {} {}", code, ToValidUtf8(reason.substr(0, 80)));
  if (code == 404 || code == 410) return absl::NotFoundError(words);
  if (code == 401 || code == 403) return absl::PermissionDeniedError(words);
  if (code == 416) return absl::OutOfRangeError(words);
  if (code == 429 || code >= 500) return absl::UnavailableError(words);
  return absl::FailedPreconditionError(words);
}

// "bytes 100-199/1234": the first byte and, unless it is *, the whole size.
struct ContentRange {
  uint64_t first = 0;
  std::optional<uint64_t> size;
};
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = ParseInteger(text.substr(0, dash));
  const auto size = ParseInteger(text.substr(slash + 1));
  if (!first || *first < 0) return std::nullopt;
  ContentRange range{static_cast<uint64_t>(*first), std::nullopt};
  if (size && *size > *first) range.size = static_cast<uint64_t>(*size);
  return range;
}

class BeastStream final : public HttpStream {
 public:
  BeastStream(Url url, const HttpOptions& options, MonotonicTime deadline)
      : url_(std::move(url)), text_(url_.Text()), options_(options), deadline_(deadline) {
    parser_.header_limit(kHeaderBytesMax);
    parser_.body_limit(std::numeric_limits<uint64_t>::max());  // counted in Read instead
  }

  // Sends the request and reads the header. A redirect comes back as its target, unread.
  absl::StatusOr<std::optional<std::string>> Request(uint64_t offset, AddressPolicy* policy) {
    auto addresses = policy->LookUp(url_.host, options_.cancelled);
    if (!addresses.ok()) return addresses.status();
    std::string connected;
    RETURN_IF_ERROR(connection_.Connect(url_, *addresses, options_, deadline_, &connected));
    policy->Connected(connected);
    http::request<http::empty_body> request(http::verb::get, url_.target, 11);
    request.set(http::field::host, url_.Authority());
    request.set(http::field::user_agent, "sightline");
    request.set(http::field::accept, "*/*");
    request.set(http::field::accept_encoding, "identity");
    request.set(http::field::connection, "close");
    if (offset > 0) request.set(http::field::range, fmt::format("bytes={}-", offset));
    if (offset > 0 && !options_.if_range.empty()) request.set(http::field::if_range, options_.if_range);
    if (!url_.credentials.empty())
      request.set(http::field::authorization, BasicAuthentication(url_.credentials));
    ErrorCode error = connection_.Await(StepDeadline(), [&](auto& stream, auto handler) {
      http::async_write(stream, request, std::move(handler));
    });
    if (!error) {
      error = connection_.Await(StepDeadline(), [&](auto& stream, auto handler) {
        http::async_read_header(stream, buffer_, parser_, std::move(handler));
      });
    }
    if (error) return Failure(error);
    return CheckHeader(offset);
  }

  absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) override {
    try {
      return ReadSome(into);
    } catch (const std::exception& error) {
      return absl::InternalError(error.what());
    }
  }

  std::optional<uint64_t> size() const override { return size_; }
  uint64_t offset() const override { return offset_; }
  bool can_seek() const override { return can_seek_; }
  const std::string& validator() const override { return validator_; }
  const std::string& url() const override { return text_; }
  const Url& parsed_url() const { return url_; }

 private:
  absl::StatusOr<size_t> ReadSome(absl::Span<uint8_t> into) {
    if (into.empty()) return size_t{0};
    while (!parser_.is_done()) {
      if (IsCancelled()) return absl::CancelledError("the download was given up");
      auto& body = parser_.get().body();
      body.data = into.data();
      body.size = into.size();
      body.more = true;
      ErrorCode error = connection_.Await(StepDeadline(), [&](auto& stream, auto handler) {
        http::async_read_some(stream, buffer_, parser_, std::move(handler));
      });
      const size_t count = into.size() - body.size;
      read_ += count;
      if (read_ > options_.bytes_max) return TooLarge();
      // Bytes first; a failure that came with them shows again at the next call.
      if (count > 0) return count;
      if (error && error != http::error::need_buffer) return Failure(error);
    }
    return size_t{0};
  }

  absl::StatusOr<std::optional<std::string>> CheckHeader(uint64_t offset) {
    const auto& header = parser_.get();
    const auto field = [&](http::field name) {
      const auto value = header[name];
      return std::string_view(value.data(), value.size());
    };
    const unsigned code = header.result_int();
    if (code == 301 || code == 302 || code == 303 || code == 307 || code == 308) {
      if (field(http::field::location).empty()) return absl::DataLossError("a redirect that names no target");
      return std::optional<std::string>(field(http::field::location));
    }
    if (code != 200 && code != 206) {
      const auto reason = header.reason();
      return StatusOfCode(code, {reason.data(), reason.size()});
    }
    const std::string encoding = Lower(Trim(field(http::field::content_encoding)));
    if (!encoding.empty() && encoding != "identity") {
      return absl::UnimplementedError(
          fmt::format("the server sends compressed content ({}), unasked", encoding));
    }
    const auto range = ParseContentRange(field(http::field::content_range));
    const auto length = parser_.content_length();
    if (code == 206 && (!range || range->first != offset)) {
      return absl::DataLossError("the server sent another range than asked for");
    }
    if (code == 200 && offset > 0 && options_.if_range.empty())
      return absl::UnimplementedError("the server can't start in the middle of a file");
    offset_ = code == 206 ? offset : 0;
    const std::string_view etag = field(http::field::etag);
    validator_ = etag.starts_with('"') ? etag : field(http::field::last_modified);
    if (code == 206) {
      size_ = range->size;
    } else if (length) {
      size_ = *length;
    }
    can_seek_ = code == 206 || Lower(field(http::field::accept_ranges)) == "bytes";
    if (length && *length > options_.bytes_max) return TooLarge();
    return std::optional<std::string>();
  }

  bool IsCancelled() const { return options_.cancelled && options_.cancelled(); }
  MonotonicTime StepDeadline() const {
    return std::min(deadline_, MonotonicClock::now() + options_.idle_timeout);
  }

  absl::Status TooLarge() const {
    return absl::ResourceExhaustedError(
        fmt::format("the server sends more than the limit of {} bytes", options_.bytes_max));
  }

  absl::Status Failure(ErrorCode error) const {
    if (IsCancelled()) return absl::CancelledError("the download was given up");
    if (error == boost::asio::error::timed_out) {
      return absl::DeadlineExceededError(
          MonotonicClock::now() >= deadline_
              ? "the download takes longer than its limit"
              : fmt::format("the server sent nothing for {} s",
                            static_cast<double>(options_.idle_timeout.count()) / 1000));
    }
    if (error == http::error::partial_message || error == http::error::end_of_stream ||
        error == boost::asio::error::eof || error == boost::asio::error::connection_reset ||
        error == boost::asio::ssl::error::stream_truncated) {
      return absl::DataLossError(
          size_ ? fmt::format("the connection was cut after {} of {} bytes", read_, *size_)
                : fmt::format("the connection was cut after {} bytes", read_));
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return absl::ResourceExhaustedError(
          fmt::format("the server's header is longer than {} bytes", kHeaderBytesMax));
    }
    return absl::DataLossError(fmt::format("the server's answer can't be read: {}", error.message()));
  }

  Url url_;
  std::string text_;
  HttpOptions options_;
  MonotonicTime deadline_;
  HttpConnection connection_;
  boost::beast::flat_buffer buffer_{kBufferBytesMax};
  http::response_parser<http::buffer_body> parser_;
  std::optional<uint64_t> size_;
  uint64_t offset_ = 0;
  std::string validator_;
  bool can_seek_ = false;
  uint64_t read_ = 0;
};

// Where a redirect leads; refuses to go from https back to http. Credentials stay only on the same host and
// port.
absl::StatusOr<Url> FollowRedirect(const Url& from, const std::string& location) {
  auto to = ResolveReference(from, location);
  if (!to.ok()) return absl::PermissionDeniedError(fmt::format("a redirect: {}", MessageOf(to.status())));
  if (to->scheme != from.scheme && !(from.scheme == "http" && to->scheme == "https")) {
    return absl::PermissionDeniedError(
        fmt::format("a redirect leads from {} to {}", from.scheme, to->Shown()));
  }
  const bool same_place = to->host == from.host && to->port == from.port && to->scheme == from.scheme;
  to->credentials = same_place ? from.credentials : "";
  return to;
}

absl::StatusOr<std::unique_ptr<HttpStream>> OpenFollowing(Url url, uint64_t offset,
                                                          const HttpOptions& options, AddressPolicy* policy) {
  const bool limited = options.total_timeout.count() > 0;
  const MonotonicTime deadline =
      limited ? MonotonicClock::now() + options.total_timeout : MonotonicTime::max();
  for (int redirects = 0; redirects <= options.redirects_max; ++redirects) {
    auto stream = std::make_unique<BeastStream>(url, options, deadline);
    auto location = stream->Request(offset, policy);
    if (!location.ok()) return Annotate(location.status(), url.Shown());
    if (!location->has_value()) return stream;
    auto next = FollowRedirect(url, **location);
    if (!next.ok()) return Annotate(next.status(), url.Shown());
    url = *std::move(next);
  }
  return absl::FailedPreconditionError(
      fmt::format("{}: more than {} redirects", url.Shown(), options.redirects_max));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpStream>> HttpStream::Open(const std::string& url, uint64_t offset,
                                                             const HttpOptions& options,
                                                             AddressPolicy* policy) {
  auto parsed = ParseUrl(url);
  if (!parsed.ok()) return parsed.status();
  if (parsed->scheme != "http" && parsed->scheme != "https") {
    return absl::InvalidArgumentError(fmt::format("{} is not http or https", parsed->Shown()));
  }
  try {
    return OpenFollowing(*std::move(parsed), offset, options, policy);
  } catch (const std::exception& error) {  // Asio, Beast and OpenSSL's set-up throw
    return absl::InternalError(fmt::format("{}: {}", WithoutAnyCredentials(url), error.what()));
  }
}

absl::Status HttpGet(const std::string& url, const HttpOptions& options, Bytes* body) {
  HttpOptions limited = options;
  if (limited.total_timeout.count() == 0) limited.total_timeout = std::chrono::minutes(10);
  auto parsed = ParseUrl(url);
  if (!parsed.ok()) return parsed.status();
  AddressPolicy policy(parsed->host);
  ASSIGN_OR_RETURN(auto stream, HttpStream::Open(url, 0, limited, &policy));
  body->clear();
  body->reserve(static_cast<size_t>(std::min<uint64_t>(stream->size().value_or(0), kReserveBytesMax)));
  constexpr size_t kStep = 64 << 10;
  for (size_t done = 0;;) {
    if (body->size() < done + kStep) body->resize(done + kStep);
    auto count = stream->Read(absl::MakeSpan(*body).subspan(done));
    if (!count.ok()) return Annotate(count.status(), parsed->Shown());
    done += *count;
    if (*count > 0) continue;
    body->resize(done);
    return absl::OkStatus();
  }
}

}  // namespace sightline
