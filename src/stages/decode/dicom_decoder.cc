#include "stages/decode/dicom_decoder.h"

#include <algorithm>

#include "base/file.h"
#include "base/status.h"
#include "stages/decode/dicom_file.h"
#include "stages/decode/picture_limits.h"

namespace sightline::decode {
namespace {

using Span = absl::Span<const uint8_t>;

class DicomDecoder : public PictureDecoder {
 public:
  explicit DicomDecoder(const MediaLimits& limits) : limits_(limits) {}

  absl::StatusOr<PictureHeader> ReadHeader(Span bytes) override {
    RETURN_IF_ERROR(Load(bytes));
    return PictureHeader{MediaFormat::kDicom, file_->size(), 1, file_->frames()};
  }

  absl::StatusOr<FramePtr> Decode(Span bytes, const PictureHeader&, const DecodeRequest& request) override {
    RETURN_IF_ERROR(Load(bytes));
    RETURN_IF_ERROR(CheckPage(request.page, file_->frames()));
    std::shared_ptr<Frame> frame = pool_.Acquire();
    const bool last = request.page + 1 == file_->frames();
    const absl::Status status = file_->Render(request.page, frame.get());
    if (last || !status.ok()) Forget();
    RETURN_IF_ERROR(status);
    return frame;
  }

 private:
  absl::Status Load(Span bytes) {
    if (file_ != nullptr && std::equal(bytes.begin(), bytes.end(), bytes_.begin(), bytes_.end()))
      return absl::OkStatus();
    Forget();
    bytes_.assign(bytes.begin(), bytes.end());
    ASSIGN_OR_RETURN(file_, DicomFile::Parse(bytes_, limits_));
    return absl::OkStatus();
  }

  void Forget() {
    file_.reset();
    bytes_ = Bytes();
  }

  const MediaLimits limits_;
  FramePool pool_;
  Bytes bytes_;  // what file_ reads from
  std::unique_ptr<DicomFile> file_;
};

}  // namespace

std::unique_ptr<PictureDecoder> CreateDicomDecoder(const MediaLimits& limits) {
  return std::make_unique<DicomDecoder>(limits);
}

}  // namespace sightline::decode
