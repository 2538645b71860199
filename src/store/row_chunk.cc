#include "store/row_chunk.h"

#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/text.h"
#include "stages/sinks/row_text.h"
#include "store/duckdb_database.h"

namespace sightline::store {
namespace {

// Rows with long lists fill a chunk before it has all its rows, so that memory does not depend on the rows'
// sizes.
constexpr int64_t kChunkBytesMax = int64_t{4} << 20;

enum Column : size_t {
  kSource,
  kFrame,
  kTime,
  kStep,
  kKind,
  kLabel,
  kScore,
  kBox,
  kTrackId,
  kAttributes,
  kKeypoints,
  kMask,
  kEmbedding,
  kModel,
  kError,
  kColumns
};
// The list vectors: of columns, and the two inside a mask.
enum ListIndex : size_t {
  kBoxList,
  kAttributeList,
  kKeypointList,
  kMaskAreaList,
  kMaskRunsList,
  kEmbeddingList,
  kLists
};

template <typename T>
T* DataOf(duckdb_vector vector) {
  return static_cast<T*>(duckdb_vector_get_data(vector));
}

void SetNull(duckdb_vector vector, size_t index) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), index);
}

void SetText(duckdb_vector vector, size_t index, std::string_view value) {
  if (IsValidUtf8(value)) {
    duckdb_vector_assign_string_element_len(vector, index, value.data(), value.size());
  } else {
    const std::string valid = ToValidUtf8(value);
    duckdb_vector_assign_string_element_len(vector, index, valid.data(), valid.size());
  }
}

void SetNumber(duckdb_vector vector, size_t index, float value) {
  if (std::isfinite(value)) {
    DataOf<float>(vector)[index] = value;
  } else {
    SetNull(vector, index);
  }
}

}  // namespace

const char* ResultColumnsSql() {
  return "source VARCHAR, frame BIGINT, time_s DOUBLE, step VARCHAR, kind VARCHAR, label VARCHAR, score "
         "FLOAT, "
         "box FLOAT[], track_id BIGINT, attributes MAP(VARCHAR, STRUCT(\"value\" VARCHAR, number FLOAT, "
         "score FLOAT)), "
         "keypoints STRUCT(x FLOAT, y FLOAT, score FLOAT)[], mask STRUCT(area FLOAT[], runs UINTEGER[]), "
         "embedding FLOAT[], model VARCHAR, error VARCHAR";
}

RowChunk::RowChunk(duckdb_appender appender) : rows_max_(duckdb_vector_size()) {
  CHECK(duckdb_appender_column_count(appender) == kColumns) << "the table is not of result rows";
  for (size_t i = 0; i < kColumns; ++i) types_.push_back(duckdb_appender_column_type(appender, i));
  chunk_ = duckdb_create_data_chunk(types_.data(), types_.size());
  CHECK(chunk_ != nullptr) << "DuckDB refuses its own types";
  list_capacities_.assign(kLists, 0);
  Begin();
}

RowChunk::~RowChunk() {
  duckdb_destroy_data_chunk(&chunk_);
  for (duckdb_logical_type& type : types_) duckdb_destroy_logical_type(&type);
}

void RowChunk::Begin() {
  rows_ = 0;
  bytes_ = 0;
  vectors_.resize(kColumns);
  data_.resize(kColumns);
  validity_.resize(kColumns);
  for (size_t i = 0; i < kColumns; ++i) {
    vectors_[i] = duckdb_data_chunk_get_vector(chunk_, i);
    duckdb_vector_ensure_validity_writable(vectors_[i]);
    data_[i] = duckdb_vector_get_data(vectors_[i]);
    validity_[i] = duckdb_vector_get_validity(vectors_[i]);
  }
  list_sizes_.assign(kLists, 0);
}

bool RowChunk::full() const { return rows_ == rows_max_ || bytes_ >= kChunkBytesMax; }

