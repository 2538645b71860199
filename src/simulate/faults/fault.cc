#include "simulate/faults/fault.h"

#include <algorithm>
#include <charconv>

#include "base/status.h"
#include "base/text.h"

namespace sightline::simulate {
namespace {

constexpr double kTimeMax = 1e9;  // seconds: 31 years

struct NamedRegion {
  std::string_view name;
  Box box;
};
constexpr NamedRegion kRegions[] = {
    {"whole", {0, 0, 1, 1}},
    {"left", {0, 0, 0.5f, 1}},
    {"right", {0.5f, 0, 1, 1}},
    {"upper", {0, 0, 1, 0.5f}},
    {"lower", {0, 0.5f, 1, 1}},
    {"upper-left", {0, 0, 0.5f, 0.5f}},
    {"upper-right", {0.5f, 0, 1, 0.5f}},
    {"lower-left", {0, 0.5f, 0.5f, 1}},
    {"lower-right", {0.5f, 0.5f, 1, 1}},
    {"center", {0.25f, 0.25f, 0.75f, 0.75f}},
};

std::string Known(const std::vector<std::string>& names) { return Join(names, ", "); }

absl::Status Unknown(std::string_view what, std::string_view name, const std::vector<std::string>& names) {
  const std::string near = NearestName(name, names);
  const std::string hint = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
  return absl::InvalidArgumentError(
      fmt::format("no {} '{}'{} (known: {})", what, ToValidUtf8(name), hint, Known(names)));
}

absl::StatusOr<double> ParseTime(std::string_view key, std::string_view text) {
  double unit = 1;
  std::string_view digits = text;
  if (text.ends_with("ms")) {
    unit = 1e-3;
    digits.remove_suffix(2);
  } else if (text.ends_with("s")) {
    digits.remove_suffix(1);
  } else if (text.ends_with("m")) {
    unit = 60;
    digits.remove_suffix(1);
  }
  const std::optional<double> number = ParseNumber(digits);
  if (!number || !(*number >= 0) || !(*number * unit <= kTimeMax)) {
    return absl::InvalidArgumentError(
        fmt::format("{}={}: not a time (20s, 1500ms, 2m, at most 1000000000s)", key, ToValidUtf8(text)));
  }
  return unit == 1e-3 ? *number / 1000 : *number * unit;
}

absl::StatusOr<Box> ParseRegion(std::string_view text) {
  std::vector<std::string> names;
  for (const NamedRegion& region : kRegions) {
    if (region.name == text) return region.box;
    names.emplace_back(region.name);
  }
  const std::vector<std::string> parts = Split(text, '/');
  if (parts.size() == 1) return Unknown("region", text, names);
  std::array<float, 4> corners{};
  bool good = parts.size() == 4;
  for (size_t i = 0; good && i < 4; ++i) {
    const std::optional<double> number = ParseNumber(parts[i]);
    good = number && *number >= 0 && *number <= 1;
    if (good) corners[i] = static_cast<float>(*number);
  }
  if (!good || corners[0] >= corners[2] || corners[1] >= corners[3]) {
    return absl::InvalidArgumentError(fmt::format(
        "region={}: not a box x1/y1/x2/y2 with 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1", ToValidUtf8(text)));
  }
  return Box{corners[0], corners[1], corners[2], corners[3]};
}

absl::Status SetKey(std::string_view key, std::string_view value, Fault* fault) {
  if (key == "severity") {
    const std::optional<int64_t> number = ParseInteger(value);
    if (!number || *number < 1 || *number > 5) {
      return absl::InvalidArgumentError(
          fmt::format("severity={}: not one of 1, 2, 3, 4, 5", ToValidUtf8(value)));
    }
    fault->severity = static_cast<int>(*number);
  } else if (key == "seed") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), fault->seed);
    if (error != std::errc() || end != value.data() + value.size()) {
      return absl::InvalidArgumentError(
          fmt::format("seed={}: not a whole number from 0 on", ToValidUtf8(value)));
    }
  } else if (key == "region") {
    ASSIGN_OR_RETURN(fault->region, ParseRegion(value));
  } else {
    ASSIGN_OR_RETURN(const double time, ParseTime(key, value));
    if (key == "at") fault->at_s = time;
    if (key == "ramp") fault->ramp_s = time;
    if (key == "for") fault->for_s = time;
  }
  return absl::OkStatus();
}

absl::StatusOr<Fault> Parse(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = Trim(text.substr(0, colon));
  std::vector<std::string> names;
  Fault fault;
  bool found = false;
  for (int i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    names.emplace_back(Name(kind));
    if (Name(kind) == name) {
      fault.kind = kind;
      found = true;
    }
  }
  if (!found) return Unknown("fault", name, names);
  if (colon == std::string_view::npos) return fault;

  const std::vector<std::string> keys{"severity", "at", "ramp", "for", "region", "seed"};
  std::vector<std::string> seen;
  for (const std::string& part : Split(text.substr(colon + 1), ',')) {
    const size_t equals = part.find('=');
    const std::string key(Trim(std::string_view(part).substr(0, equals)));
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is no key=value (keys: {})", ToValidUtf8(part), Known(keys)));
    }
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) return Unknown("key", key, keys);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      return absl::InvalidArgumentError(fmt::format("{} stands twice", key));
    }
    seen.push_back(key);
    RETURN_IF_ERROR(SetKey(key, Trim(std::string_view(part).substr(equals + 1)), &fault));
  }
  return fault;
}

}  // namespace

absl::StatusOr<Fault> ParseFault(std::string_view text) {
  absl::StatusOr<Fault> fault = Parse(text);
  if (!fault.ok()) return Annotate(fault.status(), fmt::format("fault '{}'", ToValidUtf8(text)));
  return fault;
}

std::string ToText(const Fault& fault) {
  std::string text = fmt::format("{}:severity={},at={}s", Name(fault.kind), fault.severity, fault.at_s);
  if (fault.ramp_s != 0) text += fmt::format(",ramp={}s", fault.ramp_s);
  if (fault.for_s) text += fmt::format(",for={}s", *fault.for_s);
  const Box& box = fault.region;
  std::string region = fmt::format("{}/{}/{}/{}", box.x1, box.y1, box.x2, box.y2);
  for (const NamedRegion& named : kRegions) {
    if (named.box == box) region = named.name;
  }
  if (region != "whole") text += fmt::format(",region={}", region);
  if (fault.seed != 1) text += fmt::format(",seed={}", fault.seed);
  return text;
}

double StrengthAt(const Fault& fault, double time_s) {
  const double since = time_s - fault.at_s;
  if (!(since >= 0)) return 0;  // also for times that are no number
  if (fault.for_s && since >= *fault.for_s) return 0;
  if (!(fault.ramp_s > 0)) return 1;
  return std::min(1.0, since / fault.ramp_s);
}

}  // namespace sightline::simulate
