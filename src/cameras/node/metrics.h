// Prometheus text format.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sightline::cameras {

// Families in the order in which they are begun. Label values are escaped.
class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;
  // `type`: counter (names end in _total) or gauge.
  void Begin(std::string_view name, std::string_view type, std::string_view help);
  void Add(const Labels& labels, double value);
  std::string Take() { return std::move(text_); }

 private:
  std::string text_, name_;
};

}  // namespace sightline::cameras
