#include "stages/postprocess/nms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sightline::postprocess {
namespace {

std::vector<Candidate> RandomCandidates(std::mt19937* random, int count, int classes) {
  std::uniform_real_distribution<float> place(0, 200), extent(1, 80);
  // Few distinct scores, so that there are ties.
  std::uniform_int_distribution<int> score(0, 20), class_id(0, classes - 1);
  std::vector<Candidate> candidates;
  for (int i = 0; i < count; ++i) {
    const float x = place(*random), y = place(*random);
    candidates.push_back({{x, y, x + extent(*random), y + extent(*random)},
                          static_cast<float>(score(*random)) / 20.f,
                          class_id(*random),
                          i});
  }
  return candidates;
}

bool Same(const Candidate& a, const Candidate& b) {
  return a.box == b.box && a.score == b.score && a.class_id == b.class_id && a.row == b.row;
}

bool Same(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Candidate& x, const Candidate& y) { return Same(x, y); });
}

// What must hold of any outcome, whatever the candidates.
void ExpectProperties(const SuppressionOptions& options, const std::vector<Candidate>& all,
                      const std::vector<Candidate>& kept) {
  EXPECT_LE(kept.size(), static_cast<size_t>(options.kept_max));
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), Better));
  const auto rivals = [&](const Candidate& a, const Candidate& b) {
    return options.class_agnostic || a.class_id == b.class_id;
  };
  for (const Candidate& candidate : kept) {
    EXPECT_TRUE(Same(all[candidate.row], candidate)) << "not one of the candidates";
    for (const Candidate& other : kept) {
      if (other.row == candidate.row || !rivals(candidate, other)) continue;
      EXPECT_LE(IntersectionOverUnion(candidate.box, other.box), options.iou);
    }
  }
  if (kept.size() == static_cast<size_t>(options.kept_max)) return;
  for (const Candidate& candidate : all) {  // whatever is gone was overlapped by something better
    const bool stayed =
        std::any_of(kept.begin(), kept.end(), [&](const Candidate& k) { return k.row == candidate.row; });
    const bool overlapped = std::any_of(kept.begin(), kept.end(), [&](const Candidate& k) {
      return rivals(k, candidate) && Better(k, candidate) &&
             IntersectionOverUnion(k.box, candidate.box) > options.iou;
    });
    EXPECT_NE(stayed, overlapped);
  }
}

TEST(SuppressNonMaximaTest, keeps_a_sorted_subset_without_overlaps_and_is_idempotent) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::vector<Candidate> all = RandomCandidates(&random, 1 + seed % 120, 1 + seed % 4);
    const SuppressionOptions options = {static_cast<float>(seed % 11) / 10, seed % 2 == 0,
                                        seed % 5 == 0 ? 7 : 300};
    std::vector<Candidate> kept = all;
    SuppressNonMaxima(options, &kept);
    ExpectProperties(options, all, kept);
    std::vector<Candidate> again = kept;
    SuppressNonMaxima(options, &again);
    EXPECT_TRUE(Same(kept, again));
    std::vector<Candidate> shuffled = all;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    SuppressNonMaxima(options, &shuffled);
    EXPECT_TRUE(Same(kept, shuffled)) << "depends on the order of the candidates";
  }
}

TEST(SuppressNonMaximaTest, looks_at_the_best_when_there_are_too_many) {
  // One box many times over, which the first suppresses; then two boxes elsewhere, of which one is beyond the
  // limit.
  std::vector<Candidate> candidates;
  for (int i = 0; i < static_cast<int>(kCandidatesMax) - 1; ++i)
    candidates.push_back({{0, 0, 10, 10}, 0.9f, 0, i});
  candidates.push_back({{100, 0, 110, 10}, 0.1f, 0, 100'001});
  candidates.push_back({{50, 0, 60, 10}, 0.2f, 0, 100'000});
  SuppressNonMaxima({0.5f, false, 300}, &candidates);
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[0].row, 0);
  EXPECT_EQ(candidates[1].row, 100'000);
}

TEST(SuppressNonMaximaTest, nothing_stays_nothing) {
  std::vector<Candidate> candidates;
  SuppressNonMaxima({}, &candidates);
  EXPECT_TRUE(candidates.empty());
}

TEST(KeepBestTest, sorts_and_cuts_without_suppressing) {
  std::vector<Candidate> candidates = {
      {{0, 0, 9, 9}, 0.2f, 0, 0}, {{0, 0, 9, 9}, 0.9f, 0, 1}, {{0, 0, 9, 9}, 0.5f, 0, 2}};
  KeepBest(2, &candidates);
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[0].row, 1);
  EXPECT_EQ(candidates[1].row, 2);
}

}  // namespace
}  // namespace sightline::postprocess
