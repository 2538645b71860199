#include "stages/decode/jpeg/baseline.h"

#include <cmath>
#include <numbers>

namespace sightline::decode::jpeg {
namespace {

bool IsYcbcr(const Head& head) {  // as libjpeg guesses it
  if (head.jfif) return true;
  if (head.adobe) return head.adobe_transform == 1;
  const auto& c = head.components;
  return !(c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B');
}

bool IsKnownSampling(const Head& head) {
  const auto& c = head.components;
  if (head.component_count == 1) return true;
  const bool chroma_single = c[1].h == 1 && c[1].v == 1 && c[2].h == 1 && c[2].v == 1;
  return chroma_single && c[0].h <= 2 && c[0].v <= c[0].h;
}

PixelFormat FormatOf(const Head& head) {
  if (head.component_count == 1) return PixelFormat::kGray8;
  const ComponentHead& luma = head.components[0];
  return luma.h == 1 ? PixelFormat::kYuv444 : luma.v == 1 ? PixelFormat::kYuv422 : PixelFormat::kYuv420;
}

// Averaging 2^n neighbouring samples of a cosine of frequency u multiplies it by a product of cosines; with
// the transform's own factors, that is the weight of frequency u in samples of half and quarter size.
double HalfWeight(int u) {
  using std::numbers::pi, std::numbers::sqrt2;
  if (u == 0) return 1 / (2 * sqrt2);
  return 0.5 * std::cos(u * pi / 16) * (u == 2 ? 1 / sqrt2 : 1);
}
double QuarterWeight(int u) {
  using std::numbers::pi, std::numbers::sqrt2;
  return u == 0 ? 1 / (2 * sqrt2) : 0.5 * std::cos(pi / 16) * std::cos(pi / 8) / sqrt2;
}

void SetWeights(ScanComponent* c) {
  for (int column = 0; column < 4; ++column) {
    for (int row = 0; row < 4; ++row) {
      c->half[static_cast<size_t>(column * 4 + row)] = static_cast<float>(
          c->quant[static_cast<size_t>(row * 8 + column)] * HalfWeight(column) * HalfWeight(row));
    }
  }
  const auto quarter = [&](int column, int row) {
    return static_cast<float>(c->quant[static_cast<size_t>(row * 8 + column)] * QuarterWeight(column) *
                              QuarterWeight(row));
  };
  c->quarter = {quarter(0, 0), quarter(1, 0), quarter(0, 1), quarter(1, 1)};
}

int DivideUp(int value, int by) { return (value + by - 1) / by; }

}  // namespace

bool IsPlain(const Head& head) {
  const int count = head.component_count;
  if (head.frame_marker != 0xC0 && head.frame_marker != 0xC1) return false;
  if (head.precision != 8 || (count != 1 && count != 3) || !head.scan_in_order) return false;
  if (head.spectral_start != 0 || head.spectral_end != 63 || head.approximation != 0) return false;
  if (!IsKnownSampling(head) || (count == 3 && !IsYcbcr(head))) return false;
  for (int i = 0; i < count; ++i) {
    const ComponentHead& c = head.components[static_cast<size_t>(i)];
    const QuantTable& quant = head.quant[static_cast<size_t>(c.quant)];
    if (!quant.defined || quant.wide) return false;
    for (const uint16_t q : quant.zigzag) {
      if (q == 0) return false;
    }
    if (!head.dc[static_cast<size_t>(c.dc_table)].defined ||
        !head.ac[static_cast<size_t>(c.ac_table)].defined)
      return false;
  }
  const auto& c = head.components;
  return count == 1 || (c[0].id != c[1].id && c[1].id != c[2].id && c[0].id != c[2].id);
}

// All of the plan that depends on the head alone.
bool BaselineDecoder::Plan(const Head& head, int scale_log2) {
  const bool gray = head.component_count == 1;
  const int mcu_blocks_wide = gray ? 1 : head.components[0].h,
            mcu_blocks_high = gray ? 1 : head.components[0].v;
  plan_ = ScanPlan();
  plan_.components = absl::MakeSpan(components_.data(), static_cast<size_t>(head.component_count));
  plan_.mcus_wide = DivideUp(head.stored.width, 8 * mcu_blocks_wide);
  plan_.mcus_high = DivideUp(head.stored.height, 8 * mcu_blocks_high);
  plan_.restart_interval = head.restart_interval;
  plan_.scale_log2 = scale_log2;
  for (size_t i = 0; i < plan_.components.size(); ++i) {
    const ComponentHead& from = head.components[i];
    ScanComponent& to = components_[i];
    to.blocks_wide = gray ? 1 : from.h;
    to.blocks_high = gray ? 1 : from.v;
    const auto& quant = head.quant[static_cast<size_t>(from.quant)].zigzag;
    for (size_t k = 0; k < 64; ++k) to.quant[kNaturalOrder[k]] = static_cast<int16_t>(quant[k]);
    if (scale_log2 == 1 || scale_log2 == 2) SetWeights(&to);
    const auto dc = static_cast<size_t>(from.dc_table), ac = static_cast<size_t>(from.ac_table);
    to.dc = tables_.Get(SymbolKind::kDc, dc, head.dc[dc], false);
    to.ac = tables_.Get(SymbolKind::kAc, ac, head.ac[ac], scale_log2 != 0);
    if (to.dc == nullptr || to.ac == nullptr) return false;
  }
  return true;
}

bool BaselineDecoder::Decode(absl::Span<const uint8_t> bytes, const Head& head, int scale_log2,
                             Frame* frame) {
  if (!Plan(head, scale_log2)) return false;
  const absl::Span<const uint8_t> coded = bytes.subspan(head.scan_offset);
  const int64_t mcus = int64_t{plan_.mcus_wide} * plan_.mcus_high;
  // A block takes two bits at least (its DC, the end of its AC): see that the scan could fill the frame
  // before a large one is allocated for a tiny file.
  if (static_cast<int64_t>(coded.size()) * 8 < 2 * mcus) return false;
  const size_t segment_count =
      head.restart_interval > 0
          ? static_cast<size_t>((mcus + head.restart_interval - 1) / head.restart_interval)
          : 1;
  if (segment_count > coded.size()) return false;
  if (segments_.size() < segment_count) segments_.resize(segment_count);
  if (clean_.size() < coded.size() + kScanPadding) clean_.resize(coded.size() + kScanPadding);
  size_t found = 0;
  if (!SplitSegments(coded, clean_.data(), absl::MakeSpan(segments_.data(), segment_count), &found))
    return false;
  if (found != segment_count) return false;

  const int round_up = (1 << scale_log2) - 1;
  frame->Allocate(FormatOf(head), {(head.stored.width + round_up) >> scale_log2,
                                   (head.stored.height + round_up) >> scale_log2});
  frame->matrix = ColorMatrix::kBt601;
  frame->range = ColorRange::kFull;
  size_t strip_bytes = 0;
  for (size_t i = 0; i < plan_.components.size(); ++i) {
    strip_bytes +=
        static_cast<size_t>(frame->planes[i].stride) * static_cast<size_t>(components_[i].blocks_high * 8);
  }
  if (strip_.size() < strip_bytes) strip_.resize(strip_bytes);
  uint8_t* strip = strip_.data();
  for (size_t i = 0; i < plan_.components.size(); ++i) {
    ScanComponent& c = components_[i];
    c.plane = frame->mutable_plane(static_cast<int>(i));
    c.stride = frame->planes[i].stride;
    c.height = PlaneSize(frame->format, frame->size, static_cast<int>(i)).height;
    c.strip = strip;
    strip += c.stride * c.blocks_high * 8;
  }
  plan_.bytes = clean_.data();
  plan_.segments = absl::MakeConstSpan(segments_.data(), segment_count);
  return DecodeScan(plan_);
}

}  // namespace sightline::decode::jpeg
