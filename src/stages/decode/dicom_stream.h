// Memory as a DCMTK stream that hands out positions to come back to. With these, DCMTK leaves large values
// where they are and checks that they are there at all; without, it would first allocate whatever length an
// element claims.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmb.h>

#include <algorithm>

#include "absl/types/span.h"

namespace sightline::decode {

// Lifetime: the bytes outlive the stream and all that was read from it.
class DicomMemoryStream : public DcmInputBufferStream {
 public:
  explicit DicomMemoryStream(absl::Span<const uint8_t> bytes, size_t offset = 0)
      : bytes_(bytes), offset_(std::min(offset, bytes.size())) {
    setBuffer(bytes_.data() + offset_, static_cast<offile_off_t>(bytes_.size() - offset_));
    setEos();
  }

  DcmInputStreamFactory* newFactory() const override {
    return new Position(bytes_, offset_ + static_cast<size_t>(tell()));  // NOLINT: DCMTK deletes it
  }

 private:
  class Position : public DcmInputStreamFactory {
   public:
    Position(absl::Span<const uint8_t> bytes, size_t offset) : bytes_(bytes), offset_(offset) {}
    DcmInputStream* create() const override { return new DicomMemoryStream(bytes_, offset_); }
    DcmInputStreamFactory* clone() const override { return new Position(*this); }
    DcmInputStreamFactoryType ident() const override { return DFT_DcmInputFileStreamFactory; }

   private:
    absl::Span<const uint8_t> bytes_;
    size_t offset_;
  };

  absl::Span<const uint8_t> bytes_;
  size_t offset_;
};

}  // namespace sightline::decode
