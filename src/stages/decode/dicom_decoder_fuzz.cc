#include "stages/decode/dicom_decoder.h"
#include "stages/decode/fuzz_pictures.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline::decode;
  static const auto decoder = CreateDicomDecoder(FuzzLimits());
  DecodeEverything(*decoder, {data, size});
  return 0;
}
