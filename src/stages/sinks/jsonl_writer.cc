// JSON Lines: one object a row, every object with all fields in the same order.
#include "base/status.h"
#include "stages/sinks/line_output.h"
#include "stages/sinks/result_writer.h"
#include "stages/sinks/row_text.h"

namespace sightline::sinks {
namespace {

class JsonLinesWriter : public ResultWriter {
 public:
  explicit JsonLinesWriter(LineOutput output) : output_(std::move(output)) {}

  absl::Status Write(const ResultRow& row) override {
    line_.clear();
    AppendJsonRow(row, &line_);
    return output_.Write(line_);
  }
  absl::Status Finish() override { return output_.Finish(); }

 private:
  LineOutput output_;
  std::string line_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResultWriter>> CreateJsonLinesWriter(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(LineOutput output, LineOutput::Open(path));
  return std::make_unique<JsonLinesWriter>(std::move(output));
}

}  // namespace sightline::sinks
