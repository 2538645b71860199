#include "base/status.h"

#include <fmt/format.h>

#include "absl/strings/cord.h"

namespace sightline {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, MessageOf(status)));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

std::string_view MessageOf(const absl::Status& status) {
  if (status.ok()) return "ok";
  if (status.message().empty()) return "unknown error";
  return {status.message().data(), status.message().size()};
}

absl::Status ErrnoStatus(int error_number, std::string_view context) {
  return absl::ErrnoToStatus(error_number, std::string(context));
}

}  // namespace sightline
