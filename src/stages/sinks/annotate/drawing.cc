#include "stages/sinks/annotate/drawing.h"

#include <cairo.h>

#include "base/text.h"
#include "stages/sinks/annotate/label_layout.h"
#include "stages/sinks/annotate/mask_drawing.h"
#include "stages/sinks/annotate/palette.h"

namespace sightline::sinks {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr size_t kLabelBytesMax = 160;
constexpr size_t kLabelsMax = 500;  // nobody could read more
constexpr float kKeypointScoreMin = 0.2f;

struct Style {
  double line, text, padding, radius;
  explicit Style(Size size) {
    const double diagonal = std::hypot(size.width, size.height);
    line = std::max(1.5, diagonal / 600);
    text = std::max(11.0, diagonal / 105);
    padding = std::max(2.0, text * 0.22);
    radius = std::max(1.0, text * 0.18);
  }
};

// Printable UTF-8 that Cairo accepts, not longer than anybody wants to read.
std::string Printable(std::string_view label) {
  std::string text;
  for (const char c : ToValidUtf8(label.substr(0, kLabelBytesMax))) {
    text.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  }
  return text;
}

class Drawing {
 public:
  explicit Drawing(Canvas* canvas)
      : canvas_(*canvas),
        style_(canvas->size()),
        surface_(cairo_image_surface_create_for_data(canvas->pixels(), CAIRO_FORMAT_RGB24,
                                                     canvas->size().width, canvas->size().height,
                                                     canvas->stride())),
        cairo_(cairo_create(surface_)),
        layout_(canvas->size()) {
    cairo_select_font_face(cairo_, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cairo_, style_.text);
    cairo_font_extents(cairo_, &font_);
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cairo_, CAIRO_LINE_CAP_ROUND);
  }
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;
  ~Drawing() {
    cairo_destroy(cairo_);
    cairo_surface_destroy(surface_);
  }

  void DrawMasks(const std::vector<Mark>& marks) {
    cairo_surface_flush(surface_);
    for (const Mark& mark : marks) {
      if (mark.detection == nullptr || mark.detection->mask == nullptr) continue;
      DrawMask(*mark.detection->mask, ColorOf(mark.color_key), style_.line, &canvas_);
    }
    cairo_surface_mark_dirty(surface_);
  }

  // Thin and faint where it is old.
  void DrawTrail(const Trail& trail) {
    const Color color = ColorOf(trail.color_key);
    const size_t count = trail.points.size();
    for (const bool halo : {true, false}) {
      for (size_t i = 1; i < count; ++i) {
        const double age = static_cast<double>(i) / static_cast<double>(count - 1);  // 1: now
        cairo_move_to(cairo_, X(trail.points[i - 1].x), Y(trail.points[i - 1].y));
        cairo_line_to(cairo_, X(trail.points[i].x), Y(trail.points[i].y));
        cairo_set_line_width(cairo_, style_.line * (0.5 + age) + (halo ? Halo() : 0));
        SetColor(halo ? Color{} : color, (halo ? 0.35 : 0.9) * age * age);
        cairo_stroke(cairo_);
      }
    }
  }

  void DrawBox(const Mark& mark) {
    const Box box = ToCanvas(mark.detection->box);
    const Color color = ColorOf(mark.color_key);
    for (const bool halo : {true, false}) {
      RoundedRectangle(box, style_.line * 1.5);
      cairo_set_line_width(cairo_, style_.line + (halo ? Halo() : 0));
      SetColor(halo ? Color{} : color, halo ? 0.55 : 1);
      cairo_stroke(cairo_);
    }
  }

  void DrawKeypoints(const Mark& mark) {
    const Color color = ColorOf(mark.color_key);
    for (const Keypoint& point : mark.detection->keypoints) {
      if (!(point.score >= kKeypointScoreMin)) continue;
      for (const bool halo : {true, false}) {
        cairo_new_path(cairo_);
        cairo_arc(cairo_, X(point.x), Y(point.y), style_.line * 1.25 + (halo ? Halo() / 2 : 0), 0, 2 * kPi);
        SetColor(halo ? Color{} : color, halo ? 0.7 : 1);
        cairo_fill(cairo_);
      }
    }
  }

  void DrawLabel(const Mark& mark) {
    const std::string text = Printable(mark.label);
    if (text.empty()) return;
    const auto [width, height] = PlateSize(text);
    const Box box = ToCanvas(mark.detection->box);
    const auto line = static_cast<float>(style_.line) / 2;
    const auto place =
        layout_.Place({box.x1 - line, box.y1 - line, box.x2 + line, box.y2 + line}, width, height);
    if (!place) return;
    const Color plate = ColorOf(mark.color_key);
    // Where black and white have the same contrast.
    constexpr double kMiddle = 0.179;
    DrawPlate(*place, text, plate, 0.95,
              Luminance(plate) > kMiddle ? Color{0.05, 0.05, 0.07} : Color{1, 1, 1});
  }

