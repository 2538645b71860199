#include "stages/sinks/annotate/jpeg_encoder.h"

#include <jpeglib.h>
#include <csetjmp>
#include <cstdio>

#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr size_t kGrowthBytes = size_t{1} << 16;

// libjpeg reports errors by a call that must not return.
struct ErrorHandler {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

struct VectorDestination {
  jpeg_destination_mgr base;
  std::vector<uint8_t>* bytes;
};

VectorDestination* DestinationOf(j_compress_ptr encoder) {
  return reinterpret_cast<VectorDestination*>(encoder->dest);
}

void Begin(j_compress_ptr encoder) {
  VectorDestination* destination = DestinationOf(encoder);
  destination->bytes->resize(std::max(destination->bytes->capacity(), kGrowthBytes));
  destination->base.next_output_byte = destination->bytes->data();
  destination->base.free_in_buffer = destination->bytes->size();
}

boolean Grow(j_compress_ptr encoder) {
  VectorDestination* destination = DestinationOf(encoder);
  const size_t used = destination->bytes->size();
  destination->bytes->resize(used * 2);
  destination->base.next_output_byte = destination->bytes->data() + used;
  destination->base.free_in_buffer = used;
  return TRUE;
}

void End(j_compress_ptr encoder) {
  VectorDestination* destination = DestinationOf(encoder);
  destination->bytes->resize(destination->bytes->size() - destination->base.free_in_buffer);
}

void Fail(j_common_ptr encoder) {
  auto* handler = reinterpret_cast<ErrorHandler*>(encoder->err);
  encoder->err->format_message(encoder, handler->message);
  std::longjmp(handler->jump, 1);
}

void Silence(j_common_ptr, int) {}

}  // namespace

absl::Status EncodeJpeg(const Canvas& canvas, std::string_view comment, std::vector<uint8_t>* bytes,
                        int quality) {
  jpeg_compress_struct encoder{};
  ErrorHandler handler{};
  VectorDestination destination{};
  encoder.err = jpeg_std_error(&handler.base);
  handler.base.error_exit = Fail;
  handler.base.emit_message = Silence;
  if (setjmp(handler.jump) != 0) {  // nothing with a destructor lives between here and the call that fails
    jpeg_destroy_compress(&encoder);
    return absl::InternalError(fmt::format("cannot encode a JPEG picture: {}", handler.message));
  }
  jpeg_create_compress(&encoder);
  destination.bytes = bytes;
  destination.base.init_destination = Begin;
  destination.base.empty_output_buffer = Grow;
  destination.base.term_destination = End;
  encoder.dest = &destination.base;
  encoder.image_width = static_cast<JDIMENSION>(canvas.size().width);
  encoder.image_height = static_cast<JDIMENSION>(canvas.size().height);
  encoder.input_components = 4;
  encoder.in_color_space = JCS_EXT_BGRX;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  for (int i = 0; i < encoder.num_components; ++i) {
    encoder.comp_info[i].h_samp_factor = encoder.comp_info[i].v_samp_factor = 1;
  }
  jpeg_start_compress(&encoder, TRUE);
  jpeg_write_marker(&encoder, JPEG_COM, reinterpret_cast<const JOCTET*>(comment.data()),
                    static_cast<unsigned>(comment.size()));
  while (encoder.next_scanline < encoder.image_height) {
    // libjpeg only reads the row.
    JSAMPROW row = const_cast<uint8_t*>(canvas.pixels()) +
                   static_cast<ptrdiff_t>(encoder.next_scanline) * canvas.stride();  // NOLINT
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  return absl::OkStatus();
}

}  // namespace sightline::sinks
