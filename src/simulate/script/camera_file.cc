#include "simulate/script/camera_file.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "simulate/scene/exact.h"
#include "simulate/script/picture_shape.h"
#include "simulate/script/street_facts.h"

namespace sightline::simulate {
namespace {

constexpr double kMetreMin = 0.01;      // of the picture's width: what is smaller is out of view
constexpr double kCrosswalkMargin = 1;  // metres about a crosswalk that are as good as it
constexpr double kYield = 8;            // metres about a crosswalk where drivers give way
constexpr double kApproach = 12;        // metres before a stop line where the middle of who waits there is
constexpr double kApproachAside = 1;    // and to the lane's sides
constexpr double kOverLimit = 1.25;
constexpr double kBayLength = 6, kBayWidth = 2.2;
constexpr double kGround = 300;  // half a side, metres

// A convex polygon with its sides moved outwards.
Polygon Grown(const Polygon& polygon, double by) {
  double area = 0;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++)
    area += polygon[j].x * polygon[i].y - polygon[i].x * polygon[j].y;
  const double out = area > 0 ? by : -by;
  Polygon grown;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Point2 &a = polygon[(i + polygon.size() - 1) % polygon.size()], &b = polygon[i],
                 &c = polygon[(i + 1) % polygon.size()];
    Point2 d{b.x - a.x, b.y - a.y}, e{c.x - b.x, c.y - b.y};
    const double d_length = std::sqrt(d.x * d.x + d.y * d.y), e_length = std::sqrt(e.x * e.x + e.y * e.y);
    d = {d.x / d_length, d.y / d_length}, e = {e.x / e_length, e.y / e_length};
    const double turn = d.x * e.y - d.y * e.x;
    // Where the two moved sides meet; where they are nearly in line, straight out.
    const double along = std::abs(turn) < 0.05 ? 0 : out * (1 - (d.x * e.x + d.y * e.y)) / turn;
    grown.push_back({b.x + out * d.y + along * d.x, b.y - out * d.x + along * d.y});
  }
  return grown;
}

double Area(const Polygon& polygon) {
  double area = 0;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++)
    area += polygon[j].x * polygon[i].y - polygon[i].x * polygon[j].y;
  return std::abs(area) / 2;
}

Polygon Strip(const Point2& from, double heading, double begin, double end, double half_width) {
  const Point2 along{Cos(heading), Sin(heading)}, left{-along.y, along.x};
  const auto at = [&](double s, double t) {
    return Point2{from.x + s * along.x + t * left.x, from.y + s * along.y + t * left.y};
  };
  return {at(begin, -half_width), at(end, -half_width), at(end, half_width), at(begin, half_width)};
}

class CameraText {
 public:
  explicit CameraText(const Layout& layout)
      : layout_(layout),
        facts_(&layout),
        far_(layout.camera.focal_px / (kMetreMin * layout.camera.size.width)) {}

  std::string Write() {
    const Size size = layout_.camera.size;
    Add("name: street-{}\n"
        "# Beside this file: start the node here, or say where it is.\n"
        "source: video.mp4\n"
        "picture: [{}, {}]\n"
        "calibration:\n",
        layout_.seed, size.width, size.height);
    WriteCalibration();
    text_ += "zones:\n";
    WriteZones();
    if (!lines_.empty()) text_ += "lines:\n" + lines_;
    text_ += "rules:\n";
    WriteRules();
    return std::move(text_);
  }

 private:
  template <typename... Values>
  void Add(fmt::format_string<Values...> format, Values&&... values) {
    text_ += fmt::format(format, std::forward<Values>(values)...);
  }

  void WriteCalibration() {
    const Projection& projection = facts_.projection();
    const Size size = projection.camera().size;
    for (const double v : {0.97, 0.8, 0.62, 0.45}) {
      for (const double u : {0.08, 0.36, 0.64, 0.92}) {
        const double x = u * size.width, y = v * size.height;
        if (const auto ground = projection.Ground(x, y))
          Add("  - {{pixel: [{}, {}], metres: [{}, {}]}}\n", Fixed(x, 2), Fixed(y, 2), Fixed(ground->x, 4),
              Fixed(ground->y, 4));
      }
    }
  }

