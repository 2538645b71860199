// COCO: {"images": [...], "annotations": [...], "categories": [...]}, and results as a list of objects.
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"

namespace sightline::evaluate {
namespace {

using Json = nlohmann::json;

absl::StatusOr<Json> Parse(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kFileBytesMax));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

// left, top, width, height
absl::StatusOr<Box> BoxOf(const Json& list) {
  const double x = list.at(0).get<double>(), y = list.at(1).get<double>();
  const double x2 = x + list.at(2).get<double>(), y2 = y + list.at(3).get<double>();
  if (!IsBox(x, y, x2, y2)) return absl::InvalidArgumentError("bbox " + list.dump() + " is no box");
  return Box{static_cast<float>(x), static_cast<float>(y), static_cast<float>(x2), static_cast<float>(y2)};
}

absl::Status FillTruth(const Json& json, DataSet* set) {
  std::map<int64_t, std::string>& names = set->label_names;
  for (const Json& category : json.at("categories")) {
    names[category.at("id").get<int64_t>()] = category.at("name").get<std::string>();
    set->labels.push_back(category.at("name").get<std::string>());
  }
  std::map<int64_t, size_t> pictures;
  for (const Json& image : json.at("images")) {
    const auto id = image.at("id").get<int64_t>();
    const auto name = image.at("file_name").get<std::string>();
    pictures[id] = set->pictures.size();
    set->pictures.push_back({name, 0, {}});
    set->picture_names[id] = name;
  }
  for (const Json& entry : json.at("annotations")) {
    const auto picture = pictures.find(entry.at("image_id").get<int64_t>());
    const auto name = names.find(entry.at("category_id").get<int64_t>());
    if (picture == pictures.end() || name == names.end())
      continue;  // of a picture or class that is not in this set
    Annotation annotation;
    ASSIGN_OR_RETURN(annotation.box, BoxOf(entry.at("bbox")));
    annotation.label = name->second;
    annotation.crowd = entry.value("iscrowd", 0) != 0;
    annotation.ignore = annotation.crowd || entry.value("ignore", 0) != 0;
    if (entry.contains("area")) annotation.area = entry.at("area").get<double>();
    set->pictures[picture->second].annotations.push_back(std::move(annotation));
  }
  set->has_detections = true;
  return absl::OkStatus();
}

absl::Status FillResults(const Json& json, DataSet* set) {
  PictureTable table(set);
  for (const Json& entry : json) {
    Annotation annotation;
    ASSIGN_OR_RETURN(annotation.box, BoxOf(entry.at("bbox")));
    annotation.score = entry.at("score").get<float>();
    annotation.label = entry.contains("category")
                           ? entry.at("category").get<std::string>()
                           : fmt::format("#{}", entry.at("category_id").get<int64_t>());
    const std::string source = entry.contains("file_name")
                                   ? entry.at("file_name").get<std::string>()
                                   : fmt::format("#{}", entry.at("image_id").get<int64_t>());
    table.At(source, 0).annotations.push_back(std::move(annotation));
  }
  set->has_detections = true;
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadCocoTruth(const std::filesystem::path& path, DataSet* set) {
  ASSIGN_OR_RETURN(const Json json, Parse(path));
  try {
    return Annotate(FillTruth(json, set), path.string());
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: not COCO truth: {}", path.string(), error.what()));
  }
}

absl::Status ReadCocoResults(const std::filesystem::path& path, DataSet* set) {
  ASSIGN_OR_RETURN(const Json json, Parse(path));
  try {
    return Annotate(FillResults(json, set), path.string());
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: not COCO results: {}", path.string(), error.what()));
  }
}

}  // namespace sightline::evaluate
