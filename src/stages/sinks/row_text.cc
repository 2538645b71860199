#include "stages/sinks/row_text.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr std::string_view kFields[] = {"source",    "frame", "time_s",    "step",     "kind",
                                        "label",     "score", "box",       "track_id", "attributes",
                                        "keypoints", "mask",  "embedding", "model",    "error"};

// Shortest text that reads back as the same value.
template <typename T>
void AppendNumber(T value, std::string* text) {
  char digits[64];
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) {
      text->append("null");
      return;
    }
  }
  text->append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

// Pixels: two decimals are a hundredth of a pixel; zeros at the end are left out.
void AppendPixels(float value, std::string* text) {
  constexpr float kExactMax = 1e9f;
  if (!(std::fabs(value) < kExactMax)) return AppendNumber(value, text);
  int64_t hundredths = std::llround(static_cast<double>(value) * 100);
  if (hundredths < 0) {
    text->push_back('-');
    hundredths = -hundredths;
  }
  AppendNumber(hundredths / 100, text);
  const int decimals = static_cast<int>(hundredths % 100);
  if (decimals == 0) return;
  text->push_back('.');
  text->push_back(static_cast<char>('0' + decimals / 10));
  if (decimals % 10 != 0) text->push_back(static_cast<char>('0' + decimals % 10));
}

void AppendEscaped(std::string_view value, std::string* text) {
  constexpr char kHex[] = "0123456789abcdef";
  size_t begin = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    text->append(value.substr(begin, i - begin));
    begin = i + 1;
    text->push_back('\\');
    switch (c) {
      case '"':
      case '\\':
        text->push_back(static_cast<char>(c));
        break;
      case '\n':
        text->push_back('n');
        break;
      case '\r':
        text->push_back('r');
        break;
      case '\t':
        text->push_back('t');
        break;
      default:
        text->append("u00");
        text->push_back(kHex[c >> 4]);
        text->push_back(kHex[c & 15]);
    }
  }
  text->append(value.substr(begin));
}

void AppendText(std::string_view value, std::string* text) {
  text->push_back('"');
  if (IsValidUtf8(value)) {
    AppendEscaped(value, text);
  } else {
    AppendEscaped(ToValidUtf8(value), text);
  }
  text->push_back('"');
}

template <typename List, typename AppendItem>
void AppendList(const List& list, std::string* text, AppendItem append_item) {
  text->push_back('[');
  bool first = true;
  for (const auto& item : list) {
    if (!first) text->push_back(',');
    first = false;
    append_item(item);
  }
  text->push_back(']');
}

void AppendBox(const Box& box, std::string* text) {
  const float corners[] = {box.x1, box.y1, box.x2, box.y2};
  AppendList(corners, text, [&](float value) { AppendPixels(value, text); });
}

void AppendAttributes(absl::Span<const Attribute> attributes, std::string* text) {
  text->push_back('{');
  for (size_t i = 0; i < attributes.size(); ++i) {
    if (!IsFirstOfItsName(attributes, i)) continue;
    if (i > 0) text->push_back(',');
    AppendText(attributes[i].name, text);
    text->append(":{\"value\":");
    if (attributes[i].value.empty()) {
      AppendNumber(attributes[i].number, text);
    } else {
      AppendText(attributes[i].value, text);
    }
    text->append(",\"score\":");
    AppendNumber(attributes[i].score, text);
    text->push_back('}');
  }
  text->push_back('}');
}

void AppendKeypoints(absl::Span<const Keypoint> keypoints, std::string* text) {
  AppendList(keypoints, text, [&](const Keypoint& point) {
    text->push_back('[');
    AppendPixels(point.x, text);
    text->push_back(',');
    AppendPixels(point.y, text);
    text->push_back(',');
    AppendNumber(point.score, text);
    text->push_back(']');
  });
}

void AppendMask(const Mask& mask, std::string* text) {
  text->append("{\"area\":");
  AppendBox(mask.area, text);
  text->append(",\"runs\":");
  AppendList(mask.runs, text, [&](uint32_t run) { AppendNumber(run, text); });
  text->push_back('}');
}

void AppendEmbedding(absl::Span<const float> embedding, std::string* text) {
  AppendList(embedding, text, [&](float value) { AppendNumber(value, text); });
}

// Calls visit(name, has_value, append) for every field in order; `append` writes the value as JSON.
template <typename VisitText, typename VisitJson>
void ForEachField(const ResultRow& row, std::string* out, VisitText visit_text, VisitJson visit_json) {
  visit_text(row.source);
  visit_json(true, [&] { AppendNumber(row.frame, out); });
  visit_json(row.time_s.has_value() && std::isfinite(*row.time_s), [&] { AppendNumber(*row.time_s, out); });
  visit_text(row.step);
  visit_text(Name(row.kind));
  visit_text(row.label);
  visit_json(row.score.has_value() && std::isfinite(*row.score), [&] { AppendNumber(*row.score, out); });
  visit_json(row.box.has_value(), [&] { AppendBox(*row.box, out); });
  visit_json(row.track_id.has_value(), [&] { AppendNumber(*row.track_id, out); });
  visit_json(!row.attributes.empty(), [&] { AppendAttributes(row.attributes, out); });
  visit_json(!row.keypoints.empty(), [&] { AppendKeypoints(row.keypoints, out); });
  visit_json(row.mask != nullptr, [&] { AppendMask(*row.mask, out); });
  visit_json(!row.embedding.empty(), [&] { AppendEmbedding(row.embedding, out); });
  visit_text(row.model);
  visit_text(row.error);
}

void AppendCell(std::string_view value, std::string* text) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) {
    text->append(value);
    return;
  }
  text->push_back('"');
  for (const char c : value) {
    if (c == '"') text->push_back('"');
    text->push_back(c);
  }
  text->push_back('"');
}

}  // namespace

bool IsFirstOfItsName(absl::Span<const Attribute> attributes, size_t index) {
  for (size_t i = 0; i < index; ++i) {
    if (attributes[i].name == attributes[index].name) return false;
  }
  return true;
}

void AppendJsonRow(const ResultRow& row, std::string* text) {
  size_t index = 0;
  const auto name = [&] {
    text->append(index == 0 ? "{\"" : ",\"");
    text->append(kFields[index++]);
    text->append("\":");
  };
  ForEachField(
      row, text,
      [&](std::string_view value) {
        name();
        if (value.empty()) {
          text->append("null");
        } else {
          AppendText(value, text);
        }
      },
      [&](bool has_value, auto append) {
        name();
        if (has_value) {
          append();
        } else {
          text->append("null");
        }
      });
  text->append("}\n");
}

void AppendCsvHeader(std::string* text) {
  for (size_t i = 0; i < std::size(kFields); ++i) {
    if (i > 0) text->push_back(',');
    text->append(kFields[i]);
  }
  text->append("\r\n");
}

void AppendCsvRow(const ResultRow& row, std::string* scratch, std::string* text) {
  bool first = true;
  const auto separate = [&] {
    if (!first) text->push_back(',');
    first = false;
  };
  ForEachField(
      row, scratch,
      [&](std::string_view value) {
        separate();
        if (IsValidUtf8(value)) {
          AppendCell(value, text);
        } else {
          AppendCell(ToValidUtf8(value), text);
        }
      },
      [&](bool has_value, auto append) {
        separate();
        if (!has_value) return;
        scratch->clear();
        append();
        AppendCell(*scratch, text);
      });
  text->append("\r\n");
}

}  // namespace sightline::sinks
