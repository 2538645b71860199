#include "stages/decode/jpeg/turbo.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include <jpeglib.h>
// After jpeglib.h, whose types it needs.
#include <jerror.h>

#include "base/check.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/decode/jpeg/head.h"

namespace sightline::decode::jpeg {
namespace {

constexpr int kPlanesMax = 3;
constexpr int kRowsMax = 4 * DCTSIZE;  // of one component in one call: v_samp_factor <= 4
// Real files have a few bytes of padding before EOI; a decoder that lost its way leaves much more.
constexpr int kExtraneousBytesMax = 512;

enum class Failure { kNone, kLibrary, kWarning, kScans };

// libjpeg's structures first, so that its callbacks find ours from the pointers they get.
struct Library {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  jpeg_source_mgr source;
  std::jmp_buf jump;
  Failure failure;
  int scans_max;
  char message[JMSG_LENGTH_MAX];
};

Library* Of(j_common_ptr info) { return static_cast<Library*>(info->client_data); }

[[noreturn]] void Leave(j_common_ptr info, Failure failure) {
  Library* library = Of(info);
  library->failure = failure;
  info->err->format_message(info, library->message);
  std::longjmp(library->jump, 1);
}

void OnError(j_common_ptr info) { Leave(info, Failure::kLibrary); }

// Warnings about samples are errors here: a damaged file shall not pass as a picture.
void OnMessage(j_common_ptr info, int level) {
  if (level >= 0) return;  // traces
  const jpeg_error_mgr& errors = *info->err;
  const bool harmless =
      errors.msg_code == JWRN_ADOBE_XFORM || errors.msg_code == JWRN_JFIF_MAJOR ||
      (errors.msg_code == JWRN_EXTRANEOUS_DATA && errors.msg_parm.i[0] <= kExtraneousBytesMax &&
       (errors.msg_parm.i[1] < 0xD0 || errors.msg_parm.i[1] > 0xD7));
  if (!harmless) Leave(info, Failure::kWarning);
}

void OnProgress(j_common_ptr info) {
  Library* library = Of(info);
  if (library->info.input_scan_number > library->scans_max) Leave(info, Failure::kScans);
}

void InitSource(j_decompress_ptr) {}
void TermSource(j_decompress_ptr) {}

// The whole file is in memory, so wanting more means that it was cut.
boolean FillInput(j_decompress_ptr info) {
  WARNMS(info, JWRN_JPEG_EOF);
  return FALSE;
}

void SkipInput(j_decompress_ptr info, long count) {  // NOLINT: the library's signature
  if (count <= 0) return;
  if (static_cast<size_t>(count) > info->src->bytes_in_buffer) WARNMS(info, JWRN_JPEG_EOF);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= static_cast<size_t>(count);
}

bool IsUnsupported(int code) {
  return code == JERR_SOF_UNSUPPORTED || code == JERR_BAD_PRECISION || code == JERR_ARITH_NOTIMPL ||
         code == JERR_CONVERSION_NOTIMPL || code == JERR_NOT_COMPILED || code == JERR_FRACT_SAMPLE_NOTIMPL ||
         code == JERR_CCIR601_NOTIMPL || code == JERR_COMPONENT_COUNT;
}

bool IsTruncation(int code) {
  return code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF || code == JERR_INPUT_EMPTY;
}

// Which planes the raw samples make, or kRgb24 where they have to be converted.
PixelFormat FormatOf(const jpeg_decompress_struct& info) {
  if (info.num_components == 1) return PixelFormat::kGray8;
  if (info.num_components != 3 || info.jpeg_color_space != JCS_YCbCr) return PixelFormat::kRgb24;
  const jpeg_component_info *y = &info.comp_info[0], *b = &info.comp_info[1], *r = &info.comp_info[2];
  if (b->DCT_scaled_size != r->DCT_scaled_size || b->h_samp_factor != r->h_samp_factor ||
      b->v_samp_factor != r->v_samp_factor || y->h_samp_factor != info.max_h_samp_factor ||
      y->v_samp_factor != info.max_v_samp_factor) {
    return PixelFormat::kRgb24;
  }
  // In samples of one MCU; libjpeg may give chroma at a larger scale than luma.
  const int yw = y->h_samp_factor * y->DCT_scaled_size, yh = y->v_samp_factor * y->DCT_scaled_size;
  const int cw = b->h_samp_factor * b->DCT_scaled_size, ch = b->v_samp_factor * b->DCT_scaled_size;
  if (yw == cw && yh == ch) return PixelFormat::kYuv444;
  if (yw == 2 * cw && yh == ch) return PixelFormat::kYuv422;
  if (yw == 2 * cw && yh == 2 * ch) return PixelFormat::kYuv420;
  return PixelFormat::kRgb24;
}

void ReadPlanes(jpeg_decompress_struct* info, const Frame& frame, JSAMPROW spare) {
  JSAMPROW rows[kPlanesMax][kRowsMax];
  JSAMPARRAY planes[kPlanesMax] = {rows[0], rows[1], rows[2]};
  int next[kPlanesMax] = {0, 0, 0};
  const JDIMENSION lines = static_cast<JDIMENSION>(info->max_v_samp_factor * info->min_DCT_scaled_size);
  while (info->output_scanline < info->output_height) {
    for (int i = 0; i < info->num_components; ++i) {
      const int height = PlaneSize(frame.format, frame.size, i).height;
      const int count = info->comp_info[i].v_samp_factor * info->comp_info[i].DCT_scaled_size;
      for (int row = 0; row < count; ++row, ++next[i]) {
        rows[i][row] = next[i] < height
                           ? const_cast<JSAMPROW>(frame.planes[static_cast<size_t>(i)].data) +
                                 static_cast<ptrdiff_t>(next[i]) * frame.planes[static_cast<size_t>(i)].stride
                           : spare;
      }
    }
    jpeg_read_raw_data(info, planes, lines);
  }
}

// Files store CMYK inverted (255 is no ink), as Adobe does; the naive conversion, without profiles.
void InvertedCmykToRgb(const uint8_t* cmyk, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c) {
      const int product = cmyk[4 * x + c] * cmyk[4 * x + 3] + 128;
      rgb[3 * x + c] = static_cast<uint8_t>((product + (product >> 8)) >> 8);
    }
  }
}

