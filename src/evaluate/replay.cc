#include "evaluate/replay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/text.h"

namespace sightline::evaluate {
namespace {

constexpr int64_t kFramesMax = 20'000'000;

double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

// Frames in time, each with its tracks.
absl::StatusOr<std::map<int64_t, const Picture*>> InOrder(const DataSet& tracks) {
  std::map<int64_t, const Picture*> frames;
  for (const Picture& picture : tracks.pictures) {
    if (picture.source != tracks.pictures.front().source)
      return absl::InvalidArgumentError(fmt::format("tracks of several sources ({}, {}): a camera has one",
                                                    tracks.pictures.front().source, picture.source));
    if (picture.frame < 0 || picture.frame >= kFramesMax)
      return absl::InvalidArgumentError(
          fmt::format("frame {}: not from 0 on and below {}", picture.frame, kFramesMax));
    frames[picture.frame] = &picture;
  }
  return frames;
}

std::vector<rules::Object> ObjectsOf(const Picture* picture, Size size) {
  std::vector<rules::Object> objects;
  if (picture == nullptr) return objects;
  for (const Annotation& annotation : picture->annotations) {
    if (!annotation.track_id || !annotation.box) continue;
    objects.push_back(
        {*annotation.track_id, annotation.label, annotation.score, Clip(*annotation.box, size), true});
  }
  return objects;
}

nlohmann::ordered_json JsonOf(const Event& event, double reported_s) {
  nlohmann::ordered_json json;
  json["kind"] = event.kind;
  json["rule"] = event.rule;
  json["id"] = event.id;
  json["begin_s"] = Rounded(event.time_s);
  json["end_s"] = Rounded(event.time_s + event.duration_s);
  json["time_s"] = Rounded(event.time_s);
  json["reported_s"] = Rounded(reported_s);
  if (!event.zone.empty()) json["zone"] = event.zone;
  if (!event.direction.empty()) json["direction"] = event.direction;
  json["confidence"] = Rounded(event.confidence);
  json["actors"] = nlohmann::ordered_json::array();
  for (const EventActor& actor : event.actors) json["actors"].push_back(actor.track_id);
  if (!event.actors.empty()) {
    const Box& box = event.actors.front().box;
    json["x_px"] = Rounded((static_cast<double>(box.x1) + static_cast<double>(box.x2)) / 2);
    json["y_px"] = Rounded(static_cast<double>(box.y2));
  }
  for (const Event::Value& value : event.values) {
    json[value.name] = Rounded(value.value);
    if (value.error) json[value.name + "_error"] = Rounded(*value.error);
  }
  return json;
}

}  // namespace

absl::StatusOr<std::vector<Event>> ReplayTracks(const DataSet& tracks,
                                                const std::vector<std::shared_ptr<const rules::Rule>>& rules,
                                                const ReplayOptions& options) {
  if (!(options.frames_per_second > 0 && std::isfinite(options.frames_per_second)))
    return absl::InvalidArgumentError("frames a second: a number above 0 is needed");
  ASSIGN_OR_RETURN(const auto frames, InOrder(tracks));
  const int64_t count =
      std::min(kFramesMax, std::max(options.frames, frames.empty() ? 0 : frames.rbegin()->first + 1));
  rules::RuleStates states(rules);
  std::vector<TopicChange> topics = options.topics;
  std::stable_sort(topics.begin(), topics.end(),
                   [](const TopicChange& a, const TopicChange& b) { return a.time_s < b.time_s; });
  std::vector<Event> events;
  size_t next_topic = 0;
  double due_s = 0;
  for (int64_t i = 0; i < count; ++i) {
    rules::Moment moment;
    moment.time_s = static_cast<double>(i) / options.frames_per_second;
    if (moment.time_s + 1e-9 < due_s) continue;
    if (options.rate > 0) due_s = std::max(due_s + 1 / options.rate, moment.time_s);
    moment.captured = options.start + std::chrono::duration_cast<WallTime::duration>(
                                          std::chrono::duration<double>(moment.time_s));
    moment.picture = options.picture;
    const auto found = frames.find(i);
    const auto objects = ObjectsOf(found == frames.end() ? nullptr : found->second, options.picture);
    moment.objects = objects;
    for (; next_topic < topics.size() && topics[next_topic].time_s <= moment.time_s + 1e-9; ++next_topic)
      states.OnTopic(topics[next_topic].value);
    states.Update(moment, &events);
  }
  states.Reset(&events);
  return events;
}

std::string EventLines(const std::vector<Event>& events, WallTime start) {
  // A state's line says when its begin was known, and its length and measures from its end.
  std::map<std::pair<std::string, std::string>, double> begun;
  std::string lines;
  for (const Event& event : events) {
    const double known_s = std::chrono::duration<double>(event.captured - start).count();
    if (event.phase == EventPhase::kBegin) {
      begun[{event.rule, event.id}] = known_s;
      continue;
    }
    const auto begin = begun.find({event.rule, event.id});
    lines += JsonOf(event, begin == begun.end() ? known_s : begin->second)
                 .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    lines += '\n';
    if (begin != begun.end()) begun.erase(begin);
  }
  return lines;
}

}  // namespace sightline::evaluate