  // Its name where something of it is in view, else "".
  std::string Zone(std::string name, const Polygon& ground, std::optional<double> heading = std::nullopt) {
    const Polygon pixels = InPicture(facts_.projection(), ground, true, far_);
    if (pixels.size() < 3 || Area(pixels) < 1) return "";
    std::vector<std::string> points;
    for (const Point2& p : pixels) points.push_back(fmt::format("[{}, {}]", Fixed(p.x, 2), Fixed(p.y, 2)));
    Add("  - {{name: {}, points: [{}]{}}}\n", name, Join(points, ", "),
        heading ? fmt::format(", heading_deg: {}", Fixed(*heading * 180 / kPi, 3)) : "");
    return name;
  }
  std::vector<std::string> Zones(std::string_view name, const std::vector<Polygon>& list) {
    std::vector<std::string> names;
    for (size_t i = 0; i < list.size(); ++i) {
      std::string added = Zone(fmt::format("{}_{}", name, i), list[i]);
      if (!added.empty()) names.push_back(std::move(added));
    }
    return names;
  }

  void WriteZones() {
    Zone("view", {{-kGround, -kGround}, {kGround, -kGround}, {kGround, kGround}, {-kGround, kGround}});
    roads_ = Zones("road", layout_.roads);
    islands_ = Zones("island", layout_.islands);
    Zones("sidewalk", layout_.sidewalks);
    intersection_ = Zones("intersection", {layout_.intersection});
    std::vector<Polygon> walks, near, wide, bays;
    for (const Crosswalk& crosswalk : layout_.crosswalks) {
      walks.push_back(crosswalk.area);
      near.push_back(Grown(crosswalk.area, kCrosswalkMargin));
      wide.push_back(Grown(crosswalk.area, kYield));
    }
    Zones("crosswalk", walks);
    near_crosswalks_ = Zones("near_crosswalk", near);
    yields_ = Zones("give_way", wide);
    yields_.insert(yields_.end(), intersection_.begin(), intersection_.end());
    for (const ParkingBay& bay : layout_.bays)
      bays.push_back(Strip(bay.center, bay.heading, -kBayLength / 2, kBayLength / 2, kBayWidth / 2));
    bays_ = Zones("bay", bays);
    WriteLanes();
    WriteStopLines();
  }
  void WriteLanes() {
    for (size_t i = 0; i < layout_.lanes.size(); ++i) {
      const Lane& lane = layout_.lanes[i];
      const Path::Pose middle = lane.center.At(lane.center.length() / 2);
      const std::string name = Zone(fmt::format("lane_{}", i), lane.area, middle.heading);
      if (name.empty()) continue;
      lanes_.push_back(name);
      if (const auto limit = facts_.LimitAt(middle.point)) lanes_by_limit_[*limit].push_back(name);
    }
    // Who is in no lane there may drive as fast as anywhere.
    if (!lanes_by_limit_.empty() && !intersection_.empty()) {
      double most = lanes_by_limit_.rbegin()->first;
      for (const Route& route : layout_.routes)
        most = route.bicycles_only ? most : std::max(most, route.speed_max);
      lanes_by_limit_[most].push_back(intersection_.front());
    }
  }
  void WriteStopLines() {
    const std::vector<StopLine>& lines = facts_.stop_lines();
    for (size_t i = 0; i < lines.size(); ++i) {
      const StopLine& line = lines[i];
      const double half = line.half_width;
      const std::string zone = Zone(fmt::format("approach_{}", i),
                                    Strip(line.point, line.heading, -kApproach, 0.5, half + kApproachAside));
      if (!zone.empty() && line.signal < 0) yields_.push_back(zone);
      if (!zone.empty() && line.signal >= 0) approaches_.push_back({zone, line.signal});
      // From the driver's right to the left: then ahead is right of the line, as the picture shows it.
      const Polygon ends = Strip(line.point, line.heading, 0, 0, half);
      const auto from = facts_.projection().Project({ends[0].x, ends[0].y, 0}),
                 to = facts_.projection().Project({ends[3].x, ends[3].y, 0});
      if (!from || !to || !facts_.InView(line.point) || line.signal < 0) continue;
      lines_ += fmt::format("  - {{name: stop_{}, from: [{}, {}], to: [{}, {}]}}\n", i, Fixed(from->x, 2),
                            Fixed(from->y, 2), Fixed(to->x, 2), Fixed(to->y, 2));
      signal_of_line_.emplace_back(fmt::format("stop_{}", i), line.signal);
    }
  }

