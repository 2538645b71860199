// Reads one input's bytes: a file, or a URL over HTTP(S) with limits on redirects, time and size.
#pragma once

#include "absl/status/status.h"
#include "base/file.h"
#include "data/limits.h"
#include "stages/ingest/input_list.h"

namespace sightline::ingest {

// `bytes` is reused. Pictures are read whole this way; videos are opened by VideoDemuxer instead.
absl::Status ReadInput(const Input& input, const MediaLimits& limits, Bytes* bytes);

// The first `count` bytes of a file or URL (fewer where it is shorter), for sniffing without reading all of
// it. InvalidArgument for live streams (IsStream), here and above.
absl::Status ReadHead(const Input& input, size_t count, Bytes* bytes);

}  // namespace sightline::ingest
