// Results of `sightline run`, and events, as JSON Lines; results as Parquet.
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"
#include "store/parquet_reader.h"

namespace sightline::evaluate {
namespace {

using Json = nlohmann::json;

// What each kind of row adds. Tracks stand beside the detections that they were made of: they are kept apart
// by their identity, and the two tasks take what is theirs.
void Add(std::string_view kind, const std::string& source, int64_t frame, Annotation annotation,
         PictureTable* table, DataSet* set) {
  Picture& picture = table->At(source, frame);
  if (kind == "detection") {
    set->has_detections = true;
    annotation.track_id.reset();
  } else if (kind == "track") {
    set->has_tracks = true;
  } else if (kind != "classification" || annotation.attributes.empty()) {
    if (kind != "classification") return;
    annotation.attributes["label"] = {annotation.label, annotation.score};
  }
  picture.annotations.push_back(std::move(annotation));
}

std::string TextOf(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return value.dump();
}

void AddRow(const Json& row, const ReadOptions& options, PictureTable* table, DataSet* set) {
  const std::string kind = row.at("kind").get<std::string>();
  if (kind == "error") {
    ++set->errors;
    return;
  }
  if (!options.step.empty() && row.at("step") != options.step) return;
  Annotation annotation;
  if (row.contains("label")) annotation.label = TextOf(row.at("label"));
  if (row.contains("score") && row.at("score").is_number()) annotation.score = row.at("score").get<float>();
  if (row.contains("box") && row.at("box").is_array()) {
    const Json& box = row.at("box");
    const float x1 = box.at(0).get<float>(), y1 = box.at(1).get<float>(), x2 = box.at(2).get<float>(),
                y2 = box.at(3).get<float>();
    if (!IsBox(double{x1}, double{y1}, double{x2}, double{y2}))
      throw std::invalid_argument("box " + box.dump() + " is none that a picture can hold");
    annotation.box = Box{x1, y1, x2, y2};
  }
  if (row.contains("track_id") && row.at("track_id").is_number())
    annotation.track_id = row.at("track_id").get<int64_t>();
  if (row.contains("attributes") && row.at("attributes").is_object()) {
    for (const auto& [name, value] : row.at("attributes").items()) {
      Property property;
      property.value = TextOf(value.is_object() ? value.at("value") : value);
      if (value.is_object() && value.contains("score") && value.at("score").is_number())
        property.score = value.at("score").get<double>();
      annotation.attributes[name] = property;
    }
  }
  Add(kind, row.at("source").get<std::string>(), row.value("frame", int64_t{0}), std::move(annotation), table,
      set);
}

// CloudEvents as a node writes them: a state comes twice, when it begins and when it ends, and what comes
// again has the same id.
struct KnownEvents {
  std::set<std::string> ids;
  std::map<std::string, size_t> states;  // the id of the event that began it -> where it is in the set
};

// {"kind": "near_miss", "begin_s": ..., "end_s": ..., "time_s": ...}, or a CloudEvent whose data holds these.
void AddEvent(const Json& json, KnownEvents* known, DataSet* set) {
  const Json& data = json.contains("data") && json.at("data").is_object() ? json.at("data") : json;
  TimedEvent event;
  std::string kind =
      data.contains("kind") ? data.at("kind").get<std::string>() : json.at("type").get<std::string>();
  if (const size_t dot = kind.find_last_of("./"); dot != std::string::npos) kind = kind.substr(dot + 1);
  event.kind = kind;
  if (json.contains("source")) event.source = TextOf(json.at("source"));
  const auto number = [&](const char* name) -> std::optional<double> {
    if (!data.contains(name) || !data.at(name).is_number()) return std::nullopt;
    return data.at(name).get<double>();
  };
  const std::optional<double> time = number("time_s"), begin = number("begin_s"), end = number("end_s");
  if (!time && !begin) throw std::invalid_argument("an event has time_s or begin_s");
  event.begin_s = begin ? *begin : *time;
  event.end_s = end ? *end : std::max(event.begin_s, time.value_or(event.begin_s));
  event.reported_s = number("reported_s");
  if (!event.reported_s) event.reported_s = time;
  set->has_events = true;
  const auto text = [](const Json& object, const char* name) {
    return object.contains(name) ? TextOf(object.at(name)) : "";
  };
  const std::string id = text(json, "id"), phase = text(data, "phase"), state = text(data, "state");
  if (!id.empty() && !known->ids.insert(id).second) return;
  if (!state.empty() && phase == "end") {
    if (const auto began = known->states.find(state); began != known->states.end()) {
      set->events[began->second].end_s = event.end_s;
      return;
    }
  }
  if (!state.empty() && phase == "begin") known->states.emplace(state, set->events.size());
  set->events.push_back(event);
}

}  // namespace

absl::Status ReadJsonLines(const std::filesystem::path& path, const ReadOptions& options, DataSet* set) {
  PictureTable table(set);
  KnownEvents known;
  int64_t rows = 0;
  return ForEachLine(path, [&](int64_t, const std::string& line) -> absl::Status {
    if (++rows > options.rows_max)
      return absl::ResourceExhaustedError(fmt::format("more than {} rows", options.rows_max));
    try {
      const Json json = Json::parse(line);
      if (json.contains("frame")) {
        AddRow(json, options, &table, set);
      } else {
        AddEvent(json, &known, set);
      }
    } catch (const std::exception& error) {
      return absl::InvalidArgumentError(
          fmt::format("neither a row of results nor an event: {}", error.what()));
    }
    return absl::OkStatus();
  });
}

absl::Status ReadParquet(const std::filesystem::path& path, const ReadOptions& options, DataSet* set) {
  PictureTable table(set);
  int64_t rows = 0;
  return store::ReadResults(path, [&](const store::StoredRow& row) -> absl::Status {
    if (++rows > options.rows_max)
      return absl::ResourceExhaustedError(fmt::format("more than {} rows", options.rows_max));
    if (row.kind == "error") {
      ++set->errors;
      return absl::OkStatus();
    }
    if (!options.step.empty() && row.step != options.step) return absl::OkStatus();
    Annotation annotation;
    annotation.label = row.label;
    annotation.score = row.score.value_or(1);
    annotation.box = row.box;
    annotation.track_id = row.track_id;
    for (const auto& property : row.attributes)
      annotation.attributes[std::string(property.name)] = {std::string(property.value), property.score};
    Add(row.kind, std::string(row.source), row.frame, std::move(annotation), &table, set);
    return absl::OkStatus();
  });
}

}  // namespace sightline::evaluate
