#include "stages/sinks/events/broker_address.h"

#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::sinks {

absl::StatusOr<BrokerAddress> ParseBrokerAddress(std::string_view url, const BrokerScheme& scheme) {
  const size_t colon = url.find("://");
  const std::string name = colon == std::string_view::npos ? "" : Lower(url.substr(0, colon));
  if (name != scheme.plain && name != scheme.secure) {
    return absl::InvalidArgumentError(fmt::format("'{}' is no address like {}://host or {}://host",
                                                  WithoutAnyCredentials(url.substr(0, 200)), scheme.plain,
                                                  scheme.secure));
  }
  // The rest is as of http; where the ports of http and https come out, none was written.
  const std::string_view rest = url.substr(colon);
  ASSIGN_OR_RETURN(const Url as_http, ParseUrl(fmt::format("http{}", rest)));
  ASSIGN_OR_RETURN(const Url as_https, ParseUrl(fmt::format("https{}", rest)));
  if (as_http.target != "/") {
    return absl::InvalidArgumentError(
        fmt::format("'{}' has a path; a broker's address has none", WithoutAnyCredentials(url)));
  }
  BrokerAddress address;
  address.tls = name == scheme.secure;
  address.host = as_http.host;
  const bool written = as_http.port == as_https.port;
  address.port = written ? as_http.port : address.tls ? scheme.secure_port : scheme.plain_port;
  const size_t split = as_http.credentials.find(':');
  address.user = PercentDecoded(as_http.credentials.substr(0, split));
  if (split != std::string::npos) address.password = PercentDecoded(as_http.credentials.substr(split + 1));
  const bool six = address.host.find(':') != std::string::npos;
  address.shown =
      fmt::format("{}://{}{}{}:{}", name, six ? "[" : "", address.host, six ? "]" : "", address.port);
  return address;
}

std::string FillIn(std::string_view pattern, std::string_view camera, std::string_view kind,
                   std::string_view separators) {
  std::string filled;
  const auto add = [&](std::string_view name) {
    for (const char c : name) {
      const bool plain = static_cast<uint8_t>(c) > 0x20 && separators.find(c) == std::string_view::npos;
      filled += plain ? c : '_';
    }
  };
  while (!pattern.empty()) {
    if (pattern.starts_with("{camera}")) {
      add(camera);
      pattern.remove_prefix(8);
    } else if (pattern.starts_with("{kind}")) {
      add(kind);
      pattern.remove_prefix(6);
    } else {
      filled += pattern.front();
      pattern.remove_prefix(1);
    }
  }
  return filled;
}

}  // namespace sightline::sinks
