// The node's outside door: HTTP/1.1 (and TLS), with limits on everything. Only this folder knows Beast.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline::serving {

struct Request {
  std::string method, path;                    // path: decoded, without query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> parts;    // what the route's {names} stood for
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A body that goes on: MJPEG, server-sent events. Threads: from anywhere; false: the client is gone or too
// slow (more than `pending_max` waits), and this chunk was dropped.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  virtual bool Write(std::string chunk) = 0;
  virtual size_t pending() const = 0;  // bytes not yet sent
  virtual bool closed() const = 0;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::map<std::string, std::string> headers;
  std::string body;
  std::string file;  // sent instead of `body` where not empty; ranges are served
  // Called once the header is sent; whoever keeps the stream writes to it. With it there is no body.
  std::function<void(std::shared_ptr<BodyStream>)> stream;
};
Response Problem(int status, std::string_view title, std::string_view detail);  // RFC 9457
Response Problem(const absl::Status& status);

struct ServerOptions {
  std::string listen;                                             // host:port; port 0: any
  std::string certificate, key;                                   // PEM files; "" plain
  std::string token;                                              // bearer token; "" none
  std::vector<std::string> open_paths = {"/healthz", "/readyz"};  // without the token
  int threads = 2, connections_max = 256;
  uint64_t body_bytes_max = 1 << 20, header_bytes_max = 16 << 10;
  double requests_per_second = 200;  // of one address
  double idle_s = 30;
};

// Routes: "/api/v1/cameras/{name}". Handlers run on a small pool of threads and may block for moments. What
// throws or takes long harms nobody else.
class Server {
 public:
  using Handler = std::function<Response(const Request&)>;
  // FailedPrecondition: an address other than loopback without token and TLS.
  static absl::StatusOr<std::unique_ptr<Server>> Create(const ServerOptions& options);
  virtual ~Server() = default;                                                    // closes all connections
  virtual void Route(std::string method, std::string path, Handler handler) = 0;  // before Start
  virtual absl::Status Start() = 0;
  virtual int port() const = 0;
  virtual std::string Metrics() const = 0;  // requests by route and status, connections, refused
};

}  // namespace sightline::serving
