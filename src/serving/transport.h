// The bytes of one connection, plain or through TLS.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

#include "absl/status/statusor.h"

namespace sightline::serving {

using ErrorCode = boost::system::error_code;

// One read and one write at a time. Threads: the server's. What is under way when it aborts ends with an
// error.
class Transport {
 public:
  using Done = std::function<void(ErrorCode, size_t)>;
  virtual ~Transport() = default;
  virtual void Handshake(std::function<void(ErrorCode)> done) = 0;
  virtual void ReadSome(boost::asio::mutable_buffer into, Done done) = 0;
  virtual void WriteSome(boost::asio::const_buffer bytes, Done done) = 0;
  virtual void EndSending(std::function<void()> done) = 0;  // the other side reads an end
  virtual void Abort() = 0;
};

std::unique_ptr<Transport> NewPlainTransport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Transport> NewTlsTransport(boost::asio::ip::tcp::socket socket,
                                           boost::asio::ssl::context* context);

// TLS 1.2 and later. InvalidArgument names the file that is wrong.
absl::StatusOr<std::unique_ptr<boost::asio::ssl::context>> NewServerTls(const std::string& certificate,
                                                                        const std::string& key);

}  // namespace sightline::serving
