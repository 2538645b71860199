#include "stages/decode/dicom_jpeg2000.h"

#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/status.h"
#include "stages/decode/jpeg2000_samples.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(fmt::format("damaged DICOM file: {}", what));
}

bool BeginsCodeStream(Span fragment) {
  constexpr std::string_view kStream = "\xFF\x4F\xFF\x51", kBox("\0\0\0\x0CjP  ", 8);
  const std::string_view text(reinterpret_cast<const char*>(fragment.data()), fragment.size());
  return text.substr(0, 4) == kStream || text.substr(0, 8) == kBox;
}

// The fragments of a frame, joined. A frame begins where a code stream does; the first item is the offset
// table.
absl::StatusOr<Bytes> FrameBytes(DcmPixelSequence& sequence, int64_t frame_index, int64_t frames) {
  const unsigned long count = sequence.card();
  const bool one_each = static_cast<int64_t>(count) - 1 == frames;
  Bytes joined;
  int64_t frame = -1;
  for (unsigned long i = 1; i < count && frame <= frame_index; ++i) {
    DcmPixelItem* item = nullptr;
    Uint8* data = nullptr;
    if (sequence.getItem(item, i).bad() || item == nullptr || item->getUint8Array(data).bad() ||
        data == nullptr) {
      return Damaged("a fragment of its pixels can't be read");
    }
    const Span fragment(data, item->getLength());
    if (one_each || frame < 0 || BeginsCodeStream(fragment)) ++frame;
    if (frame == frame_index) joined.insert(joined.end(), fragment.begin(), fragment.end());
  }
  if (joined.empty()) return Damaged("a frame has no pixels");
  return joined;
}

absl::StatusOr<DcmPixelSequence*> PixelSequence(DcmDataset& data) {
  DcmElement* element = nullptr;
  DcmPixelSequence* sequence = nullptr;
  if (data.findAndGetElement(DCM_PixelData, element).bad()) return Damaged("no pixels");
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr ||
      pixels->getEncapsulatedRepresentation(data.getOriginalXfer(), nullptr, sequence).bad() ||
      sequence == nullptr) {
    return Damaged("its pixels are not where they should be");
  }
  return sequence;
}

OFCondition Describe(DcmDataset& data, const Jpeg2000Samples& samples, DcmDataset* to) {
  // Everything of the picture group: window, rescaling, tables, palette.
  for (unsigned long i = 0; i < data.card(); ++i) {
    DcmElement* element = data.getElement(i);
    if (element == nullptr || element->getGTag() != 0x0028) continue;
    auto* copy = dynamic_cast<DcmElement*>(element->clone());
    if (copy == nullptr) return EC_MemoryExhausted;
    if (to->insert(copy, OFTrue).bad()) delete copy;
  }
  OFString color;
  data.findAndGetOFString(DCM_PhotometricInterpretation, color);
  const bool transformed = color == "YBR_RCT" || color == "YBR_ICT";  // undone while decoding
  OFCondition result = to->putAndInsertString(DCM_NumberOfFrames, "1");
  const auto put = [&](const DcmTagKey& tag, int value) {
    if (result.good()) result = to->putAndInsertUint16(tag, static_cast<Uint16>(value));
  };
  put(DCM_Rows, samples.size.height);
  put(DCM_Columns, samples.size.width);
  put(DCM_SamplesPerPixel, samples.components);
  put(DCM_BitsAllocated, 8 * samples.bytes);
  put(DCM_BitsStored, samples.bits);
  put(DCM_HighBit, samples.bits - 1);
  // Where the code stream says unsigned and DICOM says signed, DICOM is right: the samples are two's
  // complement.
  Uint16 is_signed = 0;
  data.findAndGetUint16(DCM_PixelRepresentation, is_signed);
  put(DCM_PixelRepresentation, samples.is_signed || is_signed != 0 ? 1 : 0);
  if (samples.components > 1) put(DCM_PlanarConfiguration, 0);
  if (transformed && result.good()) result = to->putAndInsertString(DCM_PhotometricInterpretation, "RGB");
  return result;
}

}  // namespace

bool IsDicomJpeg2000(E_TransferSyntax syntax) {
  return syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000;
}

absl::StatusOr<std::unique_ptr<DcmDataset>> DecodeDicomJpeg2000(DcmDataset& data, int64_t frame_index,
                                                                int64_t frames, const MediaLimits& limits) {
  ASSIGN_OR_RETURN(DcmPixelSequence* const sequence, PixelSequence(data));
  ASSIGN_OR_RETURN(const Bytes stream, FrameBytes(*sequence, frame_index, frames));
  ASSIGN_OR_RETURN(const Jpeg2000Samples samples, DecodeJpeg2000Samples(stream, limits));
  if (samples.components != 1 && samples.components != 3) {
    return absl::UnimplementedError(
        fmt::format("DICOM with {} samples a pixel: not supported", samples.components));
  }
  auto decoded = std::make_unique<DcmDataset>();
  OFCondition result = Describe(data, samples, decoded.get());
  if (result.good()) {
    if (samples.bytes == 1) {
      result = decoded->putAndInsertUint8Array(DCM_PixelData, samples.data.data(),
                                               static_cast<unsigned long>(samples.data.size()));
    } else {
      result = decoded->putAndInsertUint16Array(DCM_PixelData,
                                                reinterpret_cast<const Uint16*>(samples.data.data()),
                                                static_cast<unsigned long>(samples.data.size() / 2));
    }
  }
  if (result.bad()) return Damaged(result.text());
  return decoded;
}

}  // namespace sightline::decode
