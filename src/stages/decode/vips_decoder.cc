#include "stages/decode/vips_decoder.h"

#include <fmt/format.h>
#include <vips/vips.h>

#include <limits>
#include <optional>

#include "base/file.h"
#include "base/status.h"
#include "stages/decode/jpeg2000_header.h"
#include "stages/decode/picture_limits.h"
#include "stages/decode/pixel_row.h"
#include "stages/decode/upright_writer.h"
#include "stages/decode/vips_library.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using ImagePtr = std::unique_ptr<VipsImage, Unref>;
using RegionPtr = std::unique_ptr<VipsRegion, Unref>;

// Which part of a file to open.
struct Part {
  int page = 0;
  int count = 1;     // consecutive animation frames, one above the other
  int halvings = 0;  // JPEG 2000, WebP: at 1/2^halvings of the size
};

bool IsAnimation(MediaFormat format) { return format == MediaFormat::kGif || format == MediaFormat::kWebp; }

// libvips reads headers here and pixels only when rows are asked for (some formats: all pixels at the first
// row).
absl::StatusOr<ImagePtr> Open(MediaFormat format, Span bytes, const Part& part) {
  void* data = const_cast<uint8_t*>(bytes.data());  // NOLINT: libvips only reads
  const size_t size = bytes.size();
  VipsImage* image = nullptr;
  int failed = 0;
  const auto load = [&](auto loader, auto... options) {
    failed = loader(data, size, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED,
                    options..., static_cast<void*>(nullptr));
  };
  switch (format) {
    case MediaFormat::kPng:
      load(vips_pngload_buffer);
      break;
    case MediaFormat::kWebp:
      load(vips_webpload_buffer, "page", part.page, "n", part.count, "scale", 1.0 / (1 << part.halvings));
      break;
    case MediaFormat::kTiff:
      load(vips_tiffload_buffer, "page", part.page);
      break;
    case MediaFormat::kGif:
      load(vips_gifload_buffer, "page", part.page, "n", part.count);
      break;
    case MediaFormat::kHeif:
    case MediaFormat::kAvif:
      load(vips_heifload_buffer, "page", part.page);
      break;
    case MediaFormat::kJpegXl:
      load(vips_jxlload_buffer);
      break;
    case MediaFormat::kJpeg2000:
      load(vips_jp2kload_buffer, "page", part.halvings);
      break;
    case MediaFormat::kOtherPicture:
      load(vips_radload_buffer);
      break;
    case MediaFormat::kPnm: {
      VipsSource* source = vips_source_new_from_memory(data, size);
      if (source == nullptr) return TakeVipsError(Name(format));
      failed = vips_ppmload_source(source, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                   VIPS_FAIL_ON_TRUNCATED, static_cast<void*>(nullptr));
      g_object_unref(source);  // the image holds its own reference
      break;
    }
    default:
      return absl::UnimplementedError(fmt::format("{} is not read here", Name(format)));
  }
  ImagePtr opened(image);
  if (failed != 0) return TakeVipsError(Name(format));
  return opened;
}

// Deflate makes at most 1032 bytes of one, so that a short PNG can't ask for the memory of a large picture.
absl::Status CheckPngLength(Span bytes, int64_t width, int64_t height) {
  constexpr size_t kDepth = 24, kColorType = 25;
  constexpr int64_t kRatioMax = 1032;
  if (bytes.size() <= kColorType) return absl::OkStatus();
  const int samples = bytes[kColorType] == 2   ? 3
                      : bytes[kColorType] == 6 ? 4
                      : bytes[kColorType] == 4 ? 2
                                               : 1;
  const int64_t least = width * height * samples * bytes[kDepth] / 8 / kRatioMax;
  if (least <= static_cast<int64_t>(bytes.size())) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("damaged PNG file: {} bytes can't hold {} x {} pixels", bytes.size(), width, height));
}

// These loaders turn the picture themselves (libheif, libjxl), so that the EXIF tag must not be applied
// again.
bool LoaderTurns(MediaFormat format) {
  return format == MediaFormat::kHeif || format == MediaFormat::kAvif || format == MediaFormat::kJpegXl;
}

