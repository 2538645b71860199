#include "base/text.h"
#include "stages/postprocess/families.h"
#include "stages/postprocess/head.h"

namespace sightline::postprocess {

absl::Span<const HeadFamily> HeadFamilies() {
  static const HeadFamily kFamilies[] = {kYolox, kYolov5, kYolov8,   kNanodet,    kSsd,
                                         kScrfd, kYunet,  kClassify, kAttributes, kEmbedding};
  return kFamilies;
}

const HeadFamily* FindHeadFamily(std::string_view name) {
  for (const HeadFamily& family : HeadFamilies()) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

std::optional<std::pair<const HeadFamily*, Recognition>> RecogniseHead(const GraphSignature& graph) {
  constexpr int kClose = 10;  // a runner-up so near is worth naming
  std::optional<std::pair<const HeadFamily*, Recognition>> best;
  std::string runner_up;
  int second = -1;
  for (const HeadFamily& family : HeadFamilies()) {
    absl::StatusOr<std::optional<Recognition>> found = family.recognise(graph, /*forced=*/false);
    if (!found.ok() || !found->has_value()) continue;
    const int confidence = (*found)->confidence;
    if (best && confidence <= best->second.confidence) {
      if (confidence > second) {
        second = confidence;
        runner_up = family.name;
      }
      continue;
    }
    if (best) {
      second = best->second.confidence;
      runner_up = best->first->name;
    }
    best.emplace(&family, *std::move(*found));
  }
  if (best && second >= best->second.confidence - kClose) {
    best->second.unknown.push_back(fmt::format("family: it could also be {}", runner_up));
  }
  return best;
}

}  // namespace sightline::postprocess