void ReadRgb(jpeg_decompress_struct* info, const Frame& frame, JSAMPROW spare) {
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = const_cast<JSAMPROW>(frame.planes[0].data) +
                   static_cast<ptrdiff_t>(info->output_scanline) * frame.planes[0].stride;
    if (info->out_color_components == 3) {
      jpeg_read_scanlines(info, &row, 1);
    } else {
      jpeg_read_scanlines(info, &spare, 1);
      InvertedCmykToRgb(spare, frame.size.width, row);
    }
  }
}

}  // namespace

struct TurboDecoder::State {
  MediaLimits limits;
  Library library{};
  std::vector<uint8_t> spare;  // a row that nobody reads, or one of CMYK

  absl::Status FailureStatus() const;
  bool Start(absl::Span<const uint8_t> bytes);
  bool Choose(int scale_log2, PixelFormat* format);
  bool Read(const Frame& frame);
};

TurboDecoder::TurboDecoder(const MediaLimits& limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  Library& library = state_->library;
  library.scans_max = limits.scans_max;
  library.info.err = jpeg_std_error(&library.errors);
  library.errors.error_exit = OnError;
  library.errors.emit_message = OnMessage;
  library.info.client_data = &library;
  // Creating fails only without memory or with a library of another version.
  const bool failed = setjmp(library.jump) != 0;
  CHECK(!failed) << library.message;
  jpeg_create_decompress(&library.info);
  jpeg_save_markers(&library.info, JPEG_APP0 + 1, 0xFFFF);  // EXIF
  library.info.client_data = &library;
  library.progress.progress_monitor = OnProgress;
  library.info.progress = &library.progress;
  library.source.init_source = InitSource;
  library.source.fill_input_buffer = FillInput;
  library.source.skip_input_data = SkipInput;
  library.source.resync_to_restart = jpeg_resync_to_restart;
  library.source.term_source = TermSource;
  library.info.src = &library.source;
}

TurboDecoder::~TurboDecoder() { jpeg_destroy_decompress(&state_->library.info); }

// The three steps below run the library under a jump buffer of their own, and hold nothing that needs
// destroying.
bool TurboDecoder::State::Start(absl::Span<const uint8_t> bytes) {
  library.failure = Failure::kNone;
  library.source.next_input_byte = bytes.data();
  library.source.bytes_in_buffer = bytes.size();
  if (setjmp(library.jump) != 0) return false;
  jpeg_abort_decompress(&library.info);
  jpeg_read_header(&library.info, TRUE);
  return true;
}

bool TurboDecoder::State::Choose(int scale_log2, PixelFormat* format) {
  if (setjmp(library.jump) != 0) return false;
  jpeg_decompress_struct& info = library.info;
  info.scale_num = 1;
  info.scale_denom = 1u << scale_log2;
  info.dct_method = JDCT_ISLOW;
  jpeg_calc_output_dimensions(&info);
  *format = FormatOf(info);
  if (*format == PixelFormat::kRgb24) {
    info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  } else {
    info.out_color_space = info.jpeg_color_space;
    info.raw_data_out = TRUE;
  }
  return true;
}

