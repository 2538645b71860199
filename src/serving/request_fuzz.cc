// What of a request is read by us: target, route, range, host and origin.
#include <algorithm>

#include "serving/http_access.h"
#include "serving/http_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline::serving;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = ParseTarget(text); target.ok()) {
    std::map<std::string, std::string> parts;
    MatchSegments(PatternSegments("/api/v1/cameras/{name}/topics/{topic}"), target->segments, &parts);
  }
  if (const auto range = ParseRange(text, 1000); range && range->first + range->count > 1000)
    __builtin_trap();
  Request request;
  request.headers["origin"] = request.headers["host"] = text;
  (void)IsCrossOrigin(request);
  (void)IsLocalHost(HostOf(text));
  // A value adds no line: status, the header, and the empty line.
  const std::string head = HeadOf(200, {{"X", std::string(text)}});
  if (std::count(head.begin(), head.end(), '\n') != 3) __builtin_trap();
  return 0;
}
