// The declaration of model.yaml.
#pragma once

#include "data/model_card.h"
#include "pipeline/spec/declare.h"

namespace sightline::pipeline {

const Object<ModelCard>& ModelCardDeclaration();

bool IsModelName(std::string_view text);  // letters, digits, '.', '_', '-'; not starting with '.'

}  // namespace sightline::pipeline
