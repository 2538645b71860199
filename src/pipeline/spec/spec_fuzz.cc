// Any bytes as a pipeline and as a card: refused or accepted, never a crash. What is accepted must survive
// printing.
#include <cstdint>

#include "base/check.h"
#include "base/status.h"
#include "pipeline/spec/model_card_spec.h"
#include "pipeline/spec/pipeline_spec.h"

namespace sightline::pipeline {
namespace {

// Every model is there; which family it has depends on its name's first letter.
class AnyModel final : public ModelCatalog {
 public:
  absl::StatusOr<std::shared_ptr<const CatalogModel>> Find(std::string_view name) const override {
    static const char* const kFamilies[] = {"yolox", "classify", "embedding"};
    auto model = std::make_shared<CatalogModel>();
    const size_t at = name.find('@');
    model->card.name = name.substr(0, at);
    if (at != std::string_view::npos) model->card.version = name.substr(at + 1);
    model->card.head.family = kFamilies[static_cast<uint8_t>(name.front()) % 3];
    model->card.head.labels = {"a", "b", "a"};
    return model;
  }
};

}  // namespace
}  // namespace sightline::pipeline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;
  using namespace sightline::pipeline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const AnyModel catalog;
  if (const CheckedPipeline checked = CheckPipeline(text, "f", catalog); checked.plan) {
    const std::string shown = ShowPlan(*checked.plan);
    const CheckedPipeline again = CheckPipeline(shown, "f", catalog);
    CHECK(again.plan && ShowPlan(*again.plan) == shown) << ToStatus(again.diagnostics).ToString() << "\n"
                                                        << shown;
  }
  if (const auto card = ParseModelCard(text, "f"); card.ok()) {
    const std::string printed = FormatModelCard(*card, {});
    const auto again = ParseModelCard(printed, "f");
    CHECK(again.ok() && FormatModelCard(*again, {}) == printed) << printed;
  }
  return 0;
}
