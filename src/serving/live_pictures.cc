#include "serving/live_pictures.h"

#include "base/text.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/drawing.h"
#include "stages/sinks/annotate/jpeg_encoder.h"

namespace sightline::serving {
namespace {

// The planes' samples may be groups of bytes: R, G, B or U, V.
int BytesPerSample(PixelFormat format, int plane) {
  if (format == PixelFormat::kRgb24) return 3;
  return format == PixelFormat::kNv12 && plane == 1 ? 2 : 1;
}

void ShrinkPlane(const Plane& from, Size from_bytes, int group, int by, uint8_t* to, int to_stride,
                 Size to_bytes) {
  const int width = from_bytes.width / group;
  for (int y = 0; y < to_bytes.height; ++y) {
    const int top = std::min(y * by, from_bytes.height - 1), bottom = std::min(top + by, from_bytes.height);
    for (int x = 0; x < to_bytes.width / group; ++x) {
      const int left = std::min(x * by, width - 1), right = std::min(left + by, width);
      const auto count = static_cast<uint32_t>((bottom - top) * (right - left));
      for (int part = 0; part < group; ++part) {
        uint32_t sum = count / 2;
        for (int row = top; row < bottom; ++row) {
          const uint8_t* samples = from.data + static_cast<ptrdiff_t>(row) * from.stride + part;
          for (int column = left; column < right; ++column) sum += samples[column * group];
        }
        to[static_cast<ptrdiff_t>(y) * to_stride + x * group + part] = static_cast<uint8_t>(sum / count);
      }
    }
  }
}

// Outlines: zones closed, lines open.
std::vector<sinks::Trail> OutlinesOf(const rules::SceneGeometry& geometry) {
  std::vector<sinks::Trail> outlines;
  const auto add = [&](const rules::Point& a, const rules::Point& b, int color) {
    outlines.push_back({{{static_cast<float>(a.x), static_cast<float>(a.y)},
                         {static_cast<float>(b.x), static_cast<float>(b.y)}},
                        color});
  };
  int color = 0;
  for (const auto& zone : geometry.zones) {
    ++color;
    for (size_t i = 0; i < zone.polygon.size(); ++i)
      add(zone.polygon[i], zone.polygon[(i + 1) % zone.polygon.size()], color);
  }
  for (const auto& line : geometry.lines) add(line.from, line.to, ++color);
  return outlines;
}

void Draw(const cameras::LiveView& view, sinks::Canvas* canvas) {
  std::vector<Detection> detections(view.marks.size());
  std::vector<sinks::Mark> marks;
  for (size_t i = 0; i < view.marks.size(); ++i) {
    const auto& mark = view.marks[i];
    detections[i].box = mark.box;
    detections[i].track_id = mark.id;
    marks.push_back({&detections[i], fmt::format("{} {}{}", mark.label, mark.id, mark.seen ? "" : " ~"),
                     static_cast<int>(mark.id % 1'000'000)});
  }
  const std::vector<sinks::Trail> outlines = OutlinesOf(view.geometry);
  std::vector<const sinks::Trail*> trails;
  for (const sinks::Trail& outline : outlines) trails.push_back(&outline);
  sinks::DrawMarks(marks, trails, canvas);
}

absl::StatusOr<std::string> ToJpeg(const Frame& frame, const cameras::LiveView* overlay) {
  sinks::Canvas canvas;
  if (absl::Status status = canvas.Load(frame); !status.ok()) return status;
  if (overlay != nullptr) Draw(*overlay, &canvas);
  std::vector<uint8_t> bytes;
  if (absl::Status status = sinks::EncodeJpeg(canvas, "", &bytes); !status.ok()) return status;
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

FramePtr Shrunk(const FramePtr& frame, int width_max) {
  if (width_max <= 0 || frame->size.width <= width_max) return frame;
  const int by = (frame->size.width + width_max - 1) / width_max;
  auto small = std::make_shared<Frame>();
  small->Allocate(frame->format, {std::max(1, frame->size.width / by), std::max(1, frame->size.height / by)});
  small->source_size = frame->source_size.empty() ? frame->size : frame->source_size;
  small->matrix = frame->matrix;
  small->range = frame->range;
  small->time_s = frame->time_s;
  for (int i = 0; i < PlaneCount(frame->format); ++i) {
    const auto plane = static_cast<size_t>(i);
    ShrinkPlane(frame->planes[plane], PlaneSize(frame->format, frame->size, i),
                BytesPerSample(frame->format, i), by, small->mutable_plane(i), small->planes[plane].stride,
                PlaneSize(small->format, small->size, i));
  }
  return small;
}

absl::StatusOr<std::string> EncodePlain(const FramePtr& frame, int width_max) {
  return ToJpeg(*Shrunk(frame, width_max), nullptr);
}

absl::StatusOr<LivePictures::Jpeg> LivePictures::Encode(const std::string& camera,
                                                        const cameras::LiveView& view,
                                                        const PictureStyle& style) {
  // What to hide is known once the camera is analysed, and not before.
  if (style.redact && view.geometry.picture.empty()) {
    return absl::UnavailableError(
        fmt::format("{}: is not analysed yet, so that nothing can be hidden in its picture", camera));
  }
  const Key key{camera, style.width_max, style.overlay, style.redact};
  absl::MutexLock one(&encode_);
  {
    absl::MutexLock lock(&mutex_);
    const auto found = kept_.find(key);
    if (found != kept_.end() && found->second.stream_s == view.stream_s &&
        found->second.captured == view.captured)
      return found->second.jpeg;
  }
  FramePtr frame = Shrunk(view.frame, style.width_max);
  if (style.redact) frame = cameras::Redacted(frame, view.redaction, view.hidden);
  auto bytes = ToJpeg(*frame, style.overlay ? &view : nullptr);
  if (!bytes.ok()) return bytes.status();
  auto jpeg = std::make_shared<const std::string>(*std::move(bytes));
  absl::MutexLock lock(&mutex_);
  if (bytes_ + jpeg->size() > kBytesMax) {
    kept_.clear();
    bytes_ = 0;
  }
  Kept& kept = kept_[key];
  if (kept.jpeg != nullptr) bytes_ -= kept.jpeg->size();
  bytes_ += jpeg->size();
  kept = {view.stream_s, view.captured, jpeg};
  return jpeg;
}

}  // namespace sightline::serving
