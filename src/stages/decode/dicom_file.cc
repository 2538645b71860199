#include "stages/decode/dicom_file.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmimage/diregist.h>
#include <dcmtk/dcmimgle/dcmimage.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include "base/check.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/decode/dicom_jpeg2000.h"
#include "stages/decode/dicom_stream.h"
#include "stages/decode/dicom_structure.h"
#include "stages/decode/picture_limits.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

// Once for the process.
bool StartDcmtk() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  DcmRLEDecoderRegistration::registerCodecs();
  DJDecoderRegistration::registerCodecs();
  DJLSDecoderRegistration::registerCodecs();
  return true;
}

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(fmt::format("damaged DICOM file: {}", what));
}

absl::Status CheckTransferSyntax(E_TransferSyntax syntax) {
  switch (syntax) {
    case EXS_LittleEndianImplicit:
    case EXS_BigEndianImplicit:
    case EXS_LittleEndianExplicit:
    case EXS_BigEndianExplicit:
    case EXS_DeflatedLittleEndianExplicit:
    case EXS_RLELossless:
    case EXS_JPEGProcess1:
    case EXS_JPEGProcess2_4:
    case EXS_JPEGProcess6_8:
    case EXS_JPEGProcess10_12:
    case EXS_JPEGProcess14:
    case EXS_JPEGProcess14SV1:
    case EXS_JPEGLSLossless:
    case EXS_JPEGLSLossy:
    case EXS_JPEG2000LosslessOnly:
    case EXS_JPEG2000:
      return absl::OkStatus();
    default:
      break;
  }
  const DcmXfer xfer(syntax);
  return absl::UnimplementedError(
      fmt::format("DICOM with transfer syntax {} ({}): not supported", xfer.getXferName(), xfer.getXferID()));
}

// What the header says of the pixels.
struct Layout {
  Uint16 rows = 0, columns = 0, samples = 1, bits_allocated = 0;
  Sint32 frames = 1;
  bool half_chroma = false;
};

Layout ReadLayout(DcmDataset& data) {
  Layout layout;
  data.findAndGetUint16(DCM_Rows, layout.rows);
  data.findAndGetUint16(DCM_Columns, layout.columns);
  data.findAndGetUint16(DCM_SamplesPerPixel, layout.samples);
  data.findAndGetUint16(DCM_BitsAllocated, layout.bits_allocated);
  if (data.findAndGetSint32(DCM_NumberOfFrames, layout.frames).bad() || layout.frames < 1) layout.frames = 1;
  OFString color;
  data.findAndGetOFString(DCM_PhotometricInterpretation, color);
  layout.half_chroma = color == "YBR_FULL_422" || color == "YBR_PARTIAL_422";
  return layout;
}

absl::Status CheckLayout(const Layout& layout, const MediaLimits& limits) {
  RETURN_IF_ERROR(CheckPictureSize(layout.columns, layout.rows, limits));
  RETURN_IF_ERROR(CheckPages(layout.frames, limits));
  if (layout.samples < 1 || layout.samples > 4)
    return Damaged(fmt::format("{} samples a pixel", layout.samples));
  if (layout.bits_allocated < 1 || layout.bits_allocated > 32) {
    return absl::UnimplementedError(
        fmt::format("DICOM with {} bits a sample: not supported", layout.bits_allocated));
  }
  return absl::OkStatus();
}

// Uncompressed pixels must all be there: DCMTK would fill up what is missing.
absl::Status CheckPixelBytes(DcmElement& pixels, const Layout& layout) {
  const uint64_t samples = layout.half_chroma ? 2 : layout.samples;
  const uint64_t bits = static_cast<uint64_t>(layout.rows) * layout.columns * samples *
                        layout.bits_allocated * static_cast<uint64_t>(layout.frames);
  if (pixels.getLengthField() >= (bits + 7) / 8) return absl::OkStatus();
  return Damaged(
      fmt::format("{} bytes of pixels where {} are needed", pixels.getLengthField(), (bits + 7) / 8));
}

class DcmtkFile : public DicomFile {
 public:
  explicit DcmtkFile(const MediaLimits& limits) : limits_(limits) {}

  Size size() const override { return {layout_.columns, layout_.rows}; }
  int64_t frames() const override { return layout_.frames; }

