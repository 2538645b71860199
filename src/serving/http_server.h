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
  std::string peer;    // the other side's address, numeric
  bool local = false;  // it is on this machine, and did not come through a proxy
};

// A body that goes on: MJPEG, server-sent events. Ends when the last pointer to it goes. Threads: from
// anywhere, also after the server is gone. Write never blocks; false: the client is gone or too slow (more
// than `stream_bytes_max` waits), and this chunk was dropped.
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
  // Called on a handler's thread when the header is on its way; whoever keeps the stream writes to it. With
  // it there is no body.
  std::function<void(std::shared_ptr<BodyStream>)> stream;
};
Response Problem(int status, std::string_view title, std::string_view detail);  // RFC 9457
Response Problem(const absl::Status& status);

struct ServerOptions {
  std::string listen;            // host:port; port 0: any
  std::string certificate, key;  // PEM files; "" plain
  std::string token;             // bearer token; "" none
  // Without the token: the page and the API's description hold nothing of the node.
  std::vector<std::string> open_paths = {"/healthz",  "/readyz",  "/",
                                         "/page.css", "/page.js", "/openapi.yaml"};
  int threads = 4, connections_max = 256;
  uint64_t body_bytes_max = 1 << 20, header_bytes_max = 16 << 10;
  uint64_t stream_bytes_max = 4 << 20;  // waiting for one slow client
  double requests_per_second = 200;     // of one address
  double idle_s = 30;                   // between two requests of a connection
  double request_s = 10;  // from a request's first byte to the end of its header; body: at least
                          // 16 KiB/s beyond it
  double stall_s = 10;    // a client that takes nothing for so long is dropped
};

// Routes: "/api/v1/cameras/{name}"; a GET serves HEAD too. Handlers run on a small pool of threads and may
// block for moments: what throws or takes long harms nobody else, and methods that change something never
// take the last thread.
//
// Who may ask: with a token, whoever carries it (Authorization: Bearer ...). Without, whoever is on this
// machine, under a host name of this machine (a page elsewhere that has its name lead here is refused). A
// method that changes something is refused where a browser says that a page of another origin sent it.
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
