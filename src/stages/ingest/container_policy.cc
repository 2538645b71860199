#include "stages/ingest/container_policy.h"

#include <algorithm>
#include <iterator>

#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

// The first name of each libavformat demuxer that carries video in itself.
constexpr std::string_view kVideoContainers[] = {
    "mov", "matroska", "avi", "mpegts",       "mpeg", "mpegvideo", "h264",   "hevc",  "h263", "h261", "m4v",
    "flv", "live_flv", "asf", "ogg",          "ivf",  "mjpeg",     "mpjpeg", "obu",   "av1",  "nut",  "dv",
    "mxf", "gxf",      "rm",  "yuv4mpegpipe", "wtv",  "vc1",       "dhav",   "dirac", "swf",  "y4m",  "vob",
};
constexpr std::string_view kPointers[] = {"dash",   "concat", "sdp",   "rtsp", "webm_dash_manifest",
                                          "imf",    "image2", "lavfi", "tee",  "asf_o",
                                          "ipmovie"};

template <typename Names>
bool Holds(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

ContainerKind KindOfContainer(std::string_view format_name) {
  const std::string_view first = format_name.substr(0, format_name.find(','));
  if (Holds(kVideoContainers, first)) return ContainerKind::kVideo;
  if (first == "hls") return ContainerKind::kPlaylist;
  return Holds(kPointers, first) ? ContainerKind::kPointer : ContainerKind::kOther;
}

absl::Status CheckNestedUrl(std::string_view from, std::string_view to,
                            const std::vector<std::string>& allowed_hosts) {
  const auto refuse = [&](std::string_view why) {
    return absl::PermissionDeniedError(
        fmt::format("the playlist points to {}: {}", WithoutAnyCredentials(to), why));
  };
  const auto base = ParseUrl(from);
  const auto target = ParseUrl(to);
  if (!target.ok()) return refuse("only http and https are followed");
  if (target->scheme != "http" && target->scheme != "https")
    return refuse("only http and https are followed");
  if (!base.ok() || (target->host != base->host && !Holds(allowed_hosts, target->host))) {
    return refuse(allowed_hosts.empty() ? "only the playlist's own host is followed"
                                        : "only the playlist's own host and those allowed are followed");
  }
  if (base->scheme == "https" && target->scheme == "http") return refuse("from https only https is followed");
  return absl::OkStatus();
}

}  // namespace sightline::ingest
