// Any bytes: the answer is one of the formats, and does not depend on what follows the first kSniffBytes.
#include <cstdlib>

#include "stages/decode/sniff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline::decode;
  const absl::Span<const uint8_t> bytes(data, size);
  const MediaFormat format = Sniff(bytes);
  if (Name(format).empty() || Describe(bytes).empty()) std::abort();
  if (Sniff(bytes.subspan(0, std::min(size, kSniffBytes))) != format) std::abort();
  return 0;
}
