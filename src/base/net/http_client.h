// HTTP(S) downloads, with limits on everything: time, size, redirects, and where they may lead.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/file.h"
#include "base/net/address.h"

namespace sightline {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{10'000};  // of each address tried, and of the TLS handshake
  std::chrono::milliseconds idle_timeout{20'000};     // without a byte
  std::chrono::milliseconds total_timeout{0};  // of one response from the first look-up on; 0: no limit
  uint64_t bytes_max = 2ull << 30;             // of one body
  int redirects_max = 5;
  std::string authorities_file;  // PEM of the certificate authorities to trust; "" means the system's
  // With an offset: what validator() was when the bytes before it came. Where the server has another file by
  // now, or cannot start in the middle, the body begins at 0 instead of failing.
  std::string if_range;
  // Asked at each read, and every 50 ms while something is waited for: true ends it (Cancelled).
  std::function<bool()> cancelled;
};

// One response whose body is read as it arrives. Certificates and host names are verified; redirects are
// followed to the same scheme or from http to https; credentials in the URL become Basic authentication and
// never go to another host.
//
// Threads: one at a time. Errors: NotFound (404, 410), PermissionDenied (401, 403, an address that the policy
// refuses), Unauthenticated (a certificate that is not trusted), Unavailable (no connection, 429, 5xx),
// DeadlineExceeded, ResourceExhausted (a limit), DataLoss (a body that was cut, or no HTTP). Messages hold no
// credentials.
class HttpStream {
 public:
  // `policy` is borrowed for the call and remembers where it led. `offset`: the first byte wanted.
  static absl::StatusOr<std::unique_ptr<HttpStream>> Open(const std::string& url, uint64_t offset,
                                                          const HttpOptions& options, AddressPolicy* policy);
  virtual ~HttpStream() = default;

  // As many bytes as have arrived, at least one; 0 at the end of the body.
  virtual absl::StatusOr<size_t> Read(absl::Span<uint8_t> into) = 0;
  virtual std::optional<uint64_t> size() const = 0;  // of the whole body, from byte 0
  virtual uint64_t offset() const = 0;               // where the body begins: as asked, or 0 by `if_range`
  virtual bool can_seek() const = 0;                 // the server takes an offset
  virtual const std::string& validator() const = 0;  // strong ETag or Last-Modified; "" where neither came
  virtual const std::string& url() const = 0;  // after redirects; with credentials where they still apply
};

// The whole body of `url`; `body` is reused. A total limit of 10 minutes applies where `options` names none.
absl::Status HttpGet(const std::string& url, const HttpOptions& options, Bytes* body);

}  // namespace sightline
