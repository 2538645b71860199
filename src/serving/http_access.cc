#include "serving/http_access.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/net/address.h"
#include "base/text.h"

namespace sightline::serving {
namespace {

std::string Digest(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string_view HeaderOf(const Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

TokenCheck::TokenCheck(std::string_view token) : digest_(token.empty() ? "" : Digest(token)) {}

bool TokenCheck::Allows(std::string_view authorization) const {
  if (!required()) return true;
  constexpr std::string_view kScheme = "bearer ";
  const bool bearer = Lower(authorization.substr(0, kScheme.size())) == kScheme;
  const std::string given = Digest(bearer ? Trim(authorization.substr(kScheme.size())) : std::string_view());
  return CRYPTO_memcmp(given.data(), digest_.data(), digest_.size()) == 0 && bearer;
}

std::string HostOf(std::string_view host_header) {
  std::string host = Lower(Trim(host_header));
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string::npos ? "" : host.substr(1, end - 1);
  }
  host = host.substr(0, host.rfind(':'));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool IsLocalHost(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  return ZoneOf(std::string(host)) == AddressZone::kLoopback;
}

bool ChangesSomething(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool IsCrossOrigin(const Request& request) {
  const std::string_view site = HeaderOf(request, "sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = HeaderOf(request, "origin");
  if (origin.empty()) return false;
  const size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return true;  // "null" of files and sandboxes
  return Lower(origin.substr(scheme + 3)) != Lower(HeaderOf(request, "host"));
}

bool CameThroughProxy(const Request& request) {
  for (const char* name : {"forwarded", "x-forwarded-for", "x-real-ip", "via"})
    if (request.headers.count(name) != 0) return true;
  return false;
}

std::string AddressRates::KeyOf(const std::string& address) {
  in6_addr six{};
  if (inet_pton(AF_INET6, address.c_str(), &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six)) return address;
  return std::string(reinterpret_cast<const char*>(six.s6_addr), 8);
}

double AddressRates::Take(const std::string& address, double cost) {
  const MonotonicTime now = clock_.Now();
  if (buckets_.size() >= kAddressesMax && buckets_.count(KeyOf(address)) == 0) ForgetSome(now);
  const double burst = std::max(1.0, 2 * per_second_);
  const auto [found, fresh] = buckets_.try_emplace(KeyOf(address), Bucket{burst, now});
  Bucket& bucket = found->second;
  const double passed = std::chrono::duration<double>(now - bucket.seen).count();
  bucket.tokens = std::min(burst, bucket.tokens + passed * per_second_);
  bucket.seen = now;
  if (bucket.tokens < 1) return (1 - bucket.tokens) / per_second_;
  bucket.tokens -= cost;  // may go below nothing: then it takes longer
  bucket.tokens = std::max(bucket.tokens, -10 * burst);
  return 0;
}

// Those not seen for two seconds have all their tokens again; else the longest unseen eighth goes.
void AddressRates::ForgetSome(MonotonicTime now) {
  std::vector<MonotonicTime> seen;
  for (const auto& [key, bucket] : buckets_) seen.push_back(bucket.seen);
  const auto nth = seen.begin() + static_cast<ptrdiff_t>(seen.size() / 8);
  std::nth_element(seen.begin(), nth, seen.end());
  const MonotonicTime limit = std::max(*nth, now - std::chrono::seconds(30));
  std::erase_if(buckets_, [&](const auto& entry) { return entry.second.seen <= limit; });
}

}  // namespace sightline::serving
