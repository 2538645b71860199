// Tracks against true tracks. Results that lie on truths which are not asked for are taken out first, as the
// MOTChallenge does.
#include <algorithm>
#include <cmath>
#include <set>

#include "evaluate/metrics.h"
#include "stages/track/assignment.h"

namespace sightline::evaluate {
namespace {

constexpr double kEpsilon = 1e-9;
using track::BestMatching;
using track::Candidate;

double Overlap(const Box& a, const Box& b) {
  const double w = static_cast<double>(std::min(a.x2, b.x2)) - static_cast<double>(std::max(a.x1, b.x1));
  const double h = static_cast<double>(std::min(a.y2, b.y2)) - static_cast<double>(std::max(a.y1, b.y1));
  if (w <= 0 || h <= 0) return 0;
  const auto area = [](const Box& box) {
    return static_cast<double>(box.width()) * static_cast<double>(box.height());
  };
  return w * h / (area(a) + area(b) - w * h);
}

// One frame of one class: identities as small numbers, and how much each pair overlaps.
struct Moment {
  std::vector<int> truths, results;
  std::vector<std::vector<double>> overlaps;  // [truth][result]
  const Picture* picture = nullptr;
  std::vector<const Annotation*> boxes;  // of the results
};
struct Sequence {
  std::vector<Moment> moments;
  int truths = 0, results = 0;  // identities
};

std::vector<Candidate> Pairs(const std::vector<std::vector<double>>& gains, double least) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < gains.size(); ++i) {
    for (size_t j = 0; j < gains[i].size(); ++j) {
      if (gains[i][j] > 0 && gains[i][j] >= least)
        candidates.push_back({static_cast<int>(i), static_cast<int>(j), gains[i][j]});
    }
  }
  return candidates;
}

Moment MomentOf(const Pair& pair, const std::string& label, double iou, std::map<int64_t, int>* truth_ids,
                std::map<int64_t, int>* result_ids) {
  std::vector<const Annotation*> truths, results;
  for (const Annotation& truth : pair.truth->annotations) {
    if (truth.box && truth.track_id && truth.label == label) truths.push_back(&truth);
  }
  for (const Annotation& result : pair.results->annotations) {
    if (result.box && result.track_id && result.label == label) results.push_back(&result);
  }
  std::vector<std::vector<double>> overlaps(truths.size(), std::vector<double>(results.size()));
  for (size_t i = 0; i < truths.size(); ++i) {
    for (size_t j = 0; j < results.size(); ++j) overlaps[i][j] = Overlap(*truths[i]->box, *results[j]->box);
  }
  std::set<int> gone;
  const auto matches = BestMatching(static_cast<int>(truths.size()), static_cast<int>(results.size()),
                                    Pairs(overlaps, iou - kEpsilon));
  for (const Candidate& match : matches) {
    if (truths[static_cast<size_t>(match.row)]->ignore) gone.insert(match.column);
  }
  Moment moment;
  moment.picture = pair.results;
  const auto number = [](std::map<int64_t, int>* ids, int64_t id) {
    return ids->try_emplace(id, static_cast<int>(ids->size())).first->second;
  };
  std::vector<size_t> kept;
  for (size_t j = 0; j < results.size(); ++j) {
    if (gone.contains(static_cast<int>(j))) continue;
    kept.push_back(j);
    moment.results.push_back(number(result_ids, *results[j]->track_id));
    moment.boxes.push_back(results[j]);
  }
  for (size_t i = 0; i < truths.size(); ++i) {
    if (truths[i]->ignore) continue;
    moment.truths.push_back(number(truth_ids, *truths[i]->track_id));
    std::vector<double>& row = moment.overlaps.emplace_back();
    for (const size_t j : kept) row.push_back(overlaps[i][j]);
  }
  return moment;
}

// One sequence a source.
std::vector<Sequence> Sequences(const Paired& paired, const std::string& label, double iou) {
  std::vector<Sequence> sequences;
  std::map<int64_t, int> truth_ids, result_ids;
  const std::string* source = nullptr;
  for (const Pair& pair : paired.pairs) {
    const std::string& its = pair.truth->source;
    if (source == nullptr || (its != *source && !its.empty())) {
      truth_ids.clear();
      result_ids.clear();
      sequences.emplace_back();
      source = &its;
    }
    Sequence& sequence = sequences.back();
    sequence.moments.push_back(MomentOf(pair, label, iou, &truth_ids, &result_ids));
    sequence.truths = static_cast<int>(truth_ids.size());
    sequence.results = static_cast<int>(result_ids.size());
  }
  return sequences;
}

struct PairCounts {
  std::map<std::pair<int, int>, double> shared;  // per (truth, result)
  std::vector<double> truths, results;
};

