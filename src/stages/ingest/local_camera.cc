#include "stages/ingest/local_camera.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::ingest {
namespace {

constexpr uint32_t kBuffers = 4;
constexpr int kAskMs = 100;

struct KnownFormat {
  uint32_t fourcc;
  AVCodecID codec;
  AVPixelFormat pixels;
};
// In the order in which they are taken: what is compressed costs the bus least.
constexpr KnownFormat kFormats[] = {
    {V4L2_PIX_FMT_H264, AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P},
    {V4L2_PIX_FMT_MJPEG, AV_CODEC_ID_MJPEG, AV_PIX_FMT_YUVJ422P},
    {V4L2_PIX_FMT_JPEG, AV_CODEC_ID_MJPEG, AV_PIX_FMT_YUVJ422P},
    {V4L2_PIX_FMT_NV12, AV_CODEC_ID_RAWVIDEO, AV_PIX_FMT_NV12},
    {V4L2_PIX_FMT_YUYV, AV_CODEC_ID_RAWVIDEO, AV_PIX_FMT_YUYV422},
};

class LocalCamera final : public VideoDemuxer {
 public:
  LocalCamera(const MediaLimits& limits, const DemuxOptions& options)
      : limits_(limits), options_(options), packet_(av_packet_alloc()) {
    CHECK(packet_ != nullptr) << "out of memory";
  }
  ~LocalCamera() override {
    for (const Mapping& mapping : mappings_) munmap(mapping.data, mapping.bytes);
    if (device_ >= 0) close(device_);
    av_packet_free(&packet_);
  }

  absl::Status Open(const std::string& path) {
    device_ = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (device_ < 0) {
      const int error = errno;
      absl::Status status = ErrnoStatus(error, "the camera can't be opened");
      if (error == EACCES) return Annotate(status, "this user must be in the group video");
      return error == EBUSY ? absl::UnavailableError("the camera is in use by another program") : status;
    }
    v4l2_capability capability{};
    if (!Ask(VIDIOC_QUERYCAP, &capability)) return absl::FailedPreconditionError("it is no camera");
    const uint32_t can = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps
                                                                               : capability.capabilities;
    if ((can & V4L2_CAP_VIDEO_CAPTURE) == 0 || (can & V4L2_CAP_STREAMING) == 0)
      return absl::FailedPreconditionError(
          "it is a video device, but gives no pictures (try another number)");
    RETURN_IF_ERROR(ChooseFormat());
    return StartStreaming();
  }

  const VideoTrack& track() const override { return track_; }
  SourceNature nature() const override { return SourceNature::kLive; }

  absl::StatusOr<AVPacket*> Read() override {
    const MonotonicTime deadline = MonotonicClock::now() + options_.timeouts.read;
    while (true) {
      if (options_.cancelled && options_.cancelled()) return absl::CancelledError("given up");
      if (MonotonicClock::now() > deadline)
        return absl::DeadlineExceededError("the camera sends nothing any more");
      pollfd waited{device_, POLLIN, 0};
      if (poll(&waited, 1, kAskMs) <= 0) continue;
      v4l2_buffer buffer{};
      buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
      buffer.memory = V4L2_MEMORY_MMAP;
      if (!Ask(VIDIOC_DQBUF, &buffer)) {
        if (errno == EAGAIN) continue;
        return absl::UnavailableError(errno == ENODEV ? "the camera was unplugged" : "the camera failed");
      }
      const bool usable = Take(buffer);
      if (!Ask(VIDIOC_QBUF, &buffer)) return absl::UnavailableError("the camera failed");
      if (usable) return packet_;
    }
  }

 private:
  struct Mapping {
    void* data;
    size_t bytes;
  };

  bool Ask(unsigned long request, void* argument) const {
    int result = 0;
    do {
      result = ioctl(device_, request, argument);
    } while (result < 0 && errno == EINTR);
    return result == 0;
  }

  absl::Status ChooseFormat() {
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (!Ask(VIDIOC_G_FMT, &format)) return absl::FailedPreconditionError("the camera names no format");
    for (const KnownFormat& known : kFormats) {
      v4l2_format wanted = format;
      wanted.fmt.pix.pixelformat = known.fourcc;
      wanted.fmt.pix.bytesperline = 0;
      if (!Ask(VIDIOC_S_FMT, &wanted)) {
        if (errno == EBUSY) return absl::UnavailableError("the camera is in use by another program");
        continue;
      }
      if (wanted.fmt.pix.pixelformat != known.fourcc) continue;
      return Describe(known, wanted.fmt.pix);
    }
    return absl::UnimplementedError("the camera has no format that is known (H.264, MJPEG, NV12, YUYV)");
  }

