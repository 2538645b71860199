// One attempt at a source: from connecting to whatever ends it.
#pragma once

#include "absl/status/status.h"
#include "cameras/stream/camera_stream.h"
#include "cameras/stream/stream_output.h"

namespace sightline::cameras {

// How an attempt ended.
struct ConnectionEnd {
  absl::Status status;  // OK: a recording was played to its end; Cancelled: stopped or paused
  double live_s = 0;    // since the first frame
};

// Opens the source, gives packets and frames to `output` until the source ends or fails, or `control` is
// interrupted. `again`: a recording that is played once more, which is no new connection to count. Errors may
// hold credentials.
ConnectionEnd PlaySource(const ingest::Input& input, const SourceOptions& options,
                         const StreamContext& context, bool again, StreamControl* control,
                         StreamOutput* output);

// The same for sources that give frames, no packets.
ConnectionEnd PlaySimulated(const ingest::Input& input, const SourceOptions& options,
                            const StreamContext& context, bool again, StreamControl* control,
                            StreamOutput* output);

}  // namespace sightline::cameras
