#include <map>
#include <unordered_map>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/annotate.h"
#include "stages/sinks/annotate/canvas.h"
#include "stages/sinks/annotate/drawing.h"
#include "stages/sinks/annotate/jpeg_encoder.h"
#include "stages/sinks/annotate/output_names.h"
#include "stages/sinks/video_encoder.h"

namespace sightline::sinks {
namespace {

constexpr size_t kTrailPointsMax = 30;
constexpr int64_t kTrailFramesMax = 30;  // frames after which an object that is gone is forgotten

// Where each track of one video has been lately.
class Trails {
 public:
  void Update(const std::vector<Mark>& marks) {
    ++frame_;
    shown_.clear();
    for (const Mark& mark : marks) {
      if (mark.detection == nullptr || mark.detection->track_id < 0) continue;
      const Box& box = mark.detection->box;
      Followed& followed = tracks_[mark.detection->track_id];
      followed.seen = frame_;
      followed.trail.color_key = mark.color_key;
      std::vector<Point>& points = followed.trail.points;
      if (points.size() == kTrailPointsMax) points.erase(points.begin());
      points.push_back({(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2});
    }
    for (auto it = tracks_.begin(); it != tracks_.end();) {
      if (it->second.seen == frame_) shown_.push_back(&it->second.trail);
      it = frame_ - it->second.seen > kTrailFramesMax ? tracks_.erase(it) : std::next(it);
    }
  }
  absl::Span<const Trail* const> shown() const { return shown_; }

 private:
  struct Followed {
    Trail trail;
    int64_t seen = 0;
  };
  std::map<int64_t, Followed> tracks_;
  std::vector<const Trail*> shown_;
  int64_t frame_ = 0;
};

struct Video {
  std::unique_ptr<VideoEncoder> encoder;
  Trails trails;
  absl::Status failure;  // final: a video with a gap is not continued
};

class FolderAnnotator : public Annotator {
 public:
  explicit FolderAnnotator(const std::filesystem::path& folder) : names_(folder) {}

  absl::Status WritePicture(const std::string& source, int64_t page, const Frame& frame,
                            const std::vector<Mark>& marks) override {
    RETURN_IF_ERROR(canvas_.Load(frame));
    DrawMarks(marks, {}, &canvas_);
    RETURN_IF_ERROR(EncodeJpeg(canvas_, kMadeHere, &encoded_));
    const std::string_view bytes(reinterpret_cast<const char*>(encoded_.data()), encoded_.size());
    return WriteFileAtomically(names_.Next(source, page, "jpg"), bytes);
  }

  absl::Status WriteVideoFrame(const std::string& source, const Frame& frame,
                               const std::vector<Mark>& marks) override {
    Video& video = videos_[source];
    if (video.failure.ok()) video.failure = AddFrame(source, frame, marks, &video);
    return video.failure;
  }

  absl::Status FinishVideo(const std::string& source) override {
    const auto video = videos_.find(source);
    if (video == videos_.end()) return absl::OkStatus();  // no frame came: there is nothing to finish
    absl::Status status = video->second.failure;
    if (status.ok()) status = video->second.encoder->Finish();
    videos_.erase(video);
    return status;
  }

 private:
  absl::Status AddFrame(const std::string& source, const Frame& frame, const std::vector<Mark>& marks,
                        Video* video) {
    RETURN_IF_ERROR(canvas_.Load(frame));
    if (video->encoder == nullptr) {
      ASSIGN_OR_RETURN(video->encoder,
                       VideoEncoder::Create(names_.Next(source, 0, "mp4"), canvas_.size(), kMadeHere));
    }
    video->trails.Update(marks);
    DrawMarks(marks, video->trails.shown(), &canvas_);
    return video->encoder->Write(canvas_, frame.time_s);
  }

  OutputNames names_;
  Canvas canvas_;
  std::vector<uint8_t> encoded_;
  std::unordered_map<std::string, Video> videos_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Annotator>> Annotator::Create(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    const int code = error ? error.value() : ENOTDIR;
    return ErrnoStatus(code,
                       fmt::format("cannot make the folder {} for annotated pictures", folder.string()));
  }
  return std::make_unique<FolderAnnotator>(folder);
}

}  // namespace sightline::sinks
