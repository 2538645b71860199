// MOTChallenge: frame (from 1), id, left, top, width, height, then for truth: measured (1 or 0), class (from
// 1), visibility, and for results: score.
#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"

namespace sightline::evaluate {

absl::Status ReadMot(const std::filesystem::path& file, const ReadOptions& options, bool truth,
                     DataSet* set) {
  std::vector<std::string> labels;
  if (!options.labels_file.empty()) {
    RETURN_IF_ERROR(ForEachLine(options.labels_file, [&](int64_t, const std::string& line) {
      labels.emplace_back(Trim(line));
      return absl::OkStatus();
    }));
  }
  if (truth) set->labels = labels.empty() ? std::vector<std::string>{"person"} : labels;
  PictureTable table(set);
  int64_t rows = 0;
  RETURN_IF_ERROR(ForEachLine(file, [&](int64_t, const std::string& line) -> absl::Status {
    if (++rows > options.rows_max)
      return absl::ResourceExhaustedError(fmt::format("more than {} rows", options.rows_max));
    const std::vector<std::string> cells = Split(line, ',');
    if (cells.size() < 6)
      return absl::InvalidArgumentError("a line has at least frame, id, left, top, width and height");
    double numbers[9] = {0, 0, 0, 0, 0, 0, 1, 1, 1};
    for (size_t i = 0; i < std::min<size_t>(cells.size(), 9); ++i) {
      const auto number = ParseNumber(Trim(cells[i]));
      if (!number) return absl::InvalidArgumentError(fmt::format("'{}' is no number", ToValidUtf8(cells[i])));
      numbers[i] = *number;
    }
    if (numbers[0] < 1 || numbers[0] > 1e15) return absl::InvalidArgumentError("frames are counted from 1");
    for (const size_t i : {size_t{1}, size_t{7}}) {
      if (!(std::abs(numbers[i]) <= 1e15))
        return absl::InvalidArgumentError(fmt::format("'{}' numbers nothing", ToValidUtf8(Trim(cells[i]))));
    }
    if (numbers[4] < 0 || numbers[5] < 0) return absl::InvalidArgumentError("a width or height below 0");
    if (!IsBox(numbers[2], numbers[3], numbers[2] + numbers[4], numbers[3] + numbers[5]))
      return absl::InvalidArgumentError("a box that no picture can hold");
    Annotation annotation;
    const auto f = [](double v) { return static_cast<float>(v); };
    annotation.box =
        Box{f(numbers[2]), f(numbers[3]), f(numbers[2] + numbers[4]), f(numbers[3] + numbers[5])};
    if (numbers[1] >= 0) annotation.track_id = static_cast<int64_t>(numbers[1]);
    set->has_tracks |= numbers[1] >= 0;
    set->has_detections = true;
    if (truth) {
      const auto kind = static_cast<int64_t>(numbers[7]);
      annotation.ignore = numbers[6] == 0;
      if (labels.empty()) {  // MOT16 and later: 1 is a pedestrian, all else is there to be left alone
        annotation.label = "person";
        annotation.ignore |= kind != 1 && cells.size() > 7;
      } else if (kind >= 1 && kind <= static_cast<int64_t>(labels.size())) {
        annotation.label = labels[static_cast<size_t>(kind - 1)];
      } else {
        return absl::InvalidArgumentError(fmt::format("class {}: there are {} labels", kind, labels.size()));
      }
    } else {
      annotation.score = f(numbers[6] < 0 ? 1 : numbers[6]);
      const auto kind = static_cast<size_t>(std::max(1.0, numbers[7]));
      annotation.label =
          labels.empty() || cells.size() < 8 || kind > labels.size() ? "person" : labels[kind - 1];
    }
    table.At("", static_cast<int64_t>(numbers[0]) - 1).annotations.push_back(std::move(annotation));
    return absl::OkStatus();
  }));
  return absl::OkStatus();
}

}  // namespace sightline::evaluate
