#include <algorithm>
#include <set>

#include "evaluate/metrics.h"
#include "stages/track/assignment.h"

namespace sightline::evaluate {
namespace {

// How far apart two events are in time: 0 where they overlap.
double Apart(const TimedEvent& a, const TimedEvent& b) {
  return std::max({0.0, a.begin_s - b.end_s, b.begin_s - a.end_s});
}

double Quantile95(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(0.95 * static_cast<double>(values.size())))];
}

void Finish(EventScores* scores, const std::vector<double>& delays) {
  const auto share = [](int64_t part, int64_t whole) {
    return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  scores->precision = share(scores->matches, scores->results);
  scores->recall = share(scores->matches, scores->truths);
  for (const double delay : delays) scores->delay_mean_s += delay / static_cast<double>(delays.size());
  scores->delay_p95_s = Quantile95(delays);
}

}  // namespace

EventReport EvaluateEvents(const DataSet& truth, const DataSet& results, double tolerance_s) {
  EventReport report;
  report.combined.kind = "all";
  std::set<std::string> kinds;
  for (const TimedEvent& event : truth.events) kinds.insert(event.kind);
  for (const TimedEvent& event : results.events) kinds.insert(event.kind);
  std::vector<double> all_delays;
  for (const std::string& kind : kinds) {
    std::vector<const TimedEvent*> truths, found;
    for (const TimedEvent& event : truth.events) {
      if (event.kind == kind) truths.push_back(&event);
    }
    for (const TimedEvent& event : results.events) {
      if (event.kind == kind) found.push_back(&event);
    }
    std::vector<track::Candidate> candidates;
    for (size_t i = 0; i < truths.size(); ++i) {
      for (size_t j = 0; j < found.size(); ++j) {
        if (!truths[i]->source.empty() && truths[i]->source != found[j]->source) continue;
        const double apart = Apart(*truths[i], *found[j]);
        // As many as possible first, then the nearest.
        if (apart <= tolerance_s)
          candidates.push_back({static_cast<int>(i), static_cast<int>(j), 1000 + 1 / (1 + apart)});
      }
    }
    EventScores scores;
    scores.kind = kind;
    scores.truths = static_cast<int64_t>(truths.size());
    scores.results = static_cast<int64_t>(found.size());
    std::vector<double> delays;
    std::vector<char> hit(truths.size()), used(found.size());
    for (const track::Candidate& match :
         track::BestMatching(static_cast<int>(truths.size()), static_cast<int>(found.size()), candidates)) {
      const auto i = static_cast<size_t>(match.row), j = static_cast<size_t>(match.column);
      hit[i] = used[j] = 1;
      ++scores.matches;
      delays.push_back(found[j]->reported_s.value_or(found[j]->begin_s) - truths[i]->begin_s);
    }
    for (size_t i = 0; i < truths.size(); ++i) {
      if (!hit[i]) report.missed.push_back(*truths[i]);
    }
    for (size_t j = 0; j < found.size(); ++j) {
      if (!used[j]) report.false_alarms.push_back(*found[j]);
    }
    Finish(&scores, delays);
    report.combined.truths += scores.truths;
    report.combined.results += scores.results;
    report.combined.matches += scores.matches;
    all_delays.insert(all_delays.end(), delays.begin(), delays.end());
    report.kinds.push_back(scores);
  }
  Finish(&report.combined, all_delays);
  return report;
}

}  // namespace sightline::evaluate
