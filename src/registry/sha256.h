// SHA-256 as lower-case hexadecimal text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"

namespace sightline::registry {

std::string Sha256Hex(absl::Span<const uint8_t> bytes);

// Of bytes that come in pieces. Threads: one at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(absl::Span<const uint8_t> bytes);
  std::string FinishHex();  // once; nothing may be added then

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sightline::registry
