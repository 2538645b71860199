#include "base/text.h"
#include "evaluate/report.h"

namespace sightline::evaluate {
namespace {

constexpr std::string_view kStyle = R"(
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #d5dae0}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #e7eaee}
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #9aa4af}
.figures{display:flex;flex-wrap:wrap;gap:1rem}.figure{background:#f3f5f8;border-radius:8px;padding:.8rem 1.2rem}
.figure b{display:block;font-size:1.7rem}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem}
.grid figure{margin:0}.grid img{width:100%;border-radius:6px}.grid figcaption{font-size:.85rem;color:#4a5560}
svg{background:#fafbfc;border:1px solid #e7eaee;border-radius:6px}
@media(prefers-color-scheme:dark){body{background:#14171a;color:#dde3ea}.figure{background:#20252b}svg{background:#1a1e22}}
)";

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : ToValidUtf8(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Percent(double share) { return share < 0 ? "&ndash;" : fmt::format("{:.1f}", 100 * share); }

std::string Base64(const std::string& bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](size_t k) {
      return i + k < bytes.size() ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + k])) : 0u;
    };
    const uint32_t group = at(0) << 16 | at(1) << 8 | at(2);
    for (int k = 0; k < 4; ++k)
      out += i + static_cast<size_t>(k) > bytes.size() ? '=' : kAlphabet[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

std::string Row(const std::vector<std::string>& cells, std::string_view tag = "td") {
  std::string row = "<tr>";
  for (const std::string& cell : cells) row += fmt::format("<{0}>{1}</{0}>", tag, cell);
  return row + "</tr>\n";
}
std::string Table(const std::vector<std::string>& head, const std::string& rows) {
  return "<table><thead>" + Row(head, "th") + "</thead><tbody>" + rows + "</tbody></table>\n";
}
std::string Figure(std::string_view value, std::string_view name) {
  return fmt::format("<div class=figure><b>{}</b>{}</div>", value, name);
}

// Precision over recall for IoU 0.5, a line a class.
std::string Curves(const DetectionReport& d) {
  constexpr const char* kColors[] = {"#2563eb", "#dc2626", "#059669", "#d97706",
                                     "#7c3aed", "#0891b2", "#be185d", "#4d7c0f"};
  std::string svg =
      "<svg width=560 height=340 viewBox='0 0 560 340' role=img aria-label='precision over recall'>";
  svg += "<g stroke='#9aa4af' stroke-width=.5 font-size=11 fill='#6b7684'>";
  for (int i = 0; i <= 4; ++i) {
    const int x = 40 + i * 90, y = 300 - i * 70;
    svg += fmt::format("<line x1='{0}' y1='20' x2='{0}' y2='300'/><line x1='40' y1='{1}' x2='400' y2='{1}'/>",
                       x, y);
    svg += fmt::format("<text stroke=none x='{}' y='316' text-anchor=middle>{:.2f}</text>", x, i * 0.25);
    svg += fmt::format("<text stroke=none x='34' y='{}' text-anchor=end>{:.2f}</text>", y + 4, i * 0.25);
  }
  svg += "<text stroke=none x=220 y=334 text-anchor=middle>recall</text></g>";
  size_t k = 0;
  for (const ClassDetections& c : d.classes) {
    if (c.precision50.empty() || k >= 12) continue;
    svg += fmt::format("<polyline fill=none stroke-width=2 stroke='{}' points='", kColors[k % 8]);
    for (size_t r = 0; r < c.precision50.size(); ++r)
      svg += fmt::format("{:.1f},{:.1f} ", 40 + 3.6 * static_cast<double>(r), 300 - 280 * c.precision50[r]);
    svg += fmt::format("'/><text x=415 y='{}' font-size=12 fill='{}'>{} ({})</text>", 34 + 18 * k,
                       kColors[k % 8], Escaped(c.label), Percent(c.ap50));
    ++k;
  }
  return svg + "</svg>\n";
}

std::string DetectionsHtml(const DetectionReport& d) {
  std::string rows;
  for (const ClassDetections& c : d.classes) {
    if (c.truths == 0 && c.results == 0) continue;
    rows +=
        Row({Escaped(c.label), fmt::format("{}", c.truths), fmt::format("{}", c.results), Percent(c.ap),
             Percent(c.ap50), Percent(c.ap75), Percent(c.ap_small), Percent(c.ap_medium), Percent(c.ap_large),
             fmt::format("{:.2f}", c.best_score), Percent(c.best_precision), Percent(c.best_recall)});
  }
  rows += Row({"<b>mean</b>", "", "", Percent(d.ap), Percent(d.ap50), Percent(d.ap75), Percent(d.ap_small),
               Percent(d.ap_medium), Percent(d.ap_large), "", "", ""});
  return "<h2>Detections</h2><p>As the COCO evaluation defines them, in percent. The last three columns: the "
         "score with the best F1 at "
         "IoU 0.5, and precision and recall there.</p>" +
         Table({"class", "truth", "found", "AP", "AP50", "AP75", "small", "medium", "large", "score",
                "precision", "recall"},
               rows) +
         Curves(d);
}

std::string TracksHtml(const TrackReport& t) {
  std::string rows;
  const auto row = [](const TrackScores& s) {
    return Row({Escaped(s.label), fmt::format("{}", s.counts.identities), fmt::format("{}", s.counts.truths),
                Percent(s.hota), Percent(s.deta), Percent(s.assa), Percent(s.idf1),
                fmt::format("{:.1f}", 100 * s.mota), Percent(s.motp), fmt::format("{}", s.counts.switches),
                fmt::format("{}", s.counts.fragments),
                fmt::format("{} / {}", s.counts.mostly_tracked, s.counts.mostly_lost)});
  };
  for (const TrackScores& s : t.classes) {
    if (s.counts.truths > 0 || s.counts.results > 0) rows += row(s);
  }
  rows += row(t.combined);
  return "<h2>Tracks</h2>" + Table({"class", "objects", "boxes", "HOTA", "DetA", "AssA", "IDF1", "MOTA",
                                    "MOTP", "ID switches", "fragments", "mostly tracked / lost"},
                                   rows);
}

std::string EventsHtml(const EventReport& e) {
  std::string rows, list;
  const auto row = [](const EventScores& s) {
    return Row({Escaped(s.kind), fmt::format("{}", s.truths), fmt::format("{}", s.results),
                fmt::format("{}", s.matches), Percent(s.precision), Percent(s.recall),
                fmt::format("{:.2f}", s.delay_mean_s), fmt::format("{:.2f}", s.delay_p95_s)});
  };
  for (const EventScores& s : e.kinds) rows += row(s);
  rows += row(e.combined);
  for (const auto& [name, events] :
       {std::pair("missed", &e.missed), std::pair("false alarm", &e.false_alarms)}) {
    for (const TimedEvent& event : *events)
      list += fmt::format("<li>{}: {} at {:.1f}&ndash;{:.1f} s {}</li>", name, Escaped(event.kind),
                          event.begin_s, event.end_s, Escaped(event.source));
  }
  return "<h2>Events</h2>" +
         Table(
             {"kind", "truth", "reported", "right", "precision", "recall", "mean delay (s)", "p95 delay (s)"},
             rows) +
         "<ul>" + list + "</ul>";
}

std::string AttributesHtml(const AttributeReport& a) {
  std::string out = "<h2>Attributes</h2>";
  for (const AttributeScores& s : a.attributes) {
    out += fmt::format("<h3>{}</h3>", Escaped(s.name));
    std::string rows, worst;
    if (s.number) {
      out += fmt::format(
          "<p>Mean absolute error {:.2f}, bias {:+.2f}, within 5: {} %; {} compared, {} not said.</p>",
          s.mean_absolute_error, s.bias, Percent(s.within_5), s.compared, s.missing);
      for (const auto& b : s.bands)
        rows += Row({fmt::format("{:.0f}&ndash;{:.0f}", b.low, b.high), fmt::format("{}", b.count),
                     fmt::format("{:.2f}", b.mean_absolute_error), fmt::format("{:+.2f}", b.bias)});
      out += Table({"truth", "count", "mean absolute error", "bias"}, rows);
    } else {
      out += fmt::format("<p>Accuracy {} %, expected calibration error {}; {} compared, {} not said.</p>",
                         Percent(s.accuracy),
                         s.calibration_error < 0 ? "&ndash;" : fmt::format("{:.3f}", s.calibration_error),
                         s.compared, s.missing);
      for (const auto& [truth, row] : s.confusion) {
        for (const auto& [result, count] : row)
          rows += Row({Escaped(truth), Escaped(result), fmt::format("{}", count)});
      }
      out += Table({"truth", "result", "count"}, rows);
    }
    for (const auto& m : s.worst) worst += Row({Escaped(m.source), Escaped(m.truth), Escaped(m.result)});
    if (!worst.empty()) out += "<p>The worst:</p>" + Table({"picture", "truth", "result"}, worst);
  }
  return out;
}

std::string WorstHtml(const Report& report, const std::vector<std::string>& jpegs) {
  constexpr const char* kNames[] = {"False alarm", "Miss", "Identity switch"};
  std::string out = "<h2>The worst mistakes</h2><div class=grid>";
  for (size_t i = 0; i < report.worst.size(); ++i) {
    const Mistake& m = report.worst[i];
    out += "<figure>";
    if (i < jpegs.size() && !jpegs[i].empty())
      out += fmt::format("<img loading=lazy alt='' src='data:image/jpeg;base64,{}'>", Base64(jpegs[i]));
    out += fmt::format(
        "<figcaption>{}: {}{}{}, frame {}{}</figcaption></figure>", kNames[static_cast<size_t>(m.kind)],
        Escaped(m.annotation.label),
        m.kind == Mistake::Kind::kFalseAlarm ? fmt::format(" {:.2f}", m.annotation.score) : std::string(),
        m.source.empty() ? "" : " in " + Escaped(m.source), m.frame,
        m.annotation.box
            ? fmt::format(", {:.0f}x{:.0f} pixels", m.annotation.box->width(), m.annotation.box->height())
            : std::string());
  }
  return out + "</div>";
}

}  // namespace

std::string ReportHtml(const Report& report, const std::vector<std::string>& jpegs) {
  std::string out = fmt::format(
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
      "content='width=device-width'><title>Evaluation of {0}</title>"
      "<style>{1}</style><h1>Evaluation</h1><p><b>{0}</b> against <b>{2}</b>: {3} pictures and frames",
      Escaped(report.results), kStyle, Escaped(report.truth), report.pictures);
  if (report.without_results > 0)
    out += fmt::format(", {} of them without any result", report.without_results);
  if (report.without_truth > 0)
    out += fmt::format("; {} with results but no truth are left out", report.without_truth);
  if (report.errors > 0) out += fmt::format("; {} inputs or frames had failed", report.errors);
  out += ".</p><div class=figures>";
  if (report.detections) {
    out += Figure(Percent(report.detections->ap), "mAP (%)") +
           Figure(Percent(report.detections->ap50), "AP50 (%)");
  }
  if (report.tracks) {
    out += Figure(Percent(report.tracks->combined.hota), "HOTA (%)") +
           Figure(Percent(report.tracks->combined.idf1), "IDF1 (%)");
  }
  if (report.events) {
    out += Figure(Percent(report.events->combined.precision), "event precision (%)") +
           Figure(Percent(report.events->combined.recall), "event recall (%)");
  }
  out += "</div>";
  if (report.detections) out += DetectionsHtml(*report.detections);
  if (report.tracks) out += TracksHtml(*report.tracks);
  if (report.events) out += EventsHtml(*report.events);
  if (report.attributes) out += AttributesHtml(*report.attributes);
  if (!report.worst.empty()) out += WorstHtml(report, jpegs);
  return out + "</html>\n";
}

}  // namespace sightline::evaluate
