// The text of models/catalogue.yaml, put into the program by the build.
#pragma once

namespace sightline::registry {

extern const char kCatalogueYaml[];

}  // namespace sightline::registry
