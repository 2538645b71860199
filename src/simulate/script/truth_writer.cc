#include "simulate/script/truth_writer.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "simulate/scene/exact.h"
#include "simulate/script/camera_file.h"
#include "simulate/script/picture_shape.h"

namespace sightline::simulate {
namespace {

constexpr std::string_view kLights[] = {"day", "dusk", "night"};
constexpr std::string_view kColors[] = {"red", "amber", "green"};

std::string PointList(const Polygon& points, int decimals) {
  std::vector<std::string> parts;
  for (const Point2& p : points)
    parts.push_back(fmt::format("[{}, {}]", Fixed(p.x, decimals), Fixed(p.y, decimals)));
  return "[" + Join(parts, ", ") + "]";
}

std::string Shape(const Projection& projection, const Polygon& ground, bool closed) {
  return fmt::format("\"metres\": {}, \"pixels\": {}", PointList(ground, 3),
                     PointList(InPicture(projection, ground, closed), 2));
}

std::string Calibration(const Projection& projection) {
  const Camera& camera = projection.camera();
  std::string text = fmt::format(
      "{{\n  \"width\": {}, \"height\": {}, \"focal_px\": {},\n  \"position_m\": [{}, {}, {}],\n"
      "  \"yaw_rad\": {}, \"pitch_rad\": {}, \"roll_rad\": {},\n",
      camera.size.width, camera.size.height, Fixed(camera.focal_px, 4), Fixed(camera.position.x, 4),
      Fixed(camera.position.y, 4), Fixed(camera.position.z, 4), Fixed(camera.yaw, 8), Fixed(camera.pitch, 8),
      Fixed(camera.roll, 8));
  std::vector<std::string> entries;
  for (const double entry : projection.GroundHomography()) entries.push_back(fmt::format("{:.12e}", entry));
  text += "  \"ground_to_pixels\": [" + Join(entries, ", ") + "],\n  \"pairs\": [\n";
  std::vector<std::string> pairs;
  for (const double v : {0.97, 0.8, 0.62, 0.45}) {
    for (const double u : {0.08, 0.36, 0.64, 0.92}) {
      const double x = u * camera.size.width, y = v * camera.size.height;
      const auto ground = projection.Ground(x, y);
      if (ground)
        pairs.push_back(fmt::format("    {{\"pixel\": [{}, {}], \"metres\": [{}, {}]}}", Fixed(x, 2),
                                    Fixed(y, 2), Fixed(ground->x, 4), Fixed(ground->y, 4)));
    }
  }
  return text + Join(pairs, ",\n") + "\n  ]\n}\n";
}

std::string LayoutText(const Projection& projection, const Layout& layout) {
  const auto polygons = [&](std::string_view name, const std::vector<Polygon>& list) {
    std::vector<std::string> lines;
    for (const Polygon& polygon : list) lines.push_back("    {" + Shape(projection, polygon, true) + "}");
    return fmt::format("  \"{}\": [\n{}\n  ],\n", name, Join(lines, ",\n"));
  };
  std::string text = "{\n" + polygons("roads", layout.roads) + polygons("islands", layout.islands) +
                     polygons("sidewalks", layout.sidewalks);
  text += "  \"intersection\": {" + Shape(projection, layout.intersection, true) + "},\n";
  std::vector<std::string> lines;
  for (const Lane& lane : layout.lanes) {
    const double heading = lane.center.At(lane.center.length()).heading;
    const Polygon center = InPicture(projection, lane.center.points(), false);
    lines.push_back(fmt::format(
        "    {{\"arm\": {}, \"incoming\": {}, \"heading_rad\": {}, \"direction_pixels\": {}, {}}}", lane.arm,
        lane.incoming, Fixed(heading, 6), PointList(center, 2), Shape(projection, lane.area, true)));
  }
  text += "  \"lanes\": [\n" + Join(lines, ",\n") + "\n  ],\n";
  lines.clear();
  for (const Crosswalk& crosswalk : layout.crosswalks) {
    lines.push_back(
        fmt::format("    {{\"signal\": {}, {}}}", crosswalk.signal, Shape(projection, crosswalk.area, true)));
  }
  text += "  \"crosswalks\": [\n" + Join(lines, ",\n") + "\n  ],\n";
  lines.clear();
  std::vector<Point2> seen;  // several routes share a lane's line
  for (const Route& route : layout.routes) {
    if (route.stop_s < 0 || route.bicycles_only) continue;
    const Path::Pose pose = route.path.At(route.stop_s);
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const Point2& p) {
      const double dx = p.x - pose.point.x, dy = p.y - pose.point.y;
      return dx * dx + dy * dy < 0.25;
    });
    if (known) continue;
    seen.push_back(pose.point);
    double half = 1.6;
    for (const Lane& lane : layout.lanes) {
      if (lane.arm == route.from_arm && lane.incoming) half = lane.width / 2;
    }
    const double nx = -Sin(pose.heading) * half, ny = Cos(pose.heading) * half;
    lines.push_back(fmt::format(
        "    {{\"arm\": {}, \"signal\": {}, {}}}", route.from_arm, route.signal,
        Shape(projection, {{pose.point.x - nx, pose.point.y - ny}, {pose.point.x + nx, pose.point.y + ny}},
              false)));
  }
  text += "  \"stop_lines\": [\n" + Join(lines, ",\n") + "\n  ],\n";
  lines.clear();
  for (const Signal& signal : layout.signals) {
    const auto head = projection.Project(signal.head);
    const bool visible = head && head->x >= 0 && head->y >= 0 && head->x <= projection.camera().size.width &&
                         head->y <= projection.camera().size.height;
    lines.push_back(fmt::format(
        "    {{\"pedestrian\": {}, \"position_m\": [{}, {}, {}], \"facing_rad\": {}, \"pixel\": {}}}",
        signal.pedestrian, Fixed(signal.head.x, 3), Fixed(signal.head.y, 3), Fixed(signal.head.z, 3),
        Fixed(signal.facing, 6),
        visible ? fmt::format("[{}, {}]", Fixed(head->x, 2), Fixed(head->y, 2)) : std::string("null")));
  }
  return text + "  \"signals\": [\n" + Join(lines, ",\n") + "\n  ]\n}\n";
}

