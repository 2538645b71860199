// One TCP or TLS connection whose every step ends by a deadline. Only http_client.cc includes this (Asio is
// heavy).
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/net/http_client.h"
#include "base/net/url.h"

namespace sightline {

// The value of an Authorization header for a URL's "user:password", percent-encoded as it stands there.
std::string BasicAuthentication(const std::string& credentials);

class HttpConnection {
 public:
  using ErrorCode = boost::system::error_code;

  HttpConnection() : socket_(context_) {}
  ~HttpConnection() { Close(); }

  // Connects to the first of `addresses` that answers, and shakes hands for https. `connected` gets that
  // address.
  absl::Status Connect(const Url& url, const std::vector<std::string>& addresses, const HttpOptions& options,
                       MonotonicTime deadline, std::string* connected);

  // Runs one asynchronous step, started by `start(stream, handler)`, to its end. At the deadline the socket
  // is closed, which ends the step; the result is then timed_out. So too when options.cancelled says so.
  template <typename Start>
  ErrorCode Await(MonotonicTime deadline, Start&& start) {
    return AwaitHandler(deadline, [&](auto handler) {
      if (tls_) {
        start(*tls_, std::move(handler));
      } else {
        start(socket_, std::move(handler));
      }
    });
  }

 private:
  using Tcp = boost::asio::ip::tcp;
  using Tls = boost::asio::ssl::stream<Tcp::socket&>;

  bool IsCancelled() const { return cancelled_ && cancelled_(); }
  // One turn of the context: false at the deadline, or when nobody wants the result any more.
  bool RunOne(MonotonicTime deadline) {
    constexpr auto kAsk = std::chrono::milliseconds(50);
    while (true) {
      const MonotonicTime until = cancelled_ ? std::min(deadline, MonotonicClock::now() + kAsk) : deadline;
      if (context_.run_one_until(until) > 0) return true;
      if (IsCancelled() || MonotonicClock::now() >= deadline) return false;
    }
  }

  template <typename Start>
  ErrorCode AwaitHandler(MonotonicTime deadline, Start&& start) {
    std::optional<ErrorCode> result;
    start([&result](ErrorCode error, auto&&...) { result = error; });
    context_.restart();
    while (!result) {
      if (RunOne(deadline) || result) continue;
      Close();
      context_.restart();
      context_.run();
      return boost::asio::error::timed_out;
    }
    return *result;
  }

  absl::Status ShakeHands(const Url& url, const HttpOptions& options, MonotonicTime deadline);
  void Close() {
    ErrorCode ignored;
    socket_.close(ignored);
  }

  std::function<bool()> cancelled_;
  boost::asio::io_context context_{1};
  Tcp::socket socket_;
  std::shared_ptr<boost::asio::ssl::context> tls_context_;
  std::optional<Tls> tls_;
};

}  // namespace sightline
