// Result rows as columns: fills DuckDB data chunks for the table that ResultColumnsSql() describes.
#pragma once

#include <duckdb.h>

#include <vector>

#include "absl/status/status.h"
#include "data/result.h"

namespace sightline::store {

// "source VARCHAR, frame BIGINT, ...": the schema of the Parquet file, in order.
const char* ResultColumnsSql();

// Threads: one at a time. Lifetime: `appender` outlives this.
class RowChunk {
 public:
  explicit RowChunk(duckdb_appender appender);
  RowChunk(const RowChunk&) = delete;
  RowChunk& operator=(const RowChunk&) = delete;
  ~RowChunk();

  // The caller hands the chunk on with AppendTo() when it is full.
  void Add(const ResultRow& row);
  bool full() const;
  // Moves the rows into the appender and starts afresh.
  absl::Status AppendTo(duckdb_appender appender);
  // Size of what was added since the last AppendTo, about.
  int64_t bytes() const { return bytes_; }
  int64_t rows() const { return static_cast<int64_t>(rows_); }

 private:
  void Begin();
  void AddText(size_t column, std::string_view value);
  void AddFloats(size_t column, absl::Span<const float> values);
  void AddAttributes(absl::Span<const Attribute> attributes);
  void AddKeypoints(absl::Span<const Keypoint> keypoints);
  void AddMask(const Mask* mask);
  template <typename T>
  void AddValue(size_t column, const std::optional<T>& value);
  // Room for `count` more entries in list vector `vector`; the first one's index. Child pointers change.
  size_t Grow(duckdb_vector vector, size_t list, size_t count);

  std::vector<duckdb_logical_type> types_;
  duckdb_data_chunk chunk_ = nullptr;
  std::vector<duckdb_vector> vectors_;
  std::vector<void*> data_;
  std::vector<uint64_t*> validity_;
  std::vector<size_t> list_sizes_, list_capacities_;
  size_t rows_ = 0;
  size_t rows_max_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace sightline::store
