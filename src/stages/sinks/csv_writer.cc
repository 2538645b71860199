// CSV after RFC 4180: a header, CRLF, cells quoted where they must be; cells hold exactly what the row says.
#include "base/status.h"
#include "stages/sinks/line_output.h"
#include "stages/sinks/result_writer.h"
#include "stages/sinks/row_text.h"

namespace sightline::sinks {
namespace {

class CsvWriter : public ResultWriter {
 public:
  explicit CsvWriter(LineOutput output) : output_(std::move(output)) {}

  absl::Status Write(const ResultRow& row) override {
    line_.clear();
    AppendCsvRow(row, &scratch_, &line_);
    return output_.Write(line_);
  }
  absl::Status Finish() override { return output_.Finish(); }

 private:
  LineOutput output_;
  std::string scratch_, line_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResultWriter>> CreateCsvWriter(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(LineOutput output, LineOutput::Open(path));
  std::string header;
  AppendCsvHeader(&header);
  RETURN_IF_ERROR(output.Write(header));
  return std::make_unique<CsvWriter>(std::move(output));
}

}  // namespace sightline::sinks