size_t RowChunk::Grow(duckdb_vector vector, size_t list, size_t count) {
  const size_t begin = list_sizes_[list];
  list_sizes_[list] += count;
  const bool grows = list_sizes_[list] > list_capacities_[list];
  if (grows) list_capacities_[list] = std::max(list_sizes_[list], 2 * list_capacities_[list]);
  // A chunk that starts afresh may have given its memory back.
  if (grows || begin == 0) {
    CHECK(duckdb_list_vector_reserve(vector, list_capacities_[list]) == DuckDBSuccess) << "not a list";
  }
  duckdb_list_vector_set_size(vector, list_sizes_[list]);
  return begin;
}

void RowChunk::AddText(size_t column, std::string_view value) {
  if (value.empty()) {
    duckdb_validity_set_row_invalid(validity_[column], rows_);
    return;
  }
  SetText(vectors_[column], rows_, value);
  bytes_ += static_cast<int64_t>(value.size());
}

template <typename T>
void RowChunk::AddValue(size_t column, const std::optional<T>& value) {
  bool has_value = value.has_value();
  if constexpr (std::is_floating_point_v<T>) has_value = has_value && std::isfinite(*value);
  if (has_value) {
    static_cast<T*>(data_[column])[rows_] = *value;
  } else {
    duckdb_validity_set_row_invalid(validity_[column], rows_);
  }
}

void RowChunk::AddFloats(size_t column, absl::Span<const float> values) {
  if (values.empty()) {
    duckdb_validity_set_row_invalid(validity_[column], rows_);
    return;
  }
  const size_t begin = Grow(vectors_[column], column == kBox ? kBoxList : kEmbeddingList, values.size());
  static_cast<duckdb_list_entry*>(data_[column])[rows_] = {begin, values.size()};
  std::copy(values.begin(), values.end(),
            DataOf<float>(duckdb_list_vector_get_child(vectors_[column])) + begin);
  bytes_ += static_cast<int64_t>(values.size() * sizeof(float));
}

void RowChunk::AddAttributes(absl::Span<const Attribute> attributes) {
  if (attributes.empty()) {
    duckdb_validity_set_row_invalid(validity_[kAttributes], rows_);
    return;
  }
  size_t count = 0;
  for (size_t i = 0; i < attributes.size(); ++i) count += sinks::IsFirstOfItsName(attributes, i) ? 1 : 0;
  size_t at = Grow(vectors_[kAttributes], kAttributeList, count);
  static_cast<duckdb_list_entry*>(data_[kAttributes])[rows_] = {at, count};
  const duckdb_vector entries = duckdb_list_vector_get_child(vectors_[kAttributes]);
  const duckdb_vector keys = duckdb_struct_vector_get_child(entries, 0);
  const duckdb_vector values = duckdb_struct_vector_get_child(entries, 1);
  const duckdb_vector text = duckdb_struct_vector_get_child(values, 0);
  const duckdb_vector number = duckdb_struct_vector_get_child(values, 1);
  const duckdb_vector score = duckdb_struct_vector_get_child(values, 2);
  for (size_t i = 0; i < attributes.size(); ++i) {
    if (!sinks::IsFirstOfItsName(attributes, i)) continue;
    const Attribute& attribute = attributes[i];
    SetText(keys, at, attribute.name);
    if (!attribute.value.empty()) {
      SetText(text, at, attribute.value);
    } else if (std::isfinite(attribute.number)) {
      char digits[32];
      char* const end = std::to_chars(digits, digits + sizeof(digits), attribute.number).ptr;
      SetText(text, at, {digits, static_cast<size_t>(end - digits)});
    } else {
      SetNull(text, at);
    }
    SetNumber(number, at, attribute.number);
    SetNumber(score, at, attribute.score);
    bytes_ += static_cast<int64_t>(attribute.name.size() + attribute.value.size() + 2 * sizeof(float));
    ++at;
  }
}