std::string EventLine(const Projection& projection, const TrueEvent& event) {
  std::vector<std::string> actors;
  for (const int64_t actor : event.actors) actors.push_back(fmt::format("{}", actor));
  std::string line = fmt::format(
      "{{\"kind\": \"{}\", \"begin_s\": {}, \"end_s\": {}, \"time_s\": {}, \"actors\": [{}], "
      "\"x_m\": {}, \"y_m\": {}",
      kEventNames[static_cast<size_t>(event.kind)], Fixed(event.begin_s, 3), Fixed(event.end_s, 3),
      Fixed(event.time_s, 3), Join(actors, ", "), Fixed(event.place.x, 3), Fixed(event.place.y, 3));
  const auto pixel = projection.Project({event.place.x, event.place.y, 0});
  const Size size = projection.camera().size;
  if (pixel && pixel->x >= 0 && pixel->y >= 0 && pixel->x <= size.width && pixel->y <= size.height)
    line += fmt::format(", \"x_px\": {}, \"y_px\": {}", Fixed(pixel->x, 2), Fixed(pixel->y, 2));
  if (event.time_to_collision_s)
    line += fmt::format(", \"time_to_collision_s\": {}", Fixed(*event.time_to_collision_s, 3));
  if (event.post_encroachment_s)
    line += fmt::format(", \"post_encroachment_s\": {}", Fixed(*event.post_encroachment_s, 3));
  if (event.speed) line += fmt::format(", \"speed_kmh\": {}", Fixed(*event.speed * 3.6, 2));
  return line + "}\n";
}

class Writer final : public TruthWriter {
 public:
  Writer(std::filesystem::path folder, const Layout& layout, double frames_per_second, AtomicFile boxes,
         AtomicFile weather, AtomicFile signals)
      : folder_(std::move(folder)),
        projection_(layout.camera),
        frames_per_second_(frames_per_second),
        boxes_(std::move(boxes)),
        weather_(std::move(weather)),
        signals_(std::move(signals)) {}

