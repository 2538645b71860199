#include "cameras/evidence/snapshot.h"

#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/jpeg_encoder.h"

namespace sightline::cameras {

absl::StatusOr<uint64_t> WriteSnapshot(const Frame& frame, int quality, const std::filesystem::path& path) {
  sinks::Canvas canvas;
  RETURN_IF_ERROR(canvas.Load(frame));
  std::vector<uint8_t> bytes;
  RETURN_IF_ERROR(sinks::EncodeJpeg(canvas, "sightline", &bytes, quality));
  RETURN_IF_ERROR(WriteFileAtomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  return bytes.size();
}

}  // namespace sightline::cameras
