#include "stages/decode/jpeg2000_samples.h"

#include <vips/vips.h>

#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "stages/decode/jpeg2000_header.h"
#include "stages/decode/picture_limits.h"
#include "stages/decode/vips_library.h"

namespace sightline::decode {
namespace {

template <typename T>
void ShiftDown(std::vector<uint8_t>* data, int shift) {
  for (size_t at = 0; at + sizeof(T) <= data->size(); at += sizeof(T)) {
    T sample;
    std::memcpy(&sample, data->data() + at, sizeof(T));
    sample = static_cast<T>(sample >> shift);
    std::memcpy(data->data() + at, &sample, sizeof(T));
  }
}

// Undoes that libvips moves unsigned samples to the top of their bytes.
void ShiftDown(Jpeg2000Samples* samples) {
  const int shift = 8 * samples->bytes - samples->bits;
  if (samples->is_signed || shift <= 0) return;
  samples->bytes == 1 ? ShiftDown<uint8_t>(&samples->data, shift)
                      : ShiftDown<uint16_t>(&samples->data, shift);
}

}  // namespace

absl::StatusOr<Jpeg2000Samples> DecodeJpeg2000Samples(absl::Span<const uint8_t> bytes,
                                                      const MediaLimits& limits) {
  RETURN_IF_ERROR(StartVips());
  RETURN_IF_ERROR(CheckJpeg2000(bytes, limits));
  VipsImage* image = nullptr;
  void* data = const_cast<uint8_t*>(bytes.data());  // NOLINT: libvips only reads
  const int failed = vips_jp2kload_buffer(data, bytes.size(), &image, "access", VIPS_ACCESS_SEQUENTIAL,
                                          "fail_on", VIPS_FAIL_ON_TRUNCATED, static_cast<void*>(nullptr));
  if (failed != 0) return TakeVipsError("JPEG 2000");
  const absl::Cleanup free_image = [&] { g_object_unref(image); };
  Jpeg2000Samples samples;
  samples.size = {vips_image_get_width(image), vips_image_get_height(image)};
  RETURN_IF_ERROR(CheckPictureSize(samples.size.width, samples.size.height, limits));
  samples.components = vips_image_get_bands(image);
  const VipsBandFormat format = vips_image_get_format(image);
  samples.is_signed = format == VIPS_FORMAT_CHAR || format == VIPS_FORMAT_SHORT;
  samples.bytes = static_cast<int>(vips_format_sizeof(format));
  if (samples.bytes > 2)
    return absl::UnimplementedError("JPEG 2000 with more than 16 bits a sample: not supported");
  samples.bits = ReadJpeg2000Header(bytes)->bits;  // CheckJpeg2000 has found the header
  size_t size = 0;
  void* memory = vips_image_write_to_memory(image, &size);
  if (memory == nullptr) return TakeVipsError("JPEG 2000");
  const absl::Cleanup free_memory = [&] { g_free(memory); };
  samples.data.assign(static_cast<const uint8_t*>(memory), static_cast<const uint8_t*>(memory) + size);
  ShiftDown(&samples);
  return samples;
}

}  // namespace sightline::decode
