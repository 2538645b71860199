// The declarations of node.yaml and of the cameras in it.
#pragma once

#include "cameras/node/node_config.h"
#include "pipeline/spec/declare.h"

namespace sightline::cameras {

pipeline::Typed<std::string> NameText(std::string words);
pipeline::Typed<std::vector<std::string>> Names(size_t max);
pipeline::Typed<std::vector<std::string>> RedactionKinds();

pipeline::Typed<rules::RuleConfig> RuleVariants();
const pipeline::Object<CameraConfig>& CameraDeclaration();
const pipeline::Object<NodeConfig>& NodeDeclaration();

}  // namespace sightline::cameras
