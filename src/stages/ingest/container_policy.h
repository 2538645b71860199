// Which of libavformat's formats may be read, and from where.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace sightline::ingest {

// What a container's name (libavformat's, as probed) means for us.
enum class ContainerKind {
  kVideo,     // holds its video itself
  kPlaylist,  // HLS: names other addresses; followed from http(s), to the same host
  kPointer,   // other playlists, scripts and session descriptions: never followed
  kOther,     // sound, pictures, subtitles
};
ContainerKind KindOfContainer(std::string_view format_name);

// Whether a document at the URL `from` may have the URL `to` opened: http(s), same host, not from https to
// http.
absl::Status CheckNestedUrl(std::string_view from, std::string_view to);

}  // namespace sightline::ingest