  absl::Status Read(Span bytes) {
    ASSIGN_OR_RETURN(inflated_, InflateDicom(bytes, limits_));
    const Span content = inflated_.empty() ? bytes : Span(inflated_);
    RETURN_IF_ERROR(CheckDicomStructure(content));
    DicomMemoryStream stream(content);
    file_.transferInit();
    const OFCondition result =
        inflated_.empty() ? file_.read(stream) : file_.getDataset()->read(stream, EXS_LittleEndianExplicit);
    file_.transferEnd();
    if (result.bad()) return Damaged(Lower(result.text()));
    DcmDataset& data = *file_.getDataset();
    syntax_ = data.getOriginalXfer();
    DcmElement* pixels = nullptr;
    if (data.findAndGetElement(DCM_PixelData, pixels).bad() || pixels == nullptr) return WithoutPixels(data);
    RETURN_IF_ERROR(CheckTransferSyntax(syntax_));
    layout_ = ReadLayout(data);
    RETURN_IF_ERROR(CheckLayout(layout_, limits_));
    return DcmXfer(syntax_).isEncapsulated() ? absl::OkStatus() : CheckPixelBytes(*pixels, layout_);
  }

  absl::Status Render(int64_t frame_index, Frame* frame) override {
    constexpr unsigned long kFlags = CIF_UsePartialAccessToPixelData | CIF_NeverAccessEmbeddedOverlays;
    if (IsDicomJpeg2000(syntax_)) {
      ASSIGN_OR_RETURN(const std::unique_ptr<DcmDataset> decoded,
                       DecodeDicomJpeg2000(*file_.getDataset(), frame_index, layout_.frames, limits_));
      DicomImage image(decoded.get(), EXS_LittleEndianExplicit, kFlags, 0, 1);
      return RenderImage(image, frame);
    }
    DicomImage image(file_.getDataset(), syntax_, kFlags, static_cast<unsigned long>(frame_index), 1);
    return RenderImage(image, frame);
  }

 private:
  absl::Status RenderImage(DicomImage& image, Frame* frame) {
    if (image.getStatus() != EIS_Normal) return Damaged(Lower(DicomImage::getString(image.getStatus())));
    if (image.getWidth() != layout_.columns || image.getHeight() != layout_.rows)
      return Damaged("sizes disagree");
    const bool gray = image.isMonochrome() != 0;
    if (gray) {
      image.hideAllOverlays();
      const bool windowed = (image.getWindowCount() > 0 && image.setWindow(0) != 0) ||
                            (image.getVoiLutCount() > 0 && image.setVoiLut(0) != 0);
      if (!windowed) image.setMinMaxWindow(0);
    }
    const size_t row_bytes = static_cast<size_t>(layout_.columns) * (gray ? 1 : 3),
                 needed = row_bytes * layout_.rows;
    if (image.getOutputDataSize(8) != needed) return Damaged("sizes disagree");
    samples_.resize(needed);
    if (image.getOutputData(samples_.data(), needed, 8, 0, 0) == 0)
      return Damaged("its pixels can't be rendered");
    frame->Allocate(gray ? PixelFormat::kGray8 : PixelFormat::kRgb24, size());
    for (int y = 0; y < layout_.rows; ++y) {
      std::copy_n(samples_.data() + row_bytes * y, row_bytes,
                  frame->mutable_plane(0) + static_cast<ptrdiff_t>(frame->planes[0].stride) * y);
    }
    return absl::OkStatus();
  }

  static absl::Status WithoutPixels(DcmDataset& data) {
    OFString uid;
    data.findAndGetOFString(DCM_SOPClassUID, uid);
    const char* name = dcmFindNameOfUID(uid.c_str());
    const std::string kind = name != nullptr ? name
                             : uid.empty()   ? "of an unknown kind"
                                             : ToValidUtf8(uid.c_str());
    return absl::UnimplementedError(fmt::format("DICOM object without pixels ({})", kind));
  }

  const MediaLimits limits_;
  std::vector<uint8_t> inflated_;  // the data set of a deflated file
  DcmFileFormat file_;             // reads from the above or the caller's bytes
  E_TransferSyntax syntax_ = EXS_Unknown;
  Layout layout_;
  std::vector<uint8_t> samples_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DicomFile>> DicomFile::Parse(Span bytes, const MediaLimits& limits) {
  static const bool started = StartDcmtk();
  CHECK(started) << "DCMTK";
  auto file = std::make_unique<DcmtkFile>(limits);
  RETURN_IF_ERROR(file->Read(bytes));
  return file;
}

}  // namespace sightline::decode
