#include <filesystem>
#include <set>

#include "base/text.h"
#include "evaluate/metrics.h"

namespace sightline::evaluate {
namespace {

std::string FileName(const std::string& source) { return std::filesystem::path(source).filename().string(); }

std::set<std::string> Sources(const DataSet& set) {
  std::set<std::string> sources;
  for (const Picture& picture : set.pictures) sources.insert(picture.source);
  return sources;
}

}  // namespace

absl::StatusOr<Paired> PairUp(const DataSet& truth, const DataSet& results) {
  const std::set<std::string> of_truth = Sources(truth), of_results = Sources(results);
  // From the results' sources to the truth's.
  std::map<std::string, std::string> same, by_truth;  // and back
  if (of_truth.size() == 1 && of_truth.begin()->empty()) {
    if (of_results.size() > 1) {
      return absl::InvalidArgumentError(fmt::format(
          "the truth is of one video and names none, but the results are of {} sources (the first: {})",
          of_results.size(), ToValidUtf8(*of_results.begin())));
    }
    if (!of_results.empty()) same[*of_results.begin()] = "";
  } else {
    std::map<std::string, std::vector<std::string>> by_name;
    for (const std::string& source : of_truth) by_name[FileName(source)].push_back(source);
    for (const std::string& source : of_results) {
      if (of_truth.contains(source)) {
        same[source] = source;
      } else if (const auto found = by_name.find(FileName(source)); found != by_name.end()) {
        if (found->second.size() > 1) {
          return absl::InvalidArgumentError(fmt::format("{}: the truth has {} pictures of this name: {}, {}",
                                                        ToValidUtf8(source), found->second.size(),
                                                        found->second[0], found->second[1]));
        }
        const std::string& its = found->second.front();
        const auto [claimed, fresh] = by_truth.try_emplace(its, source);
        if (!fresh || of_results.contains(its)) {
          return absl::InvalidArgumentError(fmt::format("{} and {} in the results both go by the truth's {}",
                                                        ToValidUtf8(fresh ? its : claimed->second),
                                                        ToValidUtf8(source), ToValidUtf8(its)));
        }
        same[source] = its;
      }
    }
    if (same.empty() && !of_results.empty() && !of_truth.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("truth and results have no picture in common (truth: {}, ...; results: {}, ...)",
                      ToValidUtf8(*of_truth.begin()), ToValidUtf8(*of_results.begin())));
    }
  }
  std::map<std::pair<std::string, int64_t>, Pair> table;
  for (const Picture& picture : truth.pictures) table[{picture.source, picture.frame}].truth = &picture;
  Paired paired;
  static const Picture kNothing;
  const bool video = of_truth.size() == 1;  // frames without a line in the truth hold nothing
  for (const Picture& picture : results.pictures) {
    const auto source = same.find(picture.source);
    const auto found = source == same.end() ? table.end() : table.find({source->second, picture.frame});
    if (found != table.end()) {
      found->second.results = &picture;
    } else if (source != same.end() && video && truth.has_tracks) {
      table[{source->second, picture.frame}] = {&kNothing, &picture};
    } else {
      ++paired.without_truth;
    }
  }
  for (const auto& [key, pair] : table) {
    paired.pairs.push_back(pair);
    if (pair.results == nullptr) {
      paired.pairs.back().results = &kNothing;
      ++paired.without_results;
    }
  }
  return paired;
}

bool IsDetection(const Annotation& annotation, bool has_plain_detections) {
  return annotation.box.has_value() && !annotation.label.empty() &&
         (!annotation.track_id || !has_plain_detections);
}

}  // namespace sightline::evaluate
