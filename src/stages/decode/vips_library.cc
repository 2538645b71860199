#include "stages/decode/vips_library.h"

#include <vips/vips.h>

#include <algorithm>

#include "base/text.h"

namespace sightline::decode {
namespace {

constexpr const char* kAllowedLoaders[] = {
    "VipsForeignLoadPngBuffer",   "VipsForeignLoadWebpBuffer", "VipsForeignLoadTiffBuffer",
    "VipsForeignLoadNsgifBuffer", "VipsForeignLoadHeifBuffer", "VipsForeignLoadJxlBuffer",
    "VipsForeignLoadJp2kBuffer",  "VipsForeignLoadPpmSource",  "VipsForeignLoadRadBuffer",
};

void Ignore(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

bool Start() {
  if (vips_init("sightline") != 0) return false;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const char* loader : kAllowedLoaders) vips_operation_block_set(loader, FALSE);
  constexpr auto kNoise = static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO |
                                                      G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_MESSAGE);
  g_log_set_handler("VIPS", kNoise, Ignore, nullptr);
  return true;
}

}  // namespace

absl::Status StartVips() {
  static const bool started = Start();
  return started ? absl::OkStatus()
                 : absl::InternalError("libvips does not start: " + OneLine(vips_error_buffer()));
}

std::string OneLine(std::string_view messages) {
  constexpr size_t kBytesMax = 240;
  std::vector<std::string> kept;
  for (const std::string& line : Split(messages, '\n')) {
    std::string_view text = Trim(line);
    // "pngload_buffer: libspng read error": the first word names a function, not the trouble.
    const size_t colon = text.find(": ");
    if (colon != std::string_view::npos && text.substr(0, colon).find(' ') == std::string_view::npos) {
      text = Trim(text.substr(colon + 2));
    }
    if (text.starts_with("bad seek to")) continue;  // libvips notes these while it only looks around
    if (text.empty() || std::find(kept.begin(), kept.end(), text) != kept.end()) continue;
    kept.emplace_back(text);
  }
  std::string joined = Join(kept, "; ");
  if (joined.size() > kBytesMax) {
    joined.resize(kBytesMax);
    joined += " ...";
  }
  return ToValidUtf8(joined);
}

absl::Status TakeVipsError(std::string_view format) {
  char* messages = vips_error_buffer_copy();  // also clears it
  const std::string text = OneLine(messages == nullptr ? "" : messages);
  g_free(messages);
  if (text.empty()) return absl::DataLossError(fmt::format("damaged {} file", format));
  const std::string lower = Lower(text);
  for (std::string_view word : {"unsupported", "not supported", "not implemented", "unimplemented",
                                "not configured", "not a whole number of bytes"}) {
    if (lower.find(word) != std::string::npos) {
      return absl::UnimplementedError(fmt::format("{} of an unsupported kind: {}", format, text));
    }
  }
  return absl::DataLossError(fmt::format("damaged {} file: {}", format, text));
}

}  // namespace sightline::decode
