#include "store/parquet_reader.h"

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/text.h"
#include "store/duckdb_database.h"

namespace sightline::store {
namespace {

// Attributes travel as one text: fields apart by unit separators, properties by record separators.
constexpr char kUnit = '\x1f', kRecord = '\x1e';
constexpr std::string_view kColumns =
    "source, coalesce(step, ''), kind, coalesce(label, ''), coalesce(error, ''), frame, time_s, CAST(score "
    "AS DOUBLE), "
    "CAST(box[1] AS DOUBLE), CAST(box[2] AS DOUBLE), CAST(box[3] AS DOUBLE), CAST(box[4] AS DOUBLE), "
    "track_id, "
    "coalesce(array_to_string(list_transform(map_entries(attributes), e -> concat(e.key, chr(31), "
    "coalesce(e.value.\"value\", ''), chr(31), coalesce(CAST(e.value.score AS VARCHAR), ''))), chr(30)), '')";

class Chunk {
 public:
  explicit Chunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() { duckdb_destroy_data_chunk(&chunk_); }
  idx_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  bool Valid(idx_t column, idx_t row) const {
    uint64_t* validity = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk_, column));
    return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
  }
  template <typename T>
  std::optional<T> Get(idx_t column, idx_t row) const {
    if (!Valid(column, row)) return std::nullopt;
    return static_cast<const T*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, column)))[row];
  }
  std::string_view Text(idx_t column, idx_t row) const {
    if (!Valid(column, row)) return "";
    auto* texts =
        static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, column)));
    return {duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])};
  }

 private:
  duckdb_data_chunk chunk_;
};

std::string_view Next(std::string_view* rest, char separator) {
  const size_t end = rest->find(separator);
  const std::string_view part = rest->substr(0, end);
  *rest = end == std::string_view::npos ? "" : rest->substr(end + 1);
  return part;
}

void Fill(const Chunk& chunk, idx_t i, StoredRow* row) {
  row->source = chunk.Text(0, i);
  row->step = chunk.Text(1, i);
  row->kind = chunk.Text(2, i);
  row->label = chunk.Text(3, i);
  row->error = chunk.Text(4, i);
  row->frame = chunk.Get<int64_t>(5, i).value_or(0);
  row->time_s = chunk.Get<double>(6, i);
  row->score.reset();
  if (const auto score = chunk.Get<double>(7, i)) row->score = static_cast<float>(*score);
  row->box.reset();
  std::array<float, 4> box{};
  bool whole = true;
  for (idx_t k = 0; k < 4; ++k) {
    const auto side = chunk.Get<double>(8 + k, i);
    whole &= side.has_value();
    box[k] = static_cast<float>(side.value_or(0));
  }
  if (whole) row->box = Box{box[0], box[1], box[2], box[3]};
  row->track_id = chunk.Get<int64_t>(12, i);
  row->attributes.clear();
  std::string_view text = chunk.Text(13, i);
  while (!text.empty()) {
    std::string_view property = Next(&text, kRecord);
    StoredRow::Property& out = row->attributes.emplace_back();
    out.name = Next(&property, kUnit);
    out.value = Next(&property, kUnit);
    out.score = ParseNumber(property);
  }
}

}  // namespace

absl::Status ReadResults(const std::filesystem::path& path,
                         const std::function<absl::Status(const StoredRow&)>& row) {
  DatabaseOptions options;
  ASSIGN_OR_RETURN(const Database database, Database::OpenInMemory(options));
  const std::string sql = fmt::format("SELECT {} FROM read_parquet({})", kColumns, SqlQuoted(path.string()));
  duckdb_result result{};
  const auto destroy = absl::MakeCleanup([&] { duckdb_destroy_result(&result); });
  duckdb_prepared_statement statement = nullptr;
  const auto destroy_statement = absl::MakeCleanup([&] { duckdb_destroy_prepare(&statement); });
  if (duckdb_prepare(database.connection(), sql.c_str(), &statement) == DuckDBError) {
    return absl::InvalidArgumentError(
        fmt::format("{}: no Parquet file of results: {}", path.string(), duckdb_prepare_error(statement)));
  }
  if (duckdb_execute_prepared_streaming(statement, &result) == DuckDBError)
    return Annotate(DuckDbError(duckdb_result_error(&result)), path.string());
  StoredRow stored;
  while (duckdb_data_chunk raw = duckdb_fetch_chunk(result)) {
    const Chunk chunk(raw);
    for (idx_t i = 0; i < chunk.rows(); ++i) {
      Fill(chunk, i, &stored);
      RETURN_IF_ERROR(row(stored));
    }
  }
  if (const char* message = duckdb_result_error(&result); message != nullptr && *message != '\0')
    return Annotate(DuckDbError(message), path.string());
  return absl::OkStatus();
}

}  // namespace sightline::store
