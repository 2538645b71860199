#include "stages/track/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sightline::track {
namespace {

// Disjoint sets of rows and columns that are linked.
class Groups {
 public:
  explicit Groups(int count) : parents_(static_cast<size_t>(count)) {
    std::iota(parents_.begin(), parents_.end(), 0);
  }
  int Find(int item) {
    while (at(item) != item) {
      at(item) = at(at(item));
      item = at(item);
    }
    return item;
  }
  void Link(int a, int b) { at(Find(a)) = Find(b); }

 private:
  int& at(int item) { return parents_[static_cast<size_t>(item)]; }
  std::vector<int> parents_;
};

// Numbers the rows, or the columns, of a group from 0 on. `number_of` is -1 for what is not numbered yet.
size_t Number(const std::vector<Candidate>& group, int Candidate::*side, std::vector<int>* number_of) {
  int count = 0;
  for (const Candidate& candidate : group) {
    int& number = (*number_of)[static_cast<size_t>(candidate.*side)];
    if (number < 0) number = count++;
  }
  return static_cast<size_t>(count);
}

// cost is rows x columns, rows <= columns. Gives the column of each row; the sum of the costs is least.
// The shortest augmenting path method with potentials (Kuhn, Munkres; Jonker and Volgenant).
std::vector<size_t> LeastCost(const std::vector<double>& cost, size_t rows, size_t columns) {
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::vector<double> row_potential(rows, 0), column_potential(columns, 0), distance(columns);
  std::vector<size_t> row_of(columns, kNone), previous(columns);
  std::vector<char> reached(columns);
  for (size_t start = 0; start < rows; ++start) {
    std::fill(distance.begin(), distance.end(), std::numeric_limits<double>::infinity());
    std::fill(reached.begin(), reached.end(), 0);
    std::fill(previous.begin(), previous.end(), kNone);
    size_t row = start, column = kNone;
    while (true) {
      double least = std::numeric_limits<double>::infinity();
      size_t next = kNone;
      for (size_t j = 0; j < columns; ++j) {
        if (reached[j]) continue;
        const double reduced = cost[row * columns + j] - row_potential[row] - column_potential[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          previous[j] = column;
        }
        if (distance[j] < least) {
          least = distance[j];
          next = j;
        }
      }
      row_potential[start] += least;
      for (size_t j = 0; j < columns; ++j) {
        if (reached[j]) {
          column_potential[j] -= least;
          row_potential[row_of[j]] += least;
        } else {
          distance[j] -= least;
        }
      }
      reached[next] = 1;
      column = next;
      if (row_of[column] == kNone) break;
      row = row_of[column];
    }
    // Turn the path round: each column takes the row of the one before it.
    while (previous[column] != kNone) {
      row_of[column] = row_of[previous[column]];
      column = previous[column];
    }
    row_of[column] = start;
  }
  std::vector<size_t> column_of(rows);
  for (size_t j = 0; j < columns; ++j) {
    if (row_of[j] != kNone) column_of[row_of[j]] = j;
  }
  return column_of;
}

// A group: its candidates name rows and columns by their numbers in the group.
struct Problem {
  std::vector<Candidate> candidates;
  size_t rows = 0, columns = 0;
};

// Gives the chosen candidates' indices.
std::vector<size_t> SolveOptimally(const Problem& problem) {
  const bool turned = problem.rows > problem.columns;
  const size_t height = std::min(problem.rows, problem.columns),
               width = std::max(problem.rows, problem.columns);
  // What is no candidate costs nothing: to be matched with it means to stay alone.
  std::vector<double> cost(height * width, 0);
  std::vector<int> listed(height * width, -1);
  for (size_t i = 0; i < problem.candidates.size(); ++i) {
    const auto row = static_cast<size_t>(problem.candidates[i].row);
    const auto column = static_cast<size_t>(problem.candidates[i].column);
    const size_t at = turned ? column * width + row : row * width + column;
    if (-problem.candidates[i].gain >= cost[at]) continue;
    cost[at] = -problem.candidates[i].gain;
    listed[at] = static_cast<int>(i);
  }
  const std::vector<size_t> column_of = LeastCost(cost, height, width);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < height; ++i) {
    const int index = listed[i * width + column_of[i]];
    if (index >= 0) chosen.push_back(static_cast<size_t>(index));
  }
  return chosen;
}

std::vector<size_t> SolveGreedily(const Problem& problem) {
  std::vector<size_t> order(problem.candidates.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double gain_a = problem.candidates[a].gain, gain_b = problem.candidates[b].gain;
    return gain_a != gain_b ? gain_a > gain_b : a < b;
  });
  std::vector<char> row_taken(problem.rows), column_taken(problem.columns);
  std::vector<size_t> chosen;
  for (const size_t i : order) {
    char& row = row_taken[static_cast<size_t>(problem.candidates[i].row)];
    char& column = column_taken[static_cast<size_t>(problem.candidates[i].column)];
    if (row || column) continue;
    row = column = 1;
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace

std::vector<Candidate> BestMatching(int rows, int columns, const std::vector<Candidate>& candidates) {
  Groups groups(rows + columns);
  for (const Candidate& candidate : candidates) groups.Link(candidate.row, rows + candidate.column);
  std::vector<std::vector<Candidate>> by_group;
  std::vector<int> group_index(static_cast<size_t>(rows + columns), -1);
  for (const Candidate& candidate : candidates) {
    int& index = group_index[static_cast<size_t>(groups.Find(candidate.row))];
    if (index < 0) {
      index = static_cast<int>(by_group.size());
      by_group.emplace_back();
    }
    by_group[static_cast<size_t>(index)].push_back(candidate);
  }
  std::vector<Candidate> result;
  std::vector<int> row_number(static_cast<size_t>(rows), -1), column_number(static_cast<size_t>(columns), -1);
  Problem problem;
  for (const std::vector<Candidate>& group : by_group) {
    if (group.size() == 1) {
      result.push_back(group.front());
      continue;
    }
    problem.rows = Number(group, &Candidate::row, &row_number);
    problem.columns = Number(group, &Candidate::column, &column_number);
    problem.candidates = group;
    for (Candidate& candidate : problem.candidates) {
      candidate.row = row_number[static_cast<size_t>(candidate.row)];
      candidate.column = column_number[static_cast<size_t>(candidate.column)];
    }
    const bool bounded = std::min(problem.rows, problem.columns) <= kOptimalSideMax;
    for (const size_t i : bounded ? SolveOptimally(problem) : SolveGreedily(problem))
      result.push_back(group[i]);
  }
  std::sort(result.begin(), result.end(),
            [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
  return result;
}

}  // namespace sightline::track
