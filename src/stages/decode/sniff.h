// Recognises media by content, never by name.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"

namespace sightline::decode {

enum class MediaFormat {
  kUnknown,
  kJpeg,
  kPng,
  kWebp,
  kTiff,
  kBmp,
  kGif,
  kHeif,
  kAvif,
  kJpegXl,
  kJpeg2000,
  kPnm,
  kDicom,
  kOtherPicture,
  kVideo
};
std::string_view Name(MediaFormat format);

// The first bytes are enough: kSniffBytes of them (fewer where the file is shorter).
inline constexpr size_t kSniffBytes = 4096;
MediaFormat Sniff(absl::Span<const uint8_t> head);

// What the bytes look like, in words, for messages: "OpenEXR picture", "PDF document", "text", "unknown
// binary data". Knows more than Sniff: also what is neither picture nor video.
std::string_view Describe(absl::Span<const uint8_t> head);

}  // namespace sightline::decode
