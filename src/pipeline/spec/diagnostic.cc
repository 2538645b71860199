#include "pipeline/spec/diagnostic.h"

#include "base/text.h"

namespace sightline::pipeline {

std::string Diagnostic::Text() const {
  std::string text;
  if (!file.empty()) text += file + ":";
  if (line > 0) text += fmt::format("{}:{}:", line, column);
  if (!text.empty()) text += " ";
  if (!path.empty()) text += path + ": ";
  return text + message;
}

absl::Status ToStatus(const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return absl::OkStatus();
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) lines.push_back(diagnostic.Text());
  return absl::InvalidArgumentError(Join(lines, "\n"));
}

}  // namespace sightline::pipeline