  static std::string List(const std::vector<std::string>& names) { return "[" + Join(names, ", ") + "]"; }
  static std::vector<std::string> Both(std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  static std::string Except(const std::vector<std::string>& names) {
    return names.empty() ? "" : ", except_zones: " + List(names);
  }

  void WriteRules() {
    text_ += "  - {kind: crowd, zones: [view], count: 8, radius_m: 3, after_s: 3}\n";
    if (roads_.empty()) return;
    Add("  - {{kind: near_miss, zones: {}{}, time_to_collision_s: 1.5, post_encroachment_s: 1.5}}\n",
        List(roads_), Except(islands_));
    Add("  - {{kind: person_on_road, zones: {}{}, after_s: 1}}\n", List(roads_),
        Except(Both(islands_, near_crosswalks_)));
    if (!lanes_.empty())
      Add("  - {{kind: wrong_way, zones: {}{}, after_s: 1.5}}\n", List(lanes_), Except(intersection_));
    WriteStopped();
    for (const auto& [line, signal] : signal_of_line_)
      Add("  - {{kind: red_light, name: red_light_{0}, line: {0}, direction: forward, topic: signal/{1}}}\n",
          line, signal);
    int index = 0;
    for (const auto& [limit, zones] : lanes_by_limit_)
      Add("  - {{kind: speed, name: speed_{}, zones: {}, speed_kmh: {}, after_s: 0.5}}\n", index++,
          List(zones), Fixed(limit * kOverLimit * 3.6, 2));
    Add("  - {{kind: abandoned_object, labels: [car, bus, truck, motorcycle, bicycle], zones: {}{}, after_s: "
        "30}}\n",
        List(roads_), Except(Both(Both(islands_, bays_), Waiting())));
  }
  // Where one waits for signals and for others.
  std::vector<std::string> Waiting() const {
    std::vector<std::string> zones = yields_;
    for (const auto& [zone, signal] : approaches_) zones.push_back(zone);
    return zones;
  }
  // 8 s where nobody has to wait, 25 s where one gives way; at signals those do not count that are not green.
  void WriteStopped() {
    std::vector<std::string> waiting;
    for (const auto& [zone, signal] : approaches_) {
      Add("  - {{kind: stopped_vehicle, name: stopped_{0}, zones: [{0}]{1}, topic: signal/{2}, after_s: "
          "25}}\n",
          zone, Except(Both(Both(islands_, bays_), waiting)), signal);
      waiting.push_back(zone);
    }
    if (!yields_.empty())
      Add("  - {{kind: stopped_vehicle, name: stopped_giving_way, zones: {}{}, after_s: 25}}\n",
          List(yields_), Except(Both(Both(islands_, bays_), waiting)));
    Add("  - {{kind: stopped_vehicle, zones: {}{}, after_s: 8}}\n", List(roads_),
        Except(Both(Both(Both(islands_, bays_), waiting), yields_)));
  }

  const Layout& layout_;
  const StreetFacts facts_;
  const double far_;
  std::string text_, lines_;
  std::vector<std::string> roads_, islands_, intersection_, near_crosswalks_, yields_, bays_, lanes_;
  std::vector<std::pair<std::string, int>> approaches_, signal_of_line_;
  std::map<double, std::vector<std::string>> lanes_by_limit_;
};

}  // namespace

std::string CameraFile(const Layout& layout) { return CameraText(layout).Write(); }

}  // namespace sightline::simulate
