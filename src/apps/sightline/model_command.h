// What the model commands print.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry/model_store.h"
#include "registry/onnx_graph.h"
#include "registry/verify_model.h"
#include "stages/postprocess/head.h"

namespace CLI {
class App;
}

namespace sightline::app {

void AddModelPull(CLI::App& model, int* exit_code);

using RecognisedHead = std::optional<std::pair<const postprocess::HeadFamily*, postprocess::Recognition>>;

std::string GraphText(const std::string& file, const registry::GraphSummary& graph,
                      const RecognisedHead& recognised);
std::string GraphJson(const std::string& file, const registry::GraphSummary& graph,
                      const RecognisedHead& recognised);
std::string VerifyText(const registry::VerifyReport& report);
std::string ListText(const std::vector<registry::ModelStore::Listing>& listings,
                     const std::vector<std::filesystem::path>& roots);
std::string ListJson(const std::vector<registry::ModelStore::Listing>& listings);

}  // namespace sightline::app
