// Requests with a body, and their answers whole: for APIs and webhooks (downloads are http_client.h's).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline {

struct HttpRequest {
  std::string method = "GET";  // GET, POST, PUT, DELETE, HEAD
  std::string target = "/";    // path and query; printable ASCII
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::string type;         // Content-Type
  std::string retry_after;  // as sent
  std::string body;
};

struct HttpSessionOptions {
  std::chrono::milliseconds timeout{10'000};  // of one request, connecting included
  size_t body_bytes_max = 16 << 20;           // of an answer
  std::string authorities_file;               // PEM of the certificate authorities to trust; "": the system's
  std::function<bool()> cancelled;            // asked every 50 ms while something is waited for: true ends it
};

// A connection to one server that is kept from request to request and made anew when it was cut. Certificates
// and host names are verified; redirects are not followed. Addresses as AddressPolicy allows for a host that
// a person named.
//
// Threads: one at a time. Errors: Unavailable (no connection), DeadlineExceeded, DataLoss (a broken answer),
// ResourceExhausted (an answer that is too long), Cancelled, InvalidArgument (a URL or header that cannot
// be). Never with credentials. A status that is no success is no error here.
class HttpSession {
 public:
  // Scheme, host and port of `url` count, and its credentials (as Basic authentication); its path and query
  // do not.
  static absl::StatusOr<std::unique_ptr<HttpSession>> Create(const std::string& url,
                                                             const HttpSessionOptions& options);
  virtual ~HttpSession() = default;
  virtual absl::StatusOr<HttpResponse> Send(const HttpRequest& request) = 0;
};

}  // namespace sightline
