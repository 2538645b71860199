#include "serving/transport.h"

#include <boost/asio/ssl/stream.hpp>

#include "base/text.h"

namespace sightline::serving {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

void AbortSocket(tcp::socket* socket) {
  ErrorCode ignored;
  socket->close(ignored);
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}
  void Handshake(std::function<void(ErrorCode)> done) override { done({}); }
  void ReadSome(asio::mutable_buffer into, Done done) override {
    socket_.async_read_some(into, std::move(done));
  }
  void WriteSome(asio::const_buffer bytes, Done done) override {
    socket_.async_write_some(bytes, std::move(done));
  }
  void EndSending(std::function<void()> done) override {
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    done();
  }
  void Abort() override { AbortSocket(&socket_); }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, asio::ssl::context* context) : stream_(std::move(socket), *context) {}
  void Handshake(std::function<void(ErrorCode)> done) override {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(done));
  }
  void ReadSome(asio::mutable_buffer into, Done done) override {
    stream_.async_read_some(into, std::move(done));
  }
  void WriteSome(asio::const_buffer bytes, Done done) override {
    stream_.async_write_some(bytes, std::move(done));
  }
  // Our close_notify is written as part of a whole shutdown, which waits for the other's. Whoever waits for
  // that sets a deadline, and a read that is under way ends with it.
  void EndSending(std::function<void()> done) override {
    stream_.async_shutdown([done = std::move(done)](ErrorCode) { done(); });
  }
  void Abort() override { AbortSocket(&stream_.next_layer()); }

 private:
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> NewPlainTransport(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> NewTlsTransport(tcp::socket socket, asio::ssl::context* context) {
  return std::make_unique<TlsTransport>(std::move(socket), context);
}

absl::StatusOr<std::unique_ptr<asio::ssl::context>> NewServerTls(const std::string& certificate,
                                                                 const std::string& key) {
  try {
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_options(asio::ssl::context::default_workarounds | SSL_OP_NO_COMPRESSION |
                         SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Forward secrecy and authenticated encryption only.
    SSL_CTX_set_cipher_list(context->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    // A key that asks for a passphrase must not ask on a terminal.
    context->set_password_callback(
        [](size_t, asio::ssl::context::password_purpose) { return std::string(); });
    ErrorCode error;
    context->use_certificate_chain_file(certificate, error);
    if (error) {
      return absl::InvalidArgumentError(fmt::format(
          "http.certificate: {}: no PEM certificate chain can be read ({})", certificate, error.message()));
    }
    context->use_private_key_file(key, asio::ssl::context::pem, error);
    if (error) {
      return absl::InvalidArgumentError(
          fmt::format("http.key: {}: no PEM private key of {} can be read (it must have no passphrase): {}",
                      key, certificate, error.message()));
    }
    return context;
  } catch (const std::exception& exception) {
    return absl::InternalError(fmt::format("TLS: {}", exception.what()));
  }
}

}  // namespace sightline::serving