int OrientationOf(MediaFormat format, VipsImage* image) {
  return LoaderTurns(format) ? 1 : vips_image_get_orientation(image);
}

int64_t PagesOf(MediaFormat format, VipsImage* image) {
  // The "pages" of JPEG 2000 are its resolutions.
  return format == MediaFormat::kJpeg2000 ? 1 : std::max(1, vips_image_get_n_pages(image));
}

std::optional<SampleType> SampleTypeOf(VipsBandFormat format) {
  switch (format) {
    case VIPS_FORMAT_UCHAR:
      return SampleType::kUint8;
    case VIPS_FORMAT_CHAR:
      return SampleType::kInt8;
    case VIPS_FORMAT_USHORT:
      return SampleType::kUint16;
    case VIPS_FORMAT_SHORT:
      return SampleType::kInt16;
    case VIPS_FORMAT_UINT:
      return SampleType::kUint32;
    case VIPS_FORMAT_INT:
      return SampleType::kInt32;
    case VIPS_FORMAT_FLOAT:
      return SampleType::kFloat;
    case VIPS_FORMAT_DOUBLE:
      return SampleType::kDouble;
    default:
      return std::nullopt;  // complex numbers
  }
}

// Colour spaces that need arithmetic are left to libvips; grey, RGB and CMYK are read directly.
absl::StatusOr<ImagePtr> ToDeviceColors(ImagePtr image, MediaFormat format) {
  switch (vips_image_get_interpretation(image.get())) {
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_YXY:
    case VIPS_INTERPRETATION_scRGB:
      break;
    default:
      if (vips_image_get_coding(image.get()) == VIPS_CODING_NONE) return image;
  }
  VipsImage* converted = nullptr;
  if (vips_colourspace(image.get(), &converted, VIPS_INTERPRETATION_sRGB, static_cast<void*>(nullptr)) != 0) {
    return TakeVipsError(Name(format));
  }
  return ImagePtr(converted);
}

absl::StatusOr<RowLayout> LayoutOf(VipsImage* image, MediaFormat format) {
  RowLayout layout;
  const std::optional<SampleType> type = SampleTypeOf(vips_image_get_format(image));
  if (!type) return absl::UnimplementedError(fmt::format("{} of complex numbers", Name(format)));
  layout.type = *type;
  layout.bands = vips_image_get_bands(image);
  const bool cmyk = vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK && layout.bands >= 4;
  layout.color = cmyk ? RowColor::kCmyk : layout.bands <= 2 ? RowColor::kGray : RowColor::kRgb;
  const int colors = cmyk ? 4 : layout.color == RowColor::kGray ? 1 : 3;
  if (layout.bands == colors + 1) layout.alpha = colors;
  return layout;
}

// Rows of an opened picture, from the top down.
class RowReader {
 public:
  static absl::StatusOr<RowReader> Create(ImagePtr image, MediaFormat format) {
    RowReader reader;
    reader.format_ = format;
    ASSIGN_OR_RETURN(reader.image_, ToDeviceColors(std::move(image), format));
    ASSIGN_OR_RETURN(reader.layout_, LayoutOf(reader.image_.get(), format));
    reader.region_.reset(vips_region_new(reader.image_.get()));
    return reader;
  }

  Size size() const { return {vips_image_get_width(image_.get()), vips_image_get_height(image_.get())}; }
  RowLayout& layout() { return layout_; }

  // Calls `use(y, samples)` for rows [first, last).
  template <typename Use>
  absl::Status Read(int first, int last, Use use) {
    constexpr int kRows = 16;
    for (int y = first; y < last; y += kRows) {
      const VipsRect strip = {0, y, size().width, std::min(kRows, last - y)};
      if (vips_region_prepare(region_.get(), &strip) != 0) return TakeVipsError(Name(format_));
      for (int i = 0; i < strip.height; ++i) use(y + i, VIPS_REGION_ADDR(region_.get(), 0, y + i));
    }
    return absl::OkStatus();
  }

 private:
  MediaFormat format_ = MediaFormat::kUnknown;
  ImagePtr image_;
  RowLayout layout_;
  RegionPtr region_;  // goes before the image
};

