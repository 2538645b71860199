#include "cameras/evidence/evidence_names.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace sightline::cameras {
namespace {

constexpr size_t kNameMax = 120;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

uint64_t Hash(std::string_view text) {  // FNV-1a
  uint64_t hash = 14'695'981'039'346'656'037u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1'099'511'628'211u;
  return hash;
}

std::string SafeName(std::string_view name) {
  std::string safe(name.substr(0, kNameMax));
  for (char& c : safe)
    if (!IsPlain(c)) c = '_';
  if (!safe.empty() && safe[0] == '.') safe[0] = '_';
  return !safe.empty() && safe == name ? safe : fmt::format("{}-{:016x}", safe, Hash(name));
}

}  // namespace

std::string EvidenceStem(std::string_view camera, std::string_view event_id, WallTime captured) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(captured));
  return fmt::format("{}/{:04}-{:02}-{:02}/{}", SafeName(camera), static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     SafeName(event_id));
}

}  // namespace sightline::cameras
