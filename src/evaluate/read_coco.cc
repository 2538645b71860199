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

Box BoxOf(const Json& list) {
  const float x = list.at(0).get<float>(), y = list.at(1).get<float>();
  return {x, y, x + list.at(2).get<float>(), y + list.at(3).get<float>()};
}

void FillTruth(const Json& json, DataSet* set) {
  std::map<int64_t, std::string> names;
  for (const Json& category : json.at("categories")) {
    names[category.at("id").get<int64_t>()] = category.at("name").get<std::string>();
    set->labels.push_back(category.at("name").get<std::string>());
  }
  std::map<int64_t, size_t> pictures;
  for (const Json& image : json.at("images")) {
    pictures[image.at("id").get<int64_t>()] = set->pictures.size();
    set->pictures.push_back({image.at("file_name").get<std::string>(), 0, {}});
  }
  for (const Json& entry : json.at("annotations")) {
    const auto picture = pictures.find(entry.at("image_id").get<int64_t>());
    const auto name = names.find(entry.at("category_id").get<int64_t>());
    if (picture == pictures.end() || name == names.end())
      continue;  // of a picture or class that is not in this set
    Annotation annotation;
    annotation.box = BoxOf(entry.at("bbox"));
    annotation.label = name->second;
    annotation.crowd = entry.value("iscrowd", 0) != 0;
    annotation.ignore = annotation.crowd || entry.value("ignore", 0) != 0;
    if (entry.contains("area")) annotation.area = entry.at("area").get<double>();
    set->pictures[picture->second].annotations.push_back(std::move(annotation));
  }
  set->has_detections = true;
}

}  // namespace

absl::Status ReadCocoTruth(const std::filesystem::path& path, DataSet* set) {
  ASSIGN_OR_RETURN(const Json json, Parse(path));
  try {
    FillTruth(json, set);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: not COCO truth: {}", path.string(), error.what()));
  }
  return absl::OkStatus();
}

absl::Status ReadCocoResults(const std::filesystem::path& path, DataSet* set) {
  ASSIGN_OR_RETURN(const Json json, Parse(path));
  try {
    PictureTable table(set);
    for (const Json& entry : json) {
      Annotation annotation;
      annotation.box = BoxOf(entry.at("bbox"));
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
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: not COCO results: {}", path.string(), error.what()));
  }
  return absl::OkStatus();
}

}  // namespace sightline::evaluate