// libvips shifts JPEG 2000 samples of other than 8 or 16 bits up to the top: the largest value there is then,
// else 0.
int LargestShifted(MediaFormat format, Span bytes, SampleType type) {
  const int container = type == SampleType::kUint8 ? 8 : type == SampleType::kUint16 ? 16 : 0;
  if (format != MediaFormat::kJpeg2000 || container == 0) return 0;
  const std::optional<Jpeg2000Header> header = ReadJpeg2000Header(bytes);
  if (!header || header->bits >= container) return 0;
  return ((1 << header->bits) - 1) << (container - header->bits);
}

bool HasOwnRange(SampleType type) { return type == SampleType::kUint8 || type == SampleType::kUint16; }

// An animation that is being read frame by frame.
struct Animation {
  Bytes bytes;  // what the reader reads from
  MediaFormat format = MediaFormat::kUnknown;
  int first = 0, count = 0;  // the frames that were opened
  int next = 0;              // rows only come in rising order
  int frame_height = 0;
  std::optional<RowReader> reader;

  bool Has(MediaFormat wanted, Span file, int page) const {
    return reader && format == wanted && page >= next && page < first + count &&
           bytes.size() == file.size() && std::equal(file.begin(), file.end(), bytes.begin());
  }
};

class VipsDecoder : public PictureDecoder {
 public:
  explicit VipsDecoder(const MediaLimits& limits) : limits_(limits) {}

  absl::StatusOr<PictureHeader> ReadHeader(Span bytes) override {
    PictureHeader header;
    header.format = Sniff(bytes);
    ASSIGN_OR_RETURN(const ImagePtr image, OpenChecked(header.format, bytes, {}));
    header.orientation = OrientationOf(header.format, image.get());
    header.size = DisplayedSize({vips_image_get_width(image.get()), vips_image_get_height(image.get())},
                                header.orientation);
    header.pages = PagesOf(header.format, image.get());
    RETURN_IF_ERROR(CheckPages(header.pages, limits_));
    return header;
  }

  absl::StatusOr<FramePtr> Decode(Span bytes, const PictureHeader& header,
                                  const DecodeRequest& request) override {
    RETURN_IF_ERROR(CheckPage(request.page, header.pages));
    if (request.page > std::numeric_limits<int>::max()) return absl::OutOfRangeError("no such page");
    const int page = static_cast<int>(request.page);
    if (IsAnimation(header.format) && header.pages > 1) return DecodeAnimationFrame(bytes, header, page);
    const int halvings = HalvingsFor(header, bytes, request.need);
    ASSIGN_OR_RETURN(ImagePtr image, OpenChecked(header.format, bytes, {page, 1, halvings}));
    const int orientation = OrientationOf(header.format, image.get());
    ASSIGN_OR_RETURN(RowReader reader, RowReader::Create(std::move(image), header.format));
    if (const int top = LargestShifted(header.format, bytes, reader.layout().type); top > 0) {
      reader.layout().range = {0, 255.0 / top};
      reader.layout().has_range = true;
    } else if (!HasOwnRange(reader.layout().type)) {
      ASSIGN_OR_RETURN(reader.layout().range, FindRange(header.format, bytes, {page, 1, halvings}));
    }
    std::shared_ptr<Frame> frame = pool_.Acquire();
    RETURN_IF_ERROR(Fill(reader, 0, reader.size(), orientation, frame.get()));
    if (halvings > 0) frame->source_size = header.size;
    return frame;
  }

 private:
  absl::StatusOr<ImagePtr> OpenChecked(MediaFormat format, Span bytes, const Part& part) {
    RETURN_IF_ERROR(StartVips());
    vips_error_clear();  // what earlier files left there without failing
    if (format == MediaFormat::kJpeg2000) RETURN_IF_ERROR(CheckJpeg2000(bytes, limits_));
    ASSIGN_OR_RETURN(ImagePtr image, Open(format, bytes, part));
    const int width = vips_image_get_width(image.get()),
              height = vips_image_get_height(image.get()) / part.count;
    RETURN_IF_ERROR(CheckPictureSize(width, height, limits_));
    if (format == MediaFormat::kPng) RETURN_IF_ERROR(CheckPngLength(bytes, width, height));
    return image;
  }