  // Captions of the whole picture: lines from the top left corner down.
  void DrawCaption(const Mark& mark) {
    const std::string text = Printable(mark.label);
    if (text.empty()) return;
    const auto [width, height] = PlateSize(text);
    const auto margin = static_cast<float>(style_.padding);
    if (caption_y_ == 0) caption_y_ = margin;
    const Box place{margin, caption_y_, margin + width, caption_y_ + height};
    if (place.y2 > static_cast<float>(canvas_.size().height) && caption_y_ > margin) return;  // no room left
    layout_.Occupy(place);
    DrawPlate(place, text, {0.05, 0.05, 0.07}, 0.72, {1, 1, 1});
    caption_y_ = place.y2 + margin / 2;
  }

 private:
  double X(float x) const { return x * canvas_.scale_x(); }
  double Y(float y) const { return y * canvas_.scale_y(); }
  Box ToCanvas(const Box& box) const {
    const auto keep = [](float value,
                         int limit) {  // far outside is as good as outside, and Cairo's range is small
      const auto side = static_cast<float>(limit);
      return std::isfinite(value) ? std::clamp(value, -side, 2 * side) : 0.f;
    };
    const Size size = canvas_.size();
    return {keep(box.x1 * canvas_.scale_x(), size.width), keep(box.y1 * canvas_.scale_y(), size.height),
            keep(box.x2 * canvas_.scale_x(), size.width), keep(box.y2 * canvas_.scale_y(), size.height)};
  }
  double Halo() const { return std::max(1.6, style_.line * 0.9); }

  void SetColor(const Color& color, double alpha) {
    cairo_set_source_rgba(cairo_, color.red, color.green, color.blue, alpha);
  }

  void RoundedRectangle(const Box& box, double radius) {
    const double r = std::max(0.0, std::min({radius, box.width() / 2.0, box.height() / 2.0}));
    cairo_new_path(cairo_);
    cairo_arc(cairo_, box.x2 - r, box.y1 + r, r, -kPi / 2, 0);
    cairo_arc(cairo_, box.x2 - r, box.y2 - r, r, 0, kPi / 2);
    cairo_arc(cairo_, box.x1 + r, box.y2 - r, r, kPi / 2, kPi);
    cairo_arc(cairo_, box.x1 + r, box.y1 + r, r, kPi, 1.5 * kPi);
    cairo_close_path(cairo_);
  }

  std::pair<float, float> PlateSize(const std::string& text) const {
    cairo_text_extents_t extents;
    cairo_text_extents(cairo_, text.c_str(), &extents);
    return {static_cast<float>(std::ceil(extents.x_advance + 2 * style_.padding)),
            static_cast<float>(std::ceil(font_.ascent + font_.descent + style_.padding))};
  }

  void DrawPlate(const Box& place, const std::string& text, const Color& plate, double alpha,
                 const Color& ink) {
    RoundedRectangle(place, style_.radius);
    SetColor(plate, alpha);
    cairo_fill(cairo_);
    const double baseline = place.y1 + style_.padding / 2 + font_.ascent;
    cairo_move_to(cairo_, std::round(place.x1 + style_.padding), std::round(baseline));
    SetColor(ink, 1);
    cairo_show_text(cairo_, text.c_str());
    cairo_new_path(cairo_);
  }

  Canvas& canvas_;
  const Style style_;
  cairo_surface_t* surface_;
  cairo_t* cairo_;
  cairo_font_extents_t font_{};
  LabelLayout layout_;
  float caption_y_ = 0;
};

}  // namespace

void DrawMarks(const std::vector<Mark>& marks, absl::Span<const Trail* const> trails, Canvas* canvas) {
  std::vector<const Mark*> boxes;
  for (const Mark& mark : marks) {
    if (mark.detection != nullptr) boxes.push_back(&mark);
  }
  // Large ones first, so that a small box inside a large one stays on top.
  std::stable_sort(boxes.begin(), boxes.end(), [](const Mark* a, const Mark* b) {
    return a->detection->box.area() > b->detection->box.area();
  });
  Drawing drawing(canvas);
  drawing.DrawMasks(marks);
  for (const Trail* trail : trails) drawing.DrawTrail(*trail);
  for (const Mark* mark : boxes) drawing.DrawBox(*mark);
  for (const Mark* mark : boxes) drawing.DrawKeypoints(*mark);
  for (const Mark& mark : marks) {
    if (mark.detection == nullptr) drawing.DrawCaption(mark);
  }
  // What is surest gets its label first.
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const Mark* a, const Mark* b) { return a->detection->score > b->detection->score; });
  if (boxes.size() > kLabelsMax) boxes.resize(kLabelsMax);
  for (const Mark* mark : boxes) drawing.DrawLabel(*mark);
}

}  // namespace sightline::sinks
