// Which row goes with which column: the matching of greatest total gain.
#pragma once

#include <vector>

namespace sightline::track {

// A pair that may be matched. Pairs that are not listed may not.
struct Candidate {
  int row = 0, column = 0;
  double gain = 0;  // greater than 0
};

// Groups of rows and columns that are linked by candidates are solved one by one: optimally (Hungarian method
// with potentials, cubic in the group's smaller side) up to kOptimalSideMax, and beyond it greedily, best
// gain first, so that time stays bounded whatever comes. Each row and column appears at most once in the
// result, which is ordered by row. The same candidates in the same order give the same result.
inline constexpr int kOptimalSideMax = 600;
std::vector<Candidate> BestMatching(int rows, int columns, const std::vector<Candidate>& candidates);

}  // namespace sightline::track
