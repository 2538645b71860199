#include "base/net/http_connection.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/status.h"
#include "base/text.h"

namespace sightline {
namespace {

namespace asio = boost::asio;

std::shared_ptr<asio::ssl::context> NewTlsContext(const std::string& authorities_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
  context->set_verify_mode(asio::ssl::verify_peer);
  if (authorities_file.empty()) {
    context->set_default_verify_paths();
  } else {
    context->load_verify_file(authorities_file);
  }
  return context;
}

// Reading the system's certificates takes a while, so they are read once.
std::shared_ptr<asio::ssl::context> TlsContext(const std::string& authorities_file) {
  if (!authorities_file.empty()) return NewTlsContext(authorities_file);
  static const auto& shared = *new std::shared_ptr<asio::ssl::context>(NewTlsContext(""));
  return shared;
}

bool IsNumeric(const std::string& host) {
  HttpConnection::ErrorCode error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

std::string BasicAuthentication(const std::string& credentials) {
  const std::string plain = PercentDecoded(credentials);
  std::string encoded(plain.size() / 3 * 4 + 5, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<uint8_t*>(encoded.data()),
                      reinterpret_cast<const uint8_t*>(plain.data()), static_cast<int>(plain.size()));
  encoded.resize(static_cast<size_t>(length));
  return fmt::format("Basic {}", encoded);
}

absl::Status HttpConnection::Connect(const Url& url, const std::vector<std::string>& addresses,
                                     const HttpOptions& options, MonotonicTime deadline,
                                     std::string* connected) {
  cancelled_ = options.cancelled;
  absl::Status status = absl::UnavailableError("no address to connect to");
  for (const std::string& address : addresses) {
    Close();
    const Tcp::endpoint endpoint(asio::ip::make_address(address), url.port);
    const MonotonicTime step = std::min(deadline, MonotonicClock::now() + options.connect_timeout);
    const ErrorCode error =
        AwaitHandler(step, [&](auto handler) { socket_.async_connect(endpoint, std::move(handler)); });
    if (!error) {
      *connected = address;
      ErrorCode ignored;
      socket_.set_option(Tcp::no_delay(true), ignored);
      return url.scheme == "https" ? ShakeHands(url, options, deadline) : absl::OkStatus();
    }
    const std::string words = fmt::format("cannot connect to {}: {}", url.Authority(), error.message());
    status =
        error == asio::error::timed_out ? absl::DeadlineExceededError(words) : absl::UnavailableError(words);
    if (MonotonicClock::now() >= deadline || IsCancelled()) break;
  }
  return status;
}

absl::Status HttpConnection::ShakeHands(const Url& url, const HttpOptions& options, MonotonicTime deadline) {
  tls_context_ = TlsContext(options.authorities_file);
  tls_.emplace(socket_, *tls_context_);
  if (!IsNumeric(url.host) && SSL_set_tlsext_host_name(tls_->native_handle(), url.host.c_str()) != 1) {
    return absl::InvalidArgumentError(fmt::format("{} is no host name for TLS", url.host));
  }
  tls_->set_verify_callback(asio::ssl::host_name_verification(url.host));
  const MonotonicTime step = std::min(deadline, MonotonicClock::now() + options.connect_timeout);
  const ErrorCode error = AwaitHandler(
      step, [&](auto handler) { tls_->async_handshake(asio::ssl::stream_base::client, std::move(handler)); });
  if (!error) return absl::OkStatus();
  if (error == asio::error::timed_out) {
    return absl::DeadlineExceededError(
        fmt::format("{} did not finish the TLS handshake in time", url.Authority()));
  }
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (verdict != X509_V_OK) {
    return absl::UnauthenticatedError(fmt::format("the certificate of {} is not trusted: {}", url.Authority(),
                                                  X509_verify_cert_error_string(verdict)));
  }
  return absl::UnavailableError(fmt::format("no TLS connection to {}: {}", url.Authority(), error.message()));
}

}  // namespace sightline
