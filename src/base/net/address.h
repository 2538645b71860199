// Network addresses: looking hosts up, and which of them a download may be led to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline {

// From the outside in. kRefused: link-local addresses (169.254.0.0/16, fe80::/10), "this host" (0.0.0.0/8,
// ::), multicast and reserved ones. kMetadata: where clouds keep the metadata and credentials of a machine.
enum class AddressZone { kPublic, kPrivate, kLoopback, kRefused, kMetadata };

// `address` is numeric (1.2.3.4, fe80::1%eth0). IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) count
// as what they hold. What is no address is kRefused.
AddressZone ZoneOf(std::string_view address);

// Numeric addresses of a host name (or of a numeric address: itself), in the order to try them. Unavailable
// where the name is not known. Blocks as long as the system's resolver does, or until `cancelled` (asked
// every 50 ms) says so: Cancelled.
absl::StatusOr<std::vector<std::string>> LookUpHost(const std::string& host,
                                                    const std::function<bool()>& cancelled = {});

// Which addresses one download (with its redirects and nested documents) may connect to: the host that a
// person named may be anywhere, also on this machine; from there a redirect may lead outwards, never inwards
// (public -> private -> loopback); refused addresses are for nobody, except where the person wrote exactly
// that numeric address (a camera may have a link-local one); metadata is for nobody. Threads: one at a time.
class AddressPolicy {
 public:
  explicit AddressPolicy(std::string named_host) : named_host_(std::move(named_host)) {}

  // The addresses of `host` that may be connected to; PermissionDenied when there are none.
  absl::StatusOr<std::vector<std::string>> LookUp(const std::string& host,
                                                  const std::function<bool()>& cancelled = {}) const;
  absl::Status Check(const std::string& host, const std::string& address) const;
  // From now on nothing that lies further in than `address`.
  void Connected(const std::string& address);

 private:
  std::string named_host_;
  AddressZone innermost_ = AddressZone::kLoopback;
};

}  // namespace sightline
