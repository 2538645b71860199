// Text: std::string_view everywhere, fmt::format to build it, and the few operations that the standard lacks.
// (Debian builds Abseil with a string_view type of its own, so Abseil's text functions stop at this header
// and status.h.)
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view Trim(std::string_view text);  // ASCII white space, both ends
std::string Lower(std::string_view text);      // ASCII
bool IsValidUtf8(std::string_view text);
// Bytes that are no UTF-8 become U+FFFD: for whatever ends in JSON, CSV or Parquet.
std::string ToValidUtf8(std::string_view text);

// The whole text as a number; nullopt for anything else (also for nan and inf).
std::optional<double> ParseNumber(std::string_view text);
std::optional<int64_t> ParseInteger(std::string_view text);

// The nearest of `candidates` by edit distance, when near enough to be a typing slip; else the shortest that
// begins with `name`; "" when none does.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace sightline
