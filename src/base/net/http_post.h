// HTTP(S) POST over one connection that is kept open between requests, with limits on everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline {

struct HttpPostOptions {
  std::chrono::milliseconds connect_timeout{5'000};  // of each address tried, and of the TLS handshake
  std::chrono::milliseconds timeout{5'000};          // of one Post, from the look-up to the end of the answer
  uint64_t answer_bytes_max = 64 << 10;              // an answer that is longer ends the connection
  std::string authorities_file;  // PEM of the certificate authorities to trust; "" means the system's
  bool allow_private = true;     // addresses of local networks and of this machine
  std::function<bool()>
      cancelled;  // asked every 50 ms while something is waited for: true ends it (Cancelled)
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;  // header fields: name, value

// Certificates and host names are verified; credentials in the URL become Basic authentication; redirects are
// not followed (their code is the answer). A kept connection that the server has closed meanwhile is replaced
// and the request sent again, so a server may see one twice.
//
// Threads: one at a time. Errors: InvalidArgument (no such URL), PermissionDenied (an address that is not
// opened), Unauthenticated (a certificate that is not trusted), Unavailable, DeadlineExceeded, DataLoss (no
// HTTP), Cancelled. Messages hold no credentials.
class HttpPoster {
 public:
  static absl::StatusOr<std::unique_ptr<HttpPoster>> Create(const std::string& url,
                                                            const HttpPostOptions& options);
  virtual ~HttpPoster() = default;

  // The status code of the answer; its body is read past. `content_type` and `fields` go into the header.
  virtual absl::StatusOr<int> Post(std::string_view body, std::string_view content_type,
                                   const HttpFields& fields) = 0;
  virtual const std::string& Shown() const = 0;  // the URL without credentials and query
};

}  // namespace sightline