  // What is known from the beginning.
  absl::Status WriteHead(const Layout& layout) {
    RETURN_IF_ERROR(WriteFileAtomically(folder_ / "calibration.json", Calibration(projection_)));
    RETURN_IF_ERROR(WriteFileAtomically(folder_ / "layout.json", LayoutText(projection_, layout)));
    RETURN_IF_ERROR(WriteFileAtomically(folder_ / "camera.yaml", CameraFile(layout)));
    std::string labels;
    for (const std::string_view label : kActorLabels) labels += fmt::format("{}\n", label);
    RETURN_IF_ERROR(WriteFileAtomically(folder_ / "labels.txt", labels));
    RETURN_IF_ERROR(weather_.Write("time_s,light,clouds,rain,wetness,fog\n"));
    return signals_.Write("time_s,signal,colour\n");
  }

  absl::Status WriteFrame(int64_t frame, const Scene& scene, const std::vector<TrueBox>& boxes) override {
    frames_ = std::max(frames_, frame + 1);
    text_.clear();
    for (const TrueBox& box : boxes) {
      const double x1 = static_cast<double>(box.box.x1), y1 = static_cast<double>(box.box.y1);
      const double width = static_cast<double>(box.box.x2) - x1,
                   height = static_cast<double>(box.box.y2) - y1;
      text_ += fmt::format("{},{},{},{},{},{},{},{},{}\n", frame + 1, box.id, Fixed(x1, 2), Fixed(y1, 2),
                           Fixed(width, 2), Fixed(height, 2), box.measured ? 1 : 0,
                           static_cast<int>(box.kind) + 1, Fixed(box.visibility, 2));
    }
    RETURN_IF_ERROR(boxes_.Write(text_));
    if (scene.time_s + 1e-9 >= next_weather_s_) {
      const Weather& w = scene.weather;
      RETURN_IF_ERROR(weather_.Write(fmt::format("{},{},{},{},{},{}\n", Fixed(scene.time_s, 3),
                                                 kLights[static_cast<size_t>(w.light)], Fixed(w.clouds, 3),
                                                 Fixed(w.rain, 3), Fixed(w.wetness, 3), Fixed(w.fog, 3))));
      next_weather_s_ = Floor(scene.time_s + 1e-9) + 1;
    }
    for (size_t i = 0; i < scene.signals.size(); ++i) {
      if (i < colors_.size() && colors_[i] == scene.signals[i]) continue;
      RETURN_IF_ERROR(signals_.Write(fmt::format("{},{},{}\n", Fixed(scene.time_s, 3), i,
                                                 kColors[static_cast<size_t>(scene.signals[i])])));
    }
    colors_ = scene.signals;
    return absl::OkStatus();
  }

  absl::Status Finish(const std::vector<TrueEvent>& events) override {
    std::string lines;
    for (const TrueEvent& event : events) lines += EventLine(projection_, event);
    RETURN_IF_ERROR(WriteFileAtomically(folder_ / "events.jsonl", lines));
    const Size size = projection_.camera().size;
    RETURN_IF_ERROR(WriteFileAtomically(
        folder_ / "seqinfo.ini",
        fmt::format(
            "[Sequence]\nname=street\nimDir=img1\nframeRate={}\nseqLength={}\nimWidth={}\nimHeight={}\n"
            "imExt=.jpg\n",
            frames_per_second_, frames_, size.width, size.height)));
    RETURN_IF_ERROR(boxes_.Commit());
    RETURN_IF_ERROR(weather_.Commit());
    return signals_.Commit();
  }

 private:
  const std::filesystem::path folder_;
  const Projection projection_;
  const double frames_per_second_;
  AtomicFile boxes_, weather_, signals_;
  int64_t frames_ = 0;
  double next_weather_s_ = 0;
  std::vector<SignalColor> colors_;
  std::string text_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TruthWriter>> TruthWriter::Create(const std::filesystem::path& folder,
                                                                 const Layout& layout,
                                                                 double frames_per_second) {
  ASSIGN_OR_RETURN(AtomicFile boxes, AtomicFile::Create(folder / "gt.txt"));
  ASSIGN_OR_RETURN(AtomicFile weather, AtomicFile::Create(folder / "weather.csv"));
  ASSIGN_OR_RETURN(AtomicFile signals, AtomicFile::Create(folder / "signals.csv"));
  auto writer = std::make_unique<Writer>(folder, layout, frames_per_second, std::move(boxes),
                                         std::move(weather), std::move(signals));
  RETURN_IF_ERROR(writer->WriteHead(layout));
  return std::unique_ptr<TruthWriter>(std::move(writer));
}

}  // namespace sightline::simulate
