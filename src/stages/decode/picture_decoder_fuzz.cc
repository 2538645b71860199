// All still formats but JPEG and DICOM, which have fuzzers of their own.
#include "stages/decode/fuzz_pictures.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline::decode;
  const absl::Span<const uint8_t> bytes(data, size);
  const MediaFormat format = Sniff(bytes);
  if (format == MediaFormat::kJpeg || format == MediaFormat::kDicom) return -1;
  static const auto decoder = PictureDecoder::Create(FuzzLimits());
  DecodeEverything(*decoder, bytes);
  return 0;
}
