#include "base/status.h"
#include "base/text.h"
#include "simulate/clip/street_clip.h"

namespace sightline::simulate {
namespace {

const std::vector<std::string> kKeys = {"seed", "seconds", "fps", "size", "weather", "scenario", "fault"};

absl::Status SetNumber(std::string_view key, std::string_view text, double* value) {
  const std::optional<double> number = ParseNumber(text);
  if (!number)
    return absl::InvalidArgumentError(fmt::format("{}: '{}' is no number", key, ToValidUtf8(text)));
  *value = *number;
  return absl::OkStatus();
}

absl::Status Set(std::string_view key, std::string_view value, StreetAddress* address) {
  StreetOptions& options = address->options;
  if (key == "seed") {
    const std::optional<int64_t> seed = ParseInteger(value);
    if (!seed || *seed < 0)
      return absl::InvalidArgumentError(
          fmt::format("seed: '{}' is no whole number from 0 on", ToValidUtf8(value)));
    options.seed = static_cast<uint64_t>(*seed);
    return absl::OkStatus();
  }
  if (key == "seconds") return SetNumber(key, value, &options.seconds);
  if (key == "fps") return SetNumber(key, value, &options.frames_per_second);
  if (key == "size") {
    ASSIGN_OR_RETURN(options.size, ParseSize(value));
    return absl::OkStatus();
  }
  if (key == "weather") {
    options.weather = value;
    return absl::OkStatus();
  }
  if (key == "scenario") {
    options.scenario = value;
    return absl::OkStatus();
  }
  if (key == "fault") {
    ASSIGN_OR_RETURN(Fault fault, ParseFault(value));
    address->faults.push_back(fault);
    return absl::OkStatus();
  }
  const std::string near = NearestName(std::string(key), kKeys);
  return absl::InvalidArgumentError(fmt::format(
      "unknown '{}'{}", ToValidUtf8(key),
      near.empty() ? "; there are " + Join(kKeys, ", ") : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace

absl::StatusOr<Size> ParseSize(std::string_view text) {
  const size_t by = text.find('x');
  const auto width = ParseInteger(text.substr(0, by));
  const auto height = by == std::string_view::npos ? std::nullopt : ParseInteger(text.substr(by + 1));
  if (!width || !height || *width < kSideMin || *height < kSideMin || *width > kSideMax ||
      *height > kSideMax) {
    return absl::InvalidArgumentError(fmt::format("size: '{}' is no WIDTHxHEIGHT of {} to {} pixels",
                                                  ToValidUtf8(text), kSideMin, kSideMax));
  }
  return Size{static_cast<int>(*width), static_cast<int>(*height)};
}

absl::StatusOr<StreetAddress> ParseStreetAddress(std::string_view address) {
  constexpr std::string_view kPrefix = "sim:street";
  StreetAddress result;
  const std::string_view rest = address.starts_with(kPrefix) ? address.substr(kPrefix.size()) : "!";
  if (!rest.empty() && rest.front() != '?') {
    return absl::InvalidArgumentError(
        fmt::format("'{}': simulated cameras are written sim:street?seed=N&...", ToValidUtf8(address)));
  }
  if (rest.size() <= 1) return result;
  for (const std::string_view part : Split(rest.substr(1), '&')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals + 1 == part.size())
      return absl::InvalidArgumentError(fmt::format("sim:street: '{}' is no key=value", ToValidUtf8(part)));
    if (absl::Status status = Set(part.substr(0, equals), part.substr(equals + 1), &result); !status.ok())
      return Annotate(status, "sim:street");
  }
  return result;
}

}  // namespace sightline::simulate
