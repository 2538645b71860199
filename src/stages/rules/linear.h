// Small systems of linear equations.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace sightline::rules {

// Solves matrix * x = *right in place (Gauss, with pivots). False where the matrix is singular: *right is
// then undefined.
template <size_t kSize>
bool Solve(std::array<double, kSize * kSize> matrix, std::array<double, kSize>* right) {
  std::array<double, kSize>& b = *right;
  for (size_t column = 0; column < kSize; ++column) {
    size_t pivot = column;
    for (size_t row = column + 1; row < kSize; ++row)
      if (std::abs(matrix[row * kSize + column]) > std::abs(matrix[pivot * kSize + column])) pivot = row;
    const double head = matrix[pivot * kSize + column];
    if (!(std::abs(head) > 1e-12) || !std::isfinite(head)) return false;
    if (pivot != column) {
      for (size_t i = 0; i < kSize; ++i) std::swap(matrix[pivot * kSize + i], matrix[column * kSize + i]);
      std::swap(b[pivot], b[column]);
    }
    for (size_t row = column + 1; row < kSize; ++row) {
      const double factor = matrix[row * kSize + column] / head;
      for (size_t i = column; i < kSize; ++i) matrix[row * kSize + i] -= factor * matrix[column * kSize + i];
      b[row] -= factor * b[column];
    }
  }
  for (size_t row = kSize; row-- > 0;) {
    for (size_t i = row + 1; i < kSize; ++i) b[row] -= matrix[row * kSize + i] * b[i];
    b[row] /= matrix[row * kSize + row];
    if (!std::isfinite(b[row])) return false;
  }
  return true;
}

}  // namespace sightline::rules
