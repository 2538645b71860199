#include "base/text.h"
#include "evaluate/report.h"

namespace sightline::evaluate {
namespace {

std::string Percent(double share) { return share < 0 ? "-" : fmt::format("{:.1f}", 100 * share); }

void Detections(const DetectionReport& d, std::string* out) {
  *out += fmt::format("\nDetections (percent)\n{:<16}{:>8}{:>8}{:>7}{:>7}{:>7}{:>8}{:>8}{:>8}{:>7}\n",
                      "class", "truth", "found", "AP", "AP50", "AP75", "small", "medium", "large", "AR");
  for (const ClassDetections& c : d.classes) {
    if (c.truths == 0 && c.results == 0) continue;
    *out += fmt::format("{:<16}{:>8}{:>8}{:>7}{:>7}{:>7}{:>8}{:>8}{:>8}{:>7}\n", c.label, c.truths, c.results,
                        Percent(c.ap), Percent(c.ap50), Percent(c.ap75), Percent(c.ap_small),
                        Percent(c.ap_medium), Percent(c.ap_large), Percent(c.recall));
  }
  *out += fmt::format("{:<32}{:>7}{:>7}{:>7}{:>8}{:>8}{:>8}{:>7}\n", "mean", Percent(d.ap), Percent(d.ap50),
                      Percent(d.ap75), Percent(d.ap_small), Percent(d.ap_medium), Percent(d.ap_large),
                      Percent(d.ar100));
}

void Tracks(const TrackReport& t, std::string* out) {
  *out += fmt::format(
      "\nTracks (percent; switches and fragments are "
      "counts)\n{:<16}{:>8}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>10}{:>11}\n",
      "class", "truth", "HOTA", "DetA", "AssA", "IDF1", "MOTA", "MOTP", "switches", "fragments");
  const auto line = [&](const TrackScores& s) {
    *out += fmt::format("{:<16}{:>8}{:>7}{:>7}{:>7}{:>7}{:>7.1f}{:>7}{:>10}{:>11}\n", s.label,
                        s.counts.truths, Percent(s.hota), Percent(s.deta), Percent(s.assa), Percent(s.idf1),
                        100 * s.mota, Percent(s.motp), s.counts.switches, s.counts.fragments);
  };
  for (const TrackScores& s : t.classes) {
    if (s.counts.truths > 0 || s.counts.results > 0) line(s);
  }
  line(t.combined);
}

void Events(const EventReport& e, std::string* out) {
  *out += fmt::format("\nEvents\n{:<20}{:>7}{:>10}{:>7}{:>12}{:>9}{:>14}{:>13}\n", "kind", "truth",
                      "reported", "right", "precision %", "recall %", "delay mean s", "delay p95 s");
  const auto line = [&](const EventScores& s) {
    *out += fmt::format("{:<20}{:>7}{:>10}{:>7}{:>12}{:>9}{:>14.2f}{:>13.2f}\n", s.kind, s.truths, s.results,
                        s.matches, Percent(s.precision), Percent(s.recall), s.delay_mean_s, s.delay_p95_s);
  };
  for (const EventScores& s : e.kinds) line(s);
  line(e.combined);
  for (const TimedEvent& event : e.missed)
    *out += fmt::format("  missed: {} at {:.1f}-{:.1f} s {}\n", event.kind, event.begin_s, event.end_s,
                        event.source);
  for (const TimedEvent& event : e.false_alarms)
    *out += fmt::format("  false alarm: {} at {:.1f}-{:.1f} s {}\n", event.kind, event.begin_s, event.end_s,
                        event.source);
}

void Attributes(const AttributeReport& a, std::string* out) {
  *out += "\nAttributes\n";
  for (const AttributeScores& s : a.attributes) {
    if (s.number) {
      *out +=
          fmt::format("{}: mean absolute error {:.2f}, bias {:+.2f}, within 5: {} %, of {} ({} not said)\n",
                      s.name, s.mean_absolute_error, s.bias, Percent(s.within_5), s.compared, s.missing);
      for (const auto& band : s.bands)
        *out += fmt::format("  {:>4.0f} to {:<4.0f}{:>7} compared, error {:.2f}, bias {:+.2f}\n", band.low,
                            band.high, band.count, band.mean_absolute_error, band.bias);
      continue;
    }
    *out += fmt::format(
        "{}: accuracy {} %, calibration error {}, of {} ({} not said)\n", s.name, Percent(s.accuracy),
        s.calibration_error < 0 ? "-" : fmt::format("{:.3f}", s.calibration_error), s.compared, s.missing);
    for (const auto& [truth, row] : s.confusion) {
      for (const auto& [result, count] : row)
        *out += fmt::format("  {:<14} said to be {:<14}{:>7}\n", truth, result, count);
    }
  }
}

}  // namespace

std::string ReportText(const Report& report) {
  std::string out = fmt::format("{} pictures and frames compared", report.pictures);
  if (report.without_results > 0) out += fmt::format(", {} without any result", report.without_results);
  if (report.without_truth > 0)
    out += fmt::format("; {} with results but no truth left out", report.without_truth);
  if (report.errors > 0) out += fmt::format("; {} inputs or frames had failed", report.errors);
  out += "\n";
  if (report.detections) Detections(*report.detections, &out);
  if (report.tracks) Tracks(*report.tracks, &out);
  if (report.events) Events(*report.events, &out);
  if (report.attributes) Attributes(*report.attributes, &out);
  return out;
}

}  // namespace sightline::evaluate