  // Only where the format's decoder does less work for it: a wavelet's lower levels, WebP's scaling while it
  // writes.
  static int HalvingsFor(const PictureHeader& header, Span bytes, Size need) {
    if (need.empty()) return 0;
    int most = 0;
    if (header.format == MediaFormat::kJpeg2000) {
      const std::optional<Jpeg2000Header> jpeg2000 = ReadJpeg2000Header(bytes);
      if (jpeg2000 && !jpeg2000->subsampled && jpeg2000->tiles == 1) most = std::min(3, jpeg2000->levels);
    }
    if (header.format == MediaFormat::kWebp) most = 1;
    int halvings = 0;
    const auto scaled = [](int side, int k) { return (side + (1 << k) - 1) >> k; };
    while (halvings < most && scaled(header.size.width, halvings + 1) >= need.width &&
           scaled(header.size.height, halvings + 1) >= need.height) {
      ++halvings;
    }
    return halvings;
  }

  static absl::Status Fill(RowReader& reader, int first_row, Size size, int orientation, Frame* frame) {
    const RowLayout layout = reader.layout();
    UprightWriter writer(frame, layout.color == RowColor::kGray ? PixelFormat::kGray8 : PixelFormat::kRgb24,
                         size, orientation);
    return reader.Read(first_row, first_row + size.height, [&](int y, const void* samples) {
      ConvertRow(samples, size.width, layout, writer.Row(y - first_row));
      writer.Finish(y - first_row);
    });
  }

  absl::StatusOr<SampleRange> FindRange(MediaFormat format, Span bytes, const Part& part) {
    ASSIGN_OR_RETURN(ImagePtr image, OpenChecked(format, bytes, part));
    ASSIGN_OR_RETURN(RowReader reader, RowReader::Create(std::move(image), format));
    double low = std::numeric_limits<double>::infinity(), high = -low;
    const int64_t count = static_cast<int64_t>(reader.size().width) * reader.layout().bands;
    RETURN_IF_ERROR(reader.Read(0, reader.size().height, [&](int, const void* samples) {
      WidenRange(samples, count, reader.layout().type, &low, &high);
    }));
    return DisplayRange(low, high);
  }

  // libvips gives animation frames as one tall picture; its height is limited, so long ones are opened in
  // parts.
  absl::StatusOr<FramePtr> DecodeAnimationFrame(Span bytes, const PictureHeader& header, int page) {
    constexpr int64_t kRowsMax = 5'000'000;
    if (!animation_.Has(header.format, bytes, page)) {
      animation_.reader.reset();
      animation_.bytes.assign(bytes.begin(), bytes.end());
      const int64_t left = header.pages - page;
      const int count =
          static_cast<int>(std::clamp<int64_t>(kRowsMax / std::max(1, header.size.height), 1, left));
      ASSIGN_OR_RETURN(ImagePtr image, OpenChecked(header.format, animation_.bytes, {page, count, 0}));
      const int frame_height = vips_image_get_height(image.get()) / count;
      ASSIGN_OR_RETURN(RowReader reader, RowReader::Create(std::move(image), header.format));
      animation_.format = header.format;
      animation_.first = page;
      animation_.count = count;
      animation_.frame_height = frame_height;
      animation_.reader.emplace(std::move(reader));
    }
    const Size size = {animation_.reader->size().width, animation_.frame_height};
    std::shared_ptr<Frame> frame = pool_.Acquire();
    const absl::Status status = Fill(*animation_.reader, (page - animation_.first) * size.height, size,
                                     header.orientation, frame.get());
    animation_.next = page + 1;
    if (!status.ok() || page + 1 == header.pages) animation_ = {};
    RETURN_IF_ERROR(status);
    return frame;
  }

  const MediaLimits limits_;
  FramePool pool_;
  Animation animation_;
};

}  // namespace

std::unique_ptr<PictureDecoder> CreateVipsDecoder(const MediaLimits& limits) {
  return std::make_unique<VipsDecoder>(limits);
}

}  // namespace sightline::decode
