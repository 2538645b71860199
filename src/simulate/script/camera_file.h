// A simulated street as a node's camera: what somebody would write who set it up with care.
#pragma once

#include <string>

#include "simulate/scene/layout.h"

namespace sightline::simulate {

// camera.yaml: zones of what is in view (see docs/simulator.md), stop lines, calibration, and rules whose
// definitions are those of the true events. Signals are topics: signal/N, numbered as in layout.json. The
// same layout gives the same bytes.
std::string CameraFile(const Layout& layout);

}  // namespace sightline::simulate
