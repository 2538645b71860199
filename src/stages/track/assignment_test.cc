#include "stages/track/assignment.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

namespace sightline::track {
namespace {

double Total(const std::vector<Candidate>& pairs) {
  double total = 0;
  for (const Candidate& pair : pairs) total += pair.gain;
  return total;
}

// The greatest total gain, by trying everything.
double BruteForce(int row, int rows, uint32_t taken, const std::vector<Candidate>& candidates) {
  if (row == rows) return 0;
  double best = BruteForce(row + 1, rows, taken, candidates);
  for (const Candidate& candidate : candidates) {
    const uint32_t bit = 1u << candidate.column;
    if (candidate.row != row || (taken & bit) != 0) continue;
    best = std::max(best, candidate.gain + BruteForce(row + 1, rows, taken | bit, candidates));
  }
  return best;
}

void ExpectMatching(const std::vector<Candidate>& pairs) {
  std::set<int> rows, columns;
  for (const Candidate& pair : pairs) {
    EXPECT_TRUE(rows.insert(pair.row).second);
    EXPECT_TRUE(columns.insert(pair.column).second);
  }
}

TEST(Assignment, gain_equals_brute_force) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const int rows = 1 + static_cast<int>(random() % 7), columns = 1 + static_cast<int>(random() % 7);
    const uint32_t density = 1 + random() % 10;
    std::vector<Candidate> candidates;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) {
        if (random() % 10 < density) candidates.push_back({i, j, (1 + random() % 20) / 20.0});
      }
    }
    const std::vector<Candidate> pairs = BestMatching(rows, columns, candidates);
    ExpectMatching(pairs);
    EXPECT_NEAR(Total(pairs), BruteForce(0, rows, 0, candidates), 1e-9);
  }
}

TEST(Assignment, one_good_pair_beats_two_poor_ones) {
  const auto pairs = BestMatching(2, 2, {{0, 0, 0.9}, {0, 1, 0.2}, {1, 0, 0.2}});
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].column, 0);
}

TEST(Assignment, nothing_to_match_is_no_pair) { EXPECT_TRUE(BestMatching(3, 0, {}).empty()); }

TEST(Assignment, dense_thousand_by_thousand_is_bounded) {
  std::mt19937 random(1);
  for (const int side : {kOptimalSideMax, 1000}) {
    std::vector<Candidate> candidates;
    for (int i = 0; i < side; ++i) {
      for (int j = 0; j < side; ++j) candidates.push_back({i, j, (1 + random() % 1000) / 1000.0});
    }
    const auto start = std::chrono::steady_clock::now();
    const auto pairs = BestMatching(side, side, candidates);
    const auto spent = std::chrono::steady_clock::now() - start;
    std::printf("%d x %d, all pairs allowed: %.1f ms\n", side, side,
                std::chrono::duration<double>(spent).count() * 1e3);
    ExpectMatching(pairs);
    EXPECT_EQ(pairs.size(), static_cast<size_t>(side));
  }
}

}  // namespace
}  // namespace sightline::track
