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
  std::string target;          // path and query, printable ASCII; "": those of the session's URL
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::string type;         // Content-Type
  std::string retry_after;  // as sent
  std::string body;
  bool whole = true;  // false: the body was cut, or is longer than the limit
};

struct HttpSessionOptions {
  std::chrono::milliseconds connect_timeout{5'000};  // of each address tried, and of the TLS handshake
  std::chrono::milliseconds timeout{10'000};  // of one request, from the look-up to the end of the answer
  size_t body_bytes_max = 16 << 20;           // of an answer that is kept
  bool allow_private = true;                  // addresses of local networks and of this machine
  std::string authorities_file;               // PEM of the certificate authorities to trust; "": the system's
  std::function<bool()> cancelled;            // asked every 50 ms while something is waited for: true ends it
};

// A connection to one server that is kept from request to request. One that the server has closed meanwhile
// is replaced and the request sent again, so a server may see one twice. Certificates and host names are
// verified; redirects are not followed (their code is the answer).
//
// Threads: one at a time. Errors: InvalidArgument (a URL, method or header that cannot be), PermissionDenied
// (an address that is not opened), Unauthenticated (a certificate that is not trusted), Unavailable (no
// connection, or it broke before an answer came), DeadlineExceeded, DataLoss (no HTTP), Cancelled. Never with
// credentials. A status that is no success is no error here.
class HttpSession {
 public:
  // Scheme, host and port of `url` count, and its credentials (as Basic authentication); its path and query
  // do not.
  static absl::StatusOr<std::unique_ptr<HttpSession>> Create(const std::string& url,
                                                             const HttpSessionOptions& options);
  virtual ~HttpSession() = default;
  virtual absl::StatusOr<HttpResponse> Send(const HttpRequest& request) = 0;
  virtual const std::string& Shown() const = 0;  // the URL without credentials and query
};

}  // namespace sightline