bool TurboDecoder::State::Read(const Frame& frame) {
  if (setjmp(library.jump) != 0) return false;
  jpeg_decompress_struct& info = library.info;
  jpeg_start_decompress(&info);
  if (frame.format == PixelFormat::kRgb24) {
    ReadRgb(&info, frame, spare.data());
  } else {
    ReadPlanes(&info, frame, spare.data());
  }
  jpeg_finish_decompress(&info);  // reads on to EOI
  return true;
}

absl::Status TurboDecoder::State::FailureStatus() const {
  const int code = library.errors.msg_code;
  if (library.failure == Failure::kScans) {
    return absl::ResourceExhaustedError(
        fmt::format("JPEG: more than {} scans (raise the limit scans_max to accept it)", limits.scans_max));
  }
  if (code == JERR_OUT_OF_MEMORY) return absl::ResourceExhaustedError("JPEG: out of memory");
  const std::string message =
      fmt::format("JPEG: {}{}", IsTruncation(code) ? "truncated file: " : "", library.message);
  return library.failure == Failure::kLibrary && IsUnsupported(code) ? absl::UnimplementedError(message)
                                                                     : absl::DataLossError(message);
}

absl::StatusOr<Size> TurboDecoder::ReadSize(absl::Span<const uint8_t> bytes) {
  if (!state_->Start(bytes)) return state_->FailureStatus();
  const Size size{static_cast<int>(state_->library.info.image_width),
                  static_cast<int>(state_->library.info.image_height)};
  RETURN_IF_ERROR(CheckSize(size, state_->limits));
  return size;
}

int TurboDecoder::orientation() const {
  constexpr uint8_t kName[6] = {'E', 'x', 'i', 'f', 0, 0};
  for (jpeg_saved_marker_ptr m = state_->library.info.marker_list; m != nullptr; m = m->next) {
    if (m->data_length < sizeof kName || std::memcmp(m->data, kName, sizeof kName) != 0) continue;
    const int orientation = ExifOrientation({m->data + sizeof kName, m->data_length - sizeof kName});
    return orientation != 0 ? orientation : 1;
  }
  return 1;
}

absl::Status TurboDecoder::Decode(absl::Span<const uint8_t> bytes, int scale_log2, Frame* frame) {
  State& state = *state_;
  jpeg_decompress_struct& info = state.library.info;
  if (!state.Start(bytes)) return state.FailureStatus();
  const Size full{static_cast<int>(info.image_width), static_cast<int>(info.image_height)};
  RETURN_IF_ERROR(CheckSize(full, state.limits));
  if (info.num_components != 1 && info.num_components != 3 && info.num_components != 4) {
    return absl::UnimplementedError(
        fmt::format("JPEG: {} colour components (1, 3 and 4 are known)", info.num_components));
  }
  // Huffman coding takes a bit for each block at least: see that before room is made for a large picture.
  const int64_t blocks = (int64_t{full.width} + 7) / 8 * ((int64_t{full.height} + 7) / 8);
  if (!info.arith_code && static_cast<int64_t>(bytes.size()) * 8 < blocks) {
    return absl::DataLossError(fmt::format("JPEG: truncated file: {} bytes cannot hold {}x{} pixels",
                                           bytes.size(), full.width, full.height));
  }
  PixelFormat format = PixelFormat::kRgb24;
  if (!state.Choose(scale_log2, &format)) return state.FailureStatus();
  frame->Allocate(format, {static_cast<int>(info.output_width), static_cast<int>(info.output_height)});
  frame->matrix = ColorMatrix::kBt601;
  frame->range = ColorRange::kFull;
  // A row of an MCU row may be wider than the picture by nearly four blocks.
  const size_t spare_bytes = static_cast<size_t>(info.output_width) * 4 + 4 * DCTSIZE + 64;
  if (state.spare.size() < spare_bytes) state.spare.resize(spare_bytes);
  const bool read = state.Read(*frame);
  if (read) return absl::OkStatus();
  absl::Status failure = state.FailureStatus();
  jpeg_abort_decompress(&info);  // frees what the picture needed
  return failure;
}

absl::Status CheckSize(Size size, const MediaLimits& limits) {
  if (size.width > limits.side_max || size.height > limits.side_max) {
    return absl::ResourceExhaustedError(
        fmt::format("JPEG: {}x{} has a side of more than {} pixels (raise the limit side_max to accept it)",
                    size.width, size.height, limits.side_max));
  }
  const int64_t pixels = int64_t{size.width} * size.height;
  if (pixels > limits.pixels_max) {
    return absl::ResourceExhaustedError(
        fmt::format("JPEG: {}x{} is {} pixels, more than {} (raise the limit pixels_max to accept it)",
                    size.width, size.height, pixels, limits.pixels_max));
  }
  return absl::OkStatus();
}

}  // namespace sightline::decode::jpeg
