#include "cameras/node/metrics.h"

#include "base/text.h"

namespace sightline::cameras {

void MetricsText::Begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::Add(const Labels& labels, double value) {
  text_ += name_;
  char separator = '{';
  for (const auto& [key, label] : labels) {
    text_ += separator;
    separator = ',';
    text_ += key;
    text_ += "=\"";
    for (const char c : ToValidUtf8(label)) {
      if (c == '\\' || c == '"') text_ += '\\';
      text_ += c == '\n' ? ' ' : c;
    }
    text_ += '"';
  }
  if (!labels.empty()) text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

}  // namespace sightline::cameras
