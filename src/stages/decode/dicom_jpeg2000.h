// JPEG 2000 inside DICOM, which DCMTK itself does not decode.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <memory>

#include "absl/status/statusor.h"
#include "data/limits.h"

namespace sightline::decode {

bool IsDicomJpeg2000(E_TransferSyntax syntax);

// A data set of one uncompressed frame (EXS_LittleEndianExplicit), with all that `data` says of its pixels.
absl::StatusOr<std::unique_ptr<DcmDataset>> DecodeDicomJpeg2000(DcmDataset& data, int64_t frame_index,
                                                                int64_t frames, const MediaLimits& limits);

}  // namespace sightline::decode