  absl::Status Describe(const KnownFormat& known, const v4l2_pix_format& picture) {
    if (picture.width == 0 || picture.height == 0 ||
        picture.width > static_cast<uint32_t>(limits_.side_max) ||
        picture.height > static_cast<uint32_t>(limits_.side_max) ||
        int64_t{picture.width} * picture.height > limits_.pixels_max) {
      return absl::ResourceExhaustedError(
          fmt::format("its pictures of {}x{} are over the limit", picture.width, picture.height));
    }
    const uint32_t packed = known.fourcc == V4L2_PIX_FMT_YUYV ? picture.width * 2 : picture.width;
    if (known.codec == AV_CODEC_ID_RAWVIDEO && picture.bytesperline != packed)
      return absl::UnimplementedError("the camera pads its rows");
    AVCodecParameters* parameters = avcodec_parameters_alloc();
    CHECK(parameters != nullptr) << "out of memory";
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = known.codec;
    parameters->format = known.pixels;
    parameters->width = static_cast<int>(picture.width);
    parameters->height = static_cast<int>(picture.height);
    track_.parameters = std::shared_ptr<const AVCodecParameters>(
        parameters, [](AVCodecParameters* p) { avcodec_parameters_free(&p); });
    track_.time_base_num = 1;
    track_.time_base_den = 1'000'000;
    raw_ = known.codec == AV_CODEC_ID_RAWVIDEO;
    intra_ = known.codec != AV_CODEC_ID_H264;
    raw_bytes_ = picture.sizeimage;
    return absl::OkStatus();
  }

  absl::Status StartStreaming() {
    v4l2_requestbuffers request{};
    request.count = kBuffers;
    request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    request.memory = V4L2_MEMORY_MMAP;
    if (!Ask(VIDIOC_REQBUFS, &request) || request.count == 0)
      return absl::UnavailableError("the camera is in use by another program");
    for (uint32_t i = 0; i < request.count; ++i) {
      v4l2_buffer buffer{};
      buffer.type = request.type;
      buffer.memory = request.memory;
      buffer.index = i;
      if (!Ask(VIDIOC_QUERYBUF, &buffer)) return absl::UnavailableError("the camera failed");
      void* data = mmap(nullptr, buffer.length, PROT_READ, MAP_SHARED, device_, buffer.m.offset);
      if (data == MAP_FAILED) return ErrnoStatus(errno, "the camera's memory can't be mapped");
      mappings_.push_back({data, buffer.length});
      if (!Ask(VIDIOC_QBUF, &buffer)) return absl::UnavailableError("the camera failed");
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (!Ask(VIDIOC_STREAMON, &type)) {
      return errno == ENOSPC ? absl::ResourceExhaustedError("the USB bus is too slow for one camera more")
                             : absl::UnavailableError("the camera does not start");
    }
    return absl::OkStatus();
  }

  // Copies a picture into packet_; false for one that is damaged.
  bool Take(const v4l2_buffer& buffer) {
    av_packet_unref(packet_);
    if ((buffer.flags & V4L2_BUF_FLAG_ERROR) != 0 || buffer.index >= mappings_.size()) return false;
    const Mapping& mapping = mappings_[buffer.index];
    if (buffer.bytesused == 0 || buffer.bytesused > mapping.bytes) return false;
    if (raw_ && buffer.bytesused < raw_bytes_) return false;
    CHECK(av_new_packet(packet_, static_cast<int>(buffer.bytesused)) == 0) << "out of memory";
    std::memcpy(packet_->data, mapping.data, buffer.bytesused);
    packet_->pts = packet_->dts =
        int64_t{buffer.timestamp.tv_sec} * 1'000'000 + int64_t{buffer.timestamp.tv_usec};
    if (intra_ || (buffer.flags & V4L2_BUF_FLAG_KEYFRAME) != 0) packet_->flags |= AV_PKT_FLAG_KEY;
    return true;
  }

  const MediaLimits limits_;
  const DemuxOptions options_;
  AVPacket* packet_;
  VideoTrack track_;
  int device_ = -1;
  bool raw_ = false, intra_ = true;
  uint32_t raw_bytes_ = 0;
  std::vector<Mapping> mappings_;
};

}  // namespace

bool IsLocalCamera(const std::string& path) {
  return path.starts_with("/dev/video") || path.starts_with("/dev/v4l/");
}

absl::StatusOr<std::unique_ptr<VideoDemuxer>> OpenLocalCamera(const std::string& path,
                                                              const MediaLimits& limits,
                                                              const DemuxOptions& options) {
  auto camera = std::make_unique<LocalCamera>(limits, options);
  RETURN_IF_ERROR(camera->Open(path));
  return camera;
}

}  // namespace sightline::ingest
