#include "data/result.h"

namespace sightline {

std::string_view Name(ResultKind kind) {
  switch (kind) {
    case ResultKind::kDetection:
      return "detection";
    case ResultKind::kClassification:
      return "classification";
    case ResultKind::kEmbedding:
      return "embedding";
    case ResultKind::kTrack:
      return "track";
    case ResultKind::kError:
      return "error";
  }
  return "error";
}

}  // namespace sightline
