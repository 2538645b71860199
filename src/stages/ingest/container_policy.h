// Which of libavformat's formats may be read, and from where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace sightline::ingest {

// What a container's name (libavformat's, as probed) means for us.
enum class ContainerKind {
  kVideo,     // holds its video itself
  kPlaylist,  // HLS: names other addresses; followed from http(s), to the same host or allowed ones
  kPointer,   // other playlists, scripts and session descriptions: never followed
  kOther,     // sound, pictures, subtitles
};
ContainerKind KindOfContainer(std::string_view format_name);

// Whether a document at the URL `from` may have the URL `to` opened: http(s), same host or one of
// `allowed_hosts`, not from https to http.
absl::Status CheckNestedUrl(std::string_view from, std::string_view to,
                            const std::vector<std::string>& allowed_hosts = {});

}  // namespace sightline::ingest