void AddHota(const Sequence& sequence, TrackCounts* counts) {
  PairCounts potential;
  potential.truths.resize(static_cast<size_t>(sequence.truths));
  potential.results.resize(static_cast<size_t>(sequence.results));
  for (const Moment& moment : sequence.moments) {
    std::vector<double> of_truth(moment.truths.size()), of_result(moment.results.size());
    for (size_t i = 0; i < moment.truths.size(); ++i) {
      for (size_t j = 0; j < moment.results.size(); ++j) {
        of_truth[i] += moment.overlaps[i][j];
        of_result[j] += moment.overlaps[i][j];
      }
    }
    for (size_t i = 0; i < moment.truths.size(); ++i) {
      potential.truths[static_cast<size_t>(moment.truths[i])] += 1;
      for (size_t j = 0; j < moment.results.size(); ++j) {
        const double overlap = moment.overlaps[i][j], all = of_truth[i] + of_result[j] - overlap;
        if (overlap > 0 && all > 0) potential.shared[{moment.truths[i], moment.results[j]}] += overlap / all;
      }
    }
    for (const int result : moment.results) potential.results[static_cast<size_t>(result)] += 1;
  }
  std::array<std::map<std::pair<int, int>, double>, 19> matched;
  for (const Moment& moment : sequence.moments) {
    std::vector<std::vector<double>> gains = moment.overlaps;
    for (size_t i = 0; i < moment.truths.size(); ++i) {
      for (size_t j = 0; j < moment.results.size(); ++j) {
        const auto found = potential.shared.find({moment.truths[i], moment.results[j]});
        const double shared = found == potential.shared.end() ? 0 : found->second;
        gains[i][j] *= shared / (potential.truths[static_cast<size_t>(moment.truths[i])] +
                                 potential.results[static_cast<size_t>(moment.results[j])] - shared);
      }
    }
    const auto matches = BestMatching(static_cast<int>(moment.truths.size()),
                                      static_cast<int>(moment.results.size()), Pairs(gains, 0));
    for (size_t a = 0; a < 19; ++a) {
      const double alpha = 0.05 * static_cast<double>(a + 1);
      double tp = 0;
      for (const Candidate& match : matches) {
        const double overlap =
            moment.overlaps[static_cast<size_t>(match.row)][static_cast<size_t>(match.column)];
        if (overlap < alpha - 1e-12) continue;
        tp += 1;
        counts->location[a] += overlap;
        matched[a][{moment.truths[static_cast<size_t>(match.row)],
                    moment.results[static_cast<size_t>(match.column)]}] += 1;
      }
      counts->tp[a] += tp;
      counts->fn[a] += static_cast<double>(moment.truths.size()) - tp;
      counts->fp[a] += static_cast<double>(moment.results.size()) - tp;
    }
  }
  for (size_t a = 0; a < 19; ++a) {
    for (const auto& [ids, count] : matched[a]) {
      counts->association[a] += count * count /
                                (potential.truths[static_cast<size_t>(ids.first)] +
                                 potential.results[static_cast<size_t>(ids.second)] - count);
    }
  }
}

// The greatest number of boxes that are right when each true identity is given one result's identity.
void AddIdentity(const Sequence& sequence, double iou, TrackCounts* counts) {
  std::map<std::pair<int, int>, double> together;
  for (const Moment& moment : sequence.moments) {
    for (size_t i = 0; i < moment.truths.size(); ++i) {
      for (size_t j = 0; j < moment.results.size(); ++j) {
        if (moment.overlaps[i][j] >= iou) together[{moment.truths[i], moment.results[j]}] += 1;
      }
    }
  }
  std::vector<Candidate> candidates;
  for (const auto& [ids, count] : together) candidates.push_back({ids.first, ids.second, count});
  for (const Candidate& match : BestMatching(sequence.truths, sequence.results, candidates))
    counts->idtp += static_cast<int64_t>(match.gain + 0.5);
}

