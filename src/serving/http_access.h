// Who may ask: the token, the Host and Origin headers, and how often an address may ask. Pure, but for the
// time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "serving/http_server.h"

namespace sightline::serving {

// Takes as long whatever is wrong, so that a token cannot be found byte by byte.
class TokenCheck {
 public:
  explicit TokenCheck(std::string_view token);  // "" lets all pass
  bool required() const { return !digest_.empty(); }
  bool Allows(std::string_view authorization) const;

 private:
  std::string digest_;
};

// What a Host header names, in lower case, without port and brackets.
std::string HostOf(std::string_view host_header);
// This machine: localhost, names below it, and loopback addresses.
bool IsLocalHost(std::string_view host);
bool ChangesSomething(std::string_view method);
// Whether a browser sent it for a page of another origin. Programs that are no browsers send no Origin.
bool IsCrossOrigin(const Request& request);
// Headers that proxies add: who asks then is not known.
bool CameThroughProxy(const Request& request);

// So many requests a second of one address (of one /64 for IPv6), and a burst of two seconds' worth. Threads:
// one at a time. At most kAddressesMax are remembered: those not seen for longest are forgotten.
class AddressRates {
 public:
  AddressRates(double per_second, const Clock& clock) : per_second_(per_second), clock_(clock) {}
  // Seconds to wait; 0: go on. `cost` of more than one for what smells of guessing.
  double Take(const std::string& address, double cost = 1);
  static std::string KeyOf(const std::string& address);
  size_t size() const { return buckets_.size(); }
  static constexpr size_t kAddressesMax = 4096;

 private:
  struct Bucket {
    double tokens = 0;
    MonotonicTime seen;
  };
  void ForgetSome(MonotonicTime now);
  const double per_second_;
  const Clock& clock_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace sightline::serving
