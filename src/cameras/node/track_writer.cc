#include "cameras/node/track_writer.h"

#include "base/log.h"
#include "base/status.h"

namespace sightline::cameras {

absl::StatusOr<std::unique_ptr<TrackWriter>> TrackWriter::Create(const std::filesystem::path& folder) {
  store::TrackLogOptions options;
  options.folder = folder;
  ASSIGN_OR_RETURN(auto log, store::TrackLog::Create(options));
  return std::unique_ptr<TrackWriter>(new TrackWriter(std::move(log)));
}

TrackWriter::TrackWriter(std::unique_ptr<store::TrackLog> log)
    : log_(std::move(log)), thread_([this] { Run(); }) {}

void TrackWriter::Put(const Analysis& analysis) {
  std::vector<Row> rows;
  rows.reserve(analysis.objects.size());
  const int64_t time_us = Microseconds(analysis.frame->captured);
  const auto& ground = analysis.setup->geometry.ground;
  for (const rules::Object& object : analysis.objects) {
    Row row{analysis.setup->name, std::string(object.label), {}};
    row.point.time_us = time_us;
    row.point.track = object.id;
    row.point.score = object.score;
    row.point.box = object.box;
    const rules::Point foot{(object.box.x1 + object.box.x2) / 2, object.box.y2};
    if (const auto metres = ground ? ground->ToGround(foot) : std::nullopt) {
      row.point.x_m = metres->x;
      row.point.y_m = metres->y;
    }
    rows.push_back(std::move(row));
  }
  if (!rows.empty()) queue_.Push(std::move(rows));
}

void TrackWriter::Finish() {
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

void TrackWriter::Run() {
  absl::Status last;
  while (auto rows = queue_.Pop()) {
    for (Row& row : *rows) {
      row.point.camera = row.camera;
      row.point.label = row.label;
      const absl::Status status = log_->Append(row.point);
      if (!status.ok() && status != last) spdlog::error("tracks: {}", MessageOf(status));
      last = status;
    }
  }
  const absl::Status status = log_->Finish();
  if (!status.ok()) spdlog::error("tracks: {}", MessageOf(status));
}

}  // namespace sightline::cameras
