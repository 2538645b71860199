// The pure parts of HTTP/1.1 that Beast leaves to its user: targets, ranges, heads of responses.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "serving/http_server.h"

namespace sightline::serving {

struct Target {
  std::string path;                   // decoded
  std::vector<std::string> segments;  // decoded one by one: an escaped slash stays within its segment
  std::map<std::string, std::string> query;
};
// "/a/b%20c?x=1&y". InvalidArgument for what is no path, broken escapes, control characters and text that is
// no UTF-8.
absl::StatusOr<Target> ParseTarget(std::string_view target);

// A pattern's segments are compared one by one; "{name}" takes any that is not empty.
std::vector<std::string> PatternSegments(std::string_view pattern);
bool MatchSegments(const std::vector<std::string>& pattern, const std::vector<std::string>& segments,
                   std::map<std::string, std::string>* parts);

struct ByteRange {
  uint64_t first = 0, count = 0;
};
// The one range of a Range header. Nullopt: none, more than one, or not understood: the whole is sent. A
// count of 0: it cannot be satisfied (416).
std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size);

std::string_view ReasonOf(int status);
std::string HttpDate(int64_t unix_s);
// Status line and headers, with the empty line. Line breaks within values become blanks.
std::string HeadOf(int status, const std::map<std::string, std::string>& headers);

// The media type by a file name's end.
std::string_view TypeOfFile(std::string_view name);

}  // namespace sightline::serving
