#include "simulate/clip/fault_truth.h"

#include "base/file.h"
#include "base/text.h"

namespace sightline::simulate {

std::string FaultTruth(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    const std::string end = fault.for_s ? fmt::format("{:.3f}", fault.at_s + *fault.for_s) : "null";
    text += fmt::format(
        "{{\"kind\":\"{}\",\"severity\":{},\"begin_s\":{:.3f},\"full_s\":{:.3f},\"end_s\":{},"
        "\"region\":[{:.4f},{:.4f},{:.4f},{:.4f}],\"seed\":{},\"text\":\"{}\"}}\n",
        Name(fault.kind), fault.severity, fault.at_s, fault.at_s + fault.ramp_s, end, fault.region.x1,
        fault.region.y1, fault.region.x2, fault.region.y2, fault.seed, ToText(fault));
  }
  return text;
}

absl::Status WriteFaultTruth(const std::filesystem::path& path, const std::vector<Fault>& faults) {
  return WriteFileAtomically(path, FaultTruth(faults));
}

}  // namespace sightline::simulate