void AddClear(const Sequence& sequence, double iou, TrackCounts* counts, std::vector<Mistake>* switches) {
  const auto n = static_cast<size_t>(sequence.truths);
  std::vector<int> last(n, -1), before(n, -1);  // ever; in the frame before
  std::vector<int64_t> seen(n), tracked(n), pieces(n);
  for (const Moment& moment : sequence.moments) {
    counts->truths += static_cast<int64_t>(moment.truths.size());
    counts->results += static_cast<int64_t>(moment.results.size());
    std::vector<std::vector<double>> gains = moment.overlaps;
    for (size_t i = 0; i < moment.truths.size(); ++i) {
      ++seen[static_cast<size_t>(moment.truths[i])];
      for (size_t j = 0; j < moment.results.size(); ++j) {
        if (gains[i][j] < iou - kEpsilon) {
          gains[i][j] = 0;
        } else if (before[static_cast<size_t>(moment.truths[i])] == moment.results[j]) {
          gains[i][j] += 1000;  // whoever was right goes on being right
        }
      }
    }
    std::vector<int> now(n, -1);
    for (const Candidate& match : BestMatching(static_cast<int>(moment.truths.size()),
                                               static_cast<int>(moment.results.size()), Pairs(gains, 0))) {
      const auto row = static_cast<size_t>(match.row), column = static_cast<size_t>(match.column);
      const auto truth = static_cast<size_t>(moment.truths[row]);
      const int result = moment.results[column];
      ++counts->matches;
      counts->overlap += moment.overlaps[row][column];
      ++tracked[truth];
      if (last[truth] >= 0 && last[truth] != result) {
        ++counts->switches;
        if (switches != nullptr) {
          switches->push_back({Mistake::Kind::kSwitch, moment.picture->source, moment.picture->frame,
                               *moment.boxes[column],
                               static_cast<double>(moment.boxes[column]->box->area())});
        }
      }
      if (before[truth] < 0) ++pieces[truth];
      last[truth] = now[truth] = result;
    }
    before = now;
  }
  for (size_t i = 0; i < n; ++i) {
    ++counts->identities;
    const double share = static_cast<double>(tracked[i]) / static_cast<double>(std::max<int64_t>(seen[i], 1));
    counts->mostly_tracked += share > 0.8 ? 1 : 0;
    counts->mostly_lost += share < 0.2 ? 1 : 0;
    counts->fragments += std::max<int64_t>(0, pieces[i] - 1);
  }
}

void Add(const TrackCounts& from, TrackCounts* to) {
  for (size_t a = 0; a < 19; ++a) {
    to->tp[a] += from.tp[a];
    to->fn[a] += from.fn[a];
    to->fp[a] += from.fp[a];
    to->association[a] += from.association[a];
    to->location[a] += from.location[a];
  }
  to->truths += from.truths;
  to->results += from.results;
  to->matches += from.matches;
  to->switches += from.switches;
  to->fragments += from.fragments;
  to->overlap += from.overlap;
  to->identities += from.identities;
  to->mostly_tracked += from.mostly_tracked;
  to->mostly_lost += from.mostly_lost;
  to->idtp += from.idtp;
}

TrackScores Score(const std::string& label, const TrackCounts& c) {
  TrackScores s;
  s.label = label;
  s.counts = c;
  for (size_t a = 0; a < 19; ++a) {
    const double deta = c.tp[a] / std::max(1.0, c.tp[a] + c.fn[a] + c.fp[a]),
                 assa = c.association[a] / std::max(1.0, c.tp[a]);
    s.deta += deta / 19;
    s.assa += assa / 19;
    s.hota += std::sqrt(deta * assa) / 19;
    s.loca += std::max(1e-10, c.location[a]) / std::max(1e-10, c.tp[a]) / 19;
  }
  const auto truths = static_cast<double>(c.truths), results = static_cast<double>(c.results),
             matches = static_cast<double>(c.matches);
  const auto idtp = static_cast<double>(c.idtp);
  const double misses = truths - matches, alarms = results - matches;
  s.mota = (matches - alarms - static_cast<double>(c.switches)) / std::max(1.0, matches + misses);
  s.motp = c.overlap / std::max(1.0, matches);
  s.idf1 = 2 * idtp / std::max(1.0, truths + results);
  s.idp = idtp / std::max(1.0, results);
  s.idr = idtp / std::max(1.0, truths);
  return s;
}

std::set<std::string> Labels(const Paired& paired) {
  std::set<std::string> labels;
  for (const Pair& pair : paired.pairs) {
    for (const Annotation& truth : pair.truth->annotations) labels.insert(truth.label);
  }
  return labels;
}

}  // namespace

TrackReport EvaluateTracks(const Paired& paired, const std::vector<std::string>& labels, double iou) {
  TrackReport report;
  TrackCounts all;
  for (const std::string& label : labels) {
    TrackCounts counts;
    for (const Sequence& sequence : Sequences(paired, label, iou)) {
      AddHota(sequence, &counts);
      AddIdentity(sequence, iou, &counts);
      AddClear(sequence, iou, &counts, nullptr);
    }
    Add(counts, &all);
    report.classes.push_back(Score(label, counts));
  }
  report.combined = Score("all", all);
  return report;
}

std::vector<Mistake> IdentitySwitches(const Paired& paired, double iou, size_t count) {
  std::vector<Mistake> switches;
  for (const std::string& label : Labels(paired)) {
    TrackCounts ignored;
    for (const Sequence& sequence : Sequences(paired, label, iou))
      AddClear(sequence, iou, &ignored, &switches);
  }
  std::stable_sort(switches.begin(), switches.end(),
                   [](const Mistake& a, const Mistake& b) { return a.weight > b.weight; });
  if (switches.size() > count) switches.resize(count);
  return switches;
}

}  // namespace sightline::evaluate
