#include "cameras/node/camera_declaration.h"

#include "base/text.h"

namespace sightline::cameras {
namespace {

using pipeline::ArrayOf;
using pipeline::Boolean;
using pipeline::Choice;
using pipeline::ListOf;
using pipeline::Object;
using pipeline::Of;
using pipeline::Optional;
using pipeline::Text;
using pipeline::TextRule;
using pipeline::Typed;
using pipeline::WideNumber;

bool IsName(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.front() != '_' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

Typed<PointConfig> Point() { return ArrayOf<PointConfig>(WideNumber({.min = -1e6, .max = 1e6}), false); }

const Object<ZoneConfig>& ZoneDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<ZoneConfig>("zone", "A part of the picture that rules speak of.");
    o->Add("name", &ZoneConfig::name, NameText("a name of a-z, 0-9, '_' and '-'"),
           "Name, for rules and events.")
        .Required()
        .Example("road");
    o->Add("points", &ZoneConfig::points, ListOf(Point(), 3, 256),
           "Corners in order, each [x, y]: shares of the picture (0 to 1), or pixels of `picture`.")
        .Required()
        .Example("[[0.1, 0.4], [0.9, 0.4], [0.9, 0.95], [0.1, 0.95]]");
    o->Add("heading_deg", &ZoneConfig::heading_deg, Optional(WideNumber({.min = -360, .max = 360})),
           "Direction of travel: over ground from the x axis towards the y axis where the camera is "
           "calibrated, "
           "else in the picture (0 is right, 90 is down).")
        .Example("90");
    return o;
  }();
  return *object;
}

const Object<LineConfig>& LineDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<LineConfig>("line", "A line across the picture that rules count crossings of.");
    o->Add("name", &LineConfig::name, NameText("a name of a-z, 0-9, '_' and '-'"),
           "Name, for rules and events.")
        .Required()
        .Example("stop_north");
    o->Add("from", &LineConfig::from, Point(), "One end, [x, y] as of zones.")
        .Required()
        .Example("[0.2, 0.6]");
    o->Add("to", &LineConfig::to, Point(), "The other end. Forward is from left to right, seen from `from`.")
        .Required()
        .Example("[0.7, 0.6]");
    return o;
  }();
  return *object;
}

const Object<CalibrationPoint>& CalibrationDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<CalibrationPoint>("calibration point",
                                           "A point of the ground, in the picture and in metres.");
    o->Add("pixel", &CalibrationPoint::pixel, Point(), "[x, y] in pixels of `picture`.")
        .Required()
        .Example("[230.4, 349.2]");
    o->Add("metres", &CalibrationPoint::metres, Point(), "[x, y] on the ground, any origin.")
        .Required()
        .Example("[2.94, -19.86]");
    return o;
  }();
  return *object;
}

}  // namespace

Typed<std::string> NameText(std::string words) {
  TextRule rule;
  rule.words = std::move(words);
  rule.pattern = "^[a-z0-9][a-z0-9_-]{0,62}$";
  rule.valid = &IsName;
  rule.bytes_max = 63;
  return Text(rule);
}

Typed<std::vector<std::string>> Names(size_t max) {
  TextRule rule;
  rule.bytes_max = 256;
  return ListOf(Text(rule), 0, max);
}

Typed<std::vector<std::string>> RedactionKinds() {
  TextRule rule;
  rule.words = "faces, people, plates or zones";
  rule.pattern = "^(faces|people|plates|zones)$";
  rule.valid = [](std::string_view text) {
    return text == "faces" || text == "people" || text == "plates" || text == "zones";
  };
  rule.bytes_max = 16;
  return ListOf(Text(rule), 0, 4);
}

const Object<CameraConfig>& CameraDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<CameraConfig>("camera",
                                       "One camera: where it comes from, how it is watched, and for what.");
    using C = CameraConfig;
    o->Add("name", &C::name, NameText("a name of a-z, 0-9, '_' and '-'"), "Name of the camera.")
        .Required()
        .Example("north");
    o->Add("source", &C::source, Text(),
           "rtsp(s)://, http(s):// (MJPEG or HLS), /dev/videoN, a video file, or sim:street?seed=N. ${NAME} "
           "takes an environment variable, so that credentials need not stand here. rtsps:// is encrypted, "
           "but the camera's certificate is not checked.")
        .Required()
        .Example("rtsp://${NORTH_LOGIN}@10.0.0.5/stream1");
    o->Add("transport", &C::transport,
           Choice<RtspTransport>({{"tcp", RtspTransport::kTcp, ""}, {"udp", RtspTransport::kUdp, ""}}),
           "How RTSP brings the video.");
    o->Add("real_time", &C::real_time, Boolean(),
           "Files and sim: as a camera would give them; false: as fast as they can be analysed.");
    o->Add("loop", &C::loop, Boolean(), "Files: from the begin again at the end.");
    o->Add("allowed_hosts", &C::allowed_hosts, Names(64),
           "HLS: hosts that a playlist may lead to, besides its own.");
    o->Add("pipeline", &C::pipeline, Text(), "Pipeline file, or a built-in pipeline's name.")
        .Default("the node's")
        .Example("street");
    o->Add("attention", &C::attention,
           Choice<AttentionMode>({{"full", AttentionMode::kFull, ""}, {"auto", AttentionMode::kAuto, ""}}),
           "full: the detector sees each analysed frame whole. auto: it looks where something moves or was "
           "lost, and "
           "at everything every few seconds.");
    o->Add("rate", &C::rate, WideNumber({.min = 0, .max = 240}), "Analyses a second; 0: each frame.")
        .Always();
    o->Add("weight", &C::weight, WideNumber({.min = 0.01, .max = 100}),
           "Share of an overloaded node, relative to other cameras.");
    o->Add("picture", &C::picture,
           Optional(ArrayOf<PointConfig>(WideNumber({.min = 1, .max = 65500}), false)),
           "[width, height] of the picture that pixels below are of.")
        .Default("the calibration file's, else the stream's")
        .Example("[1920, 1080]");
    o->Add("zones", &C::zones, ListOf(Of(ZoneDeclaration()), 0, 256), "Parts of the picture.");
    o->Add("lines", &C::lines, ListOf(Of(LineDeclaration()), 0, 256), "Lines across it.");
    o->Add("calibration", &C::calibration, ListOf(Of(CalibrationDeclaration()), 0, 1000),
           "Four or more points of the ground: with them rules measure in metres.");
    o->Add("calibration_file", &C::calibration_file, Text(),
           "Or a file with `pairs` of them, as `sightline simulate street` writes it.")
        .Example("calibration.json");
    o->Add("rules", &C::rules, ListOf(RuleVariants(), 0, 256), "What to look for.");
    o->Add("redact", &C::redact, Optional(RedactionKinds()),
           "What evidence never shows: faces, people, plates, zones.")
        .Default("the node's")
        .Example("[faces, plates]");
    o->Add("redact_zones", &C::redact_zones, Names(64), "Zones that are hidden, with `redact: [zones]`.");
    return o;
  }();
  return *object;
}

}  // namespace sightline::cameras
