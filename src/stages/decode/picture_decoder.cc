#include "stages/decode/picture_decoder.h"

#include <exception>
#include <new>
#include <unordered_map>

#include "base/status.h"
#include "base/text.h"
#include "stages/decode/bmp_decoder.h"
#include "stages/decode/dicom_decoder.h"
#include "stages/decode/icon_decoder.h"
#include "stages/decode/jpeg_decoder.h"
#include "stages/decode/vips_decoder.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;
using Factory = std::unique_ptr<PictureDecoder> (*)(const MediaLimits&);

// The backend of each format. kOtherPicture is told apart by its description.
struct Backend {
  MediaFormat format;
  std::string_view description;  // empty: all of the format
  Factory create;
};
constexpr Backend kBackends[] = {
    {MediaFormat::kJpeg, "", CreateJpegDecoder},
    {MediaFormat::kPng, "", CreateVipsDecoder},
    {MediaFormat::kWebp, "", CreateVipsDecoder},
    {MediaFormat::kTiff, "", CreateVipsDecoder},
    {MediaFormat::kGif, "", CreateVipsDecoder},
    {MediaFormat::kHeif, "", CreateVipsDecoder},
    {MediaFormat::kAvif, "", CreateVipsDecoder},
    {MediaFormat::kJpegXl, "", CreateVipsDecoder},
    {MediaFormat::kJpeg2000, "", CreateVipsDecoder},
    {MediaFormat::kPnm, "", CreateVipsDecoder},
    {MediaFormat::kBmp, "", CreateBmpDecoder},
    {MediaFormat::kDicom, "", CreateDicomDecoder},
    {MediaFormat::kOtherPicture, "icon", CreateIconDecoder},
    {MediaFormat::kOtherPicture, "cursor", CreateIconDecoder},
    {MediaFormat::kOtherPicture, "Radiance HDR picture", CreateVipsDecoder},
};

absl::StatusOr<Factory> FindBackend(Span bytes) {
  if (bytes.empty()) return absl::DataLossError("file is empty");
  const MediaFormat format = Sniff(bytes);
  const std::string_view description = Describe(bytes);
  if (format == MediaFormat::kUnknown) {
    return absl::DataLossError(fmt::format("not a picture or video (looks like {})", description));
  }
  for (const Backend& backend : kBackends) {
    if (backend.format == format && (backend.description.empty() || backend.description == description)) {
      return backend.create;
    }
  }
  if (format == MediaFormat::kVideo)
    return absl::UnimplementedError(fmt::format("{}, not a picture", description));
  return absl::UnimplementedError(fmt::format("{}: this kind is not supported", description));
}

// Decoders are made when their first picture comes, so that reading JPEG only never starts libvips or DCMTK.
class AnyPictureDecoder : public PictureDecoder {
 public:
  explicit AnyPictureDecoder(const MediaLimits& limits) : limits_(limits) {}

  absl::StatusOr<PictureHeader> ReadHeader(Span bytes) override {
    return Guarded(bytes, [&](PictureDecoder& decoder) { return decoder.ReadHeader(bytes); });
  }

  absl::StatusOr<FramePtr> Decode(Span bytes, const PictureHeader& header,
                                  const DecodeRequest& request) override {
    if (request.page < 0) return absl::OutOfRangeError(fmt::format("no page {}", request.page));
    return Guarded(bytes, [&](PictureDecoder& decoder) { return decoder.Decode(bytes, header, request); });
  }

 private:
  template <typename Action>
  auto Guarded(Span bytes, Action action) -> decltype(action(std::declval<PictureDecoder&>())) {
    if (bytes.size() > limits_.bytes_max) {
      return absl::ResourceExhaustedError(
          fmt::format("file of {} bytes: more than bytes_max ({})", bytes.size(), limits_.bytes_max));
    }
    ASSIGN_OR_RETURN(const Factory create, FindBackend(bytes));
    try {
      std::unique_ptr<PictureDecoder>& decoder = decoders_[create];
      if (decoder == nullptr) decoder = create(limits_);
      return action(*decoder);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("not enough memory for this picture");
    } catch (const std::exception& error) {
      return absl::DataLossError(fmt::format("damaged file: {}", ToValidUtf8(error.what())));
    }
  }

  const MediaLimits limits_;
  std::unordered_map<Factory, std::unique_ptr<PictureDecoder>> decoders_;
};

}  // namespace

std::unique_ptr<PictureDecoder> PictureDecoder::Create(const MediaLimits& limits) {
  return std::make_unique<AnyPictureDecoder>(limits);
}

}  // namespace sightline::decode
