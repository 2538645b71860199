// What MQTT and NATS sinks share: the address of a broker, and topics with names filled in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {

struct BrokerAddress {
  bool tls = false;
  std::string user, password;  // decoded; "" none
  std::string host;            // an IPv6 address without its brackets
  uint16_t port = 0;
  std::string shown;  // scheme://host:port
};

struct BrokerScheme {
  std::string_view plain, secure;  // mqtt, mqtts
  uint16_t plain_port, secure_port;
};

// scheme://[user[:password]@]host[:port]; InvalidArgument for anything else, without credentials in it.
absl::StatusOr<BrokerAddress> ParseBrokerAddress(std::string_view url, const BrokerScheme& scheme);

// {camera} and {kind} replaced. Characters of `separators` in a name become '_', so that no name makes a
// level.
std::string FillIn(std::string_view pattern, std::string_view camera, std::string_view kind,
                   std::string_view separators);

}  // namespace sightline::sinks