void RowChunk::AddKeypoints(absl::Span<const Keypoint> keypoints) {
  if (keypoints.empty()) {
    duckdb_validity_set_row_invalid(validity_[kKeypoints], rows_);
    return;
  }
  const size_t begin = Grow(vectors_[kKeypoints], kKeypointList, keypoints.size());
  static_cast<duckdb_list_entry*>(data_[kKeypoints])[rows_] = {begin, keypoints.size()};
  const duckdb_vector points = duckdb_list_vector_get_child(vectors_[kKeypoints]);
  const duckdb_vector x = duckdb_struct_vector_get_child(points, 0);
  const duckdb_vector y = duckdb_struct_vector_get_child(points, 1);
  const duckdb_vector score = duckdb_struct_vector_get_child(points, 2);
  for (size_t i = 0; i < keypoints.size(); ++i) {
    SetNumber(x, begin + i, keypoints[i].x);
    SetNumber(y, begin + i, keypoints[i].y);
    SetNumber(score, begin + i, keypoints[i].score);
  }
  bytes_ += static_cast<int64_t>(keypoints.size() * sizeof(Keypoint));
}

void RowChunk::AddMask(const Mask* mask) {
  const duckdb_vector area = duckdb_struct_vector_get_child(vectors_[kMask], 0);
  const duckdb_vector runs = duckdb_struct_vector_get_child(vectors_[kMask], 1);
  if (mask == nullptr) {
    duckdb_validity_set_row_invalid(validity_[kMask], rows_);
    SetNull(area, rows_);
    SetNull(runs, rows_);
    return;
  }
  const size_t area_begin = Grow(area, kMaskAreaList, 4);
  DataOf<duckdb_list_entry>(area)[rows_] = {area_begin, 4};
  const float corners[] = {mask->area.x1, mask->area.y1, mask->area.x2, mask->area.y2};
  std::copy(std::begin(corners), std::end(corners),
            DataOf<float>(duckdb_list_vector_get_child(area)) + area_begin);
  const size_t runs_begin = Grow(runs, kMaskRunsList, mask->runs.size());
  DataOf<duckdb_list_entry>(runs)[rows_] = {runs_begin, mask->runs.size()};
  std::copy(mask->runs.begin(), mask->runs.end(),
            DataOf<uint32_t>(duckdb_list_vector_get_child(runs)) + runs_begin);
  bytes_ += static_cast<int64_t>(sizeof(corners) + mask->runs.size() * sizeof(uint32_t));
}

void RowChunk::Add(const ResultRow& row) {
  CHECK(!full()) << "the chunk was not handed on";
  constexpr int64_t kFixedBytes = 100;
  bytes_ += kFixedBytes;
  AddText(kSource, row.source);
  static_cast<int64_t*>(data_[kFrame])[rows_] = row.frame;
  AddValue(kTime, row.time_s);
  AddText(kStep, row.step);
  AddText(kKind, Name(row.kind));
  AddText(kLabel, row.label);
  AddValue(kScore, row.score);
  const Box box = row.box.value_or(Box{});
  const float corners[] = {box.x1, box.y1, box.x2, box.y2};
  AddFloats(kBox, row.box ? absl::MakeConstSpan(corners) : absl::Span<const float>());
  AddValue(kTrackId, row.track_id);
  AddAttributes(row.attributes);
  AddKeypoints(row.keypoints);
  AddMask(row.mask);
  AddFloats(kEmbedding, row.embedding);
  AddText(kModel, row.model);
  AddText(kError, row.error);
  ++rows_;
}

absl::Status RowChunk::AppendTo(duckdb_appender appender) {
  duckdb_data_chunk_set_size(chunk_, rows_);
  const bool appended = duckdb_append_data_chunk(appender, chunk_) == DuckDBSuccess;
  absl::Status status = appended ? absl::OkStatus() : DuckDbError(duckdb_appender_error(appender));
  duckdb_data_chunk_reset(chunk_);
  Begin();
  return status;
}

}  // namespace sightline::store
