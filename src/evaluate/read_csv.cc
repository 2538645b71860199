// CSV with a header. Columns that are known: source or file (or image), frame, label (or class), score, x1 y1
// x2 y2, or x y width height, or box (a JSON list), track_id (or id), kind, step, attributes (JSON). All
// others are attributes by their names.
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"

namespace sightline::evaluate {
namespace {

using Json = nlohmann::json;

// RFC 4180, one line (quoted cells with line breaks in them are refused: no label has any).
absl::StatusOr<std::vector<std::string>> Cells(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        cells.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += line[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && cells.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote that does not end on its line");
  return cells;
}

struct Columns {
  std::map<std::string, size_t> by_name;
  std::vector<std::string> names;

  std::optional<size_t> Find(std::initializer_list<const char*> candidates) const {
    for (const char* name : candidates) {
      if (const auto found = by_name.find(name); found != by_name.end()) return found->second;
    }
    return std::nullopt;
  }
};

class CsvReader {
 public:
  CsvReader(const ReadOptions& options, DataSet* set) : options_(options), set_(set), table_(set) {}

  absl::Status Header(const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string name = Lower(Trim(cells[i]));
      columns_.names.push_back(name);
      columns_.by_name.emplace(name, i);
    }
    source_ = columns_.Find({"source", "file", "file_name", "image", "filename"});
    if (!source_) return absl::InvalidArgumentError("the header names no column 'source' or 'file'");
    return absl::OkStatus();
  }

  absl::Status Row(const std::vector<std::string>& cells) {
    if (cells.size() != columns_.names.size())
      return absl::InvalidArgumentError(
          fmt::format("{} cells, the header has {}", cells.size(), columns_.names.size()));
    const auto text = [&](std::optional<size_t> column) {
      return column ? std::string(Trim(cells[*column])) : std::string();
    };
    const std::string kind = text(columns_.Find({"kind"}));
    if (kind == "error") {
      ++set_->errors;
      return absl::OkStatus();
    }
    if (kind == "embedding") return absl::OkStatus();
    if (!options_.step.empty() && text(columns_.Find({"step"})) != options_.step) return absl::OkStatus();
    Annotation annotation;
    annotation.label = text(columns_.Find({"label", "class", "category"}));
    if (const auto score = ParseNumber(text(columns_.Find({"score", "confidence"}))))
      annotation.score = static_cast<float>(*score);
    RETURN_IF_ERROR(ReadBox(cells, &annotation));
    if (kind != "detection") {
      if (const auto id = ParseInteger(text(columns_.Find({"track_id", "id"})))) {
        annotation.track_id = *id;
        set_->has_tracks = true;
      }
    }
    set_->has_detections |= annotation.box.has_value() && kind != "track";
    annotation.ignore = text(columns_.Find({"ignore"})) == "1";
    RETURN_IF_ERROR(ReadAttributes(cells, &annotation));
    // A class of the whole picture is an attribute of it.
    if (!annotation.box && annotation.attributes.empty() && !annotation.label.empty()) {
      annotation.attributes["label"] = {annotation.label, std::nullopt};
      if (columns_.Find({"score", "confidence"})) annotation.attributes["label"].score = annotation.score;
    }
    const int64_t frame = ParseInteger(text(columns_.Find({"frame"}))).value_or(0);
    table_.At(cells[*source_], frame).annotations.push_back(std::move(annotation));
    return absl::OkStatus();
  }

 private:
  absl::Status ReadBox(const std::vector<std::string>& cells, Annotation* annotation) {
    float sides[4];
    const auto corners = columns_.Find({"x1"}), corner = columns_.Find({"x"}), list = columns_.Find({"box"});
    if (list && !cells[*list].empty()) {
      const Json json = Json::parse(cells[*list], nullptr, false);
      if (!json.is_array() || json.size() != 4) return absl::InvalidArgumentError("a box is [x1,y1,x2,y2]");
      for (size_t i = 0; i < 4; ++i) {
        if (!json[i].is_number()) return absl::InvalidArgumentError("a box is [x1,y1,x2,y2]");
        sides[i] = json[i].get<float>();
      }
    } else if (corners || corner) {
      const char* const names[2][4] = {{"x1", "y1", "x2", "y2"}, {"x", "y", "width", "height"}};
      for (size_t i = 0; i < 4; ++i) {
        const auto column = columns_.Find({names[corners ? 0 : 1][i]});
        if (!column)
          return absl::InvalidArgumentError(fmt::format("no column '{}'", names[corners ? 0 : 1][i]));
        if (Trim(cells[*column]).empty()) return absl::OkStatus();
        const auto number = ParseNumber(Trim(cells[*column]));
        if (!number)
          return absl::InvalidArgumentError(fmt::format("'{}' is no number", ToValidUtf8(cells[*column])));
        sides[i] = static_cast<float>(*number);
      }
      if (!corners) sides[2] += sides[0], sides[3] += sides[1];
    } else {
      return absl::OkStatus();
    }
    if (!IsBox(double{sides[0]}, double{sides[1]}, double{sides[2]}, double{sides[3]}))
      return absl::InvalidArgumentError("a box that no picture can hold");
    annotation->box = Box{sides[0], sides[1], sides[2], sides[3]};
    return absl::OkStatus();
  }

  absl::Status ReadAttributes(const std::vector<std::string>& cells, Annotation* annotation) {
    static const std::vector<std::string> kKnown = {
        "source",     "file",   "file_name",  "image",     "filename", "frame",     "label", "class",
        "category",   "score",  "confidence", "x1",        "y1",       "x2",        "y2",    "x",
        "y",          "width",  "height",     "box",       "track_id", "id",        "kind",  "step",
        "attributes", "ignore", "time_s",     "keypoints", "mask",     "embedding", "model", "error"};
    if (const auto column = columns_.Find({"attributes"}); column && !cells[*column].empty()) {
      const Json json = Json::parse(cells[*column], nullptr, false);
      if (!json.is_object()) return absl::InvalidArgumentError("attributes are a JSON object");
      for (const auto& [name, value] : json.items()) {
        const Json& inner = value.is_object() && value.contains("value") ? value.at("value") : value;
        Property property{inner.is_string() ? inner.get<std::string>() : inner.dump(), std::nullopt};
        if (value.is_object() && value.contains("score") && value.at("score").is_number())
          property.score = value.at("score").get<double>();
        annotation->attributes[name] = property;
      }
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      if (std::find(kKnown.begin(), kKnown.end(), columns_.names[i]) != kKnown.end() ||
          Trim(cells[i]).empty())
        continue;
      annotation->attributes[columns_.names[i]] = {std::string(Trim(cells[i])), std::nullopt};
    }
    return absl::OkStatus();
  }

  const ReadOptions& options_;
  DataSet* set_;
  PictureTable table_;
  Columns columns_;
  std::optional<size_t> source_;
};

}  // namespace

absl::Status ReadCsv(const std::filesystem::path& path, const ReadOptions& options, DataSet* set) {
  CsvReader reader(options, set);
  int64_t rows = 0;
  return ForEachLine(path, [&](int64_t number, const std::string& line) -> absl::Status {
    if (++rows > options.rows_max)
      return absl::ResourceExhaustedError(fmt::format("more than {} rows", options.rows_max));
    ASSIGN_OR_RETURN(const std::vector<std::string> cells, Cells(line));
    return number == 1 ? reader.Header(cells) : reader.Row(cells);
  });
}

}  // namespace sightline::evaluate
