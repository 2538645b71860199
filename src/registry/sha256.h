// SHA-256 as lower-case hexadecimal text.
#pragma once

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace sightline::registry {

std::string Sha256Hex(absl::Span<const uint8_t> bytes);

}  // namespace sightline::registry
