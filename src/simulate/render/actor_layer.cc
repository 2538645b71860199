#include "simulate/render/actor_layer.h"

#include <algorithm>

#include "simulate/render/headlight.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
void ActorLayer::Span::Add(int from, int to) {
  if (from >= to) return;
  if (begin >= end) {
    begin = from;
    end = to;
  } else {
    begin = std::min(begin, from);
    end = std::max(end, to);
  }
}

ActorLayer::ActorLayer(const Layout* layout, const Background* background)
    : layout_(*layout), background_(*background), size_(background->size()), samples_(background->samples()) {
  nearest_ = background_.inverse();
  facet_.assign(nearest_.size(), 0);
  shade_.assign(nearest_.size(), 0);
  covered_.assign(background_.ground().size(), 0);
  facet_spans_.resize(static_cast<size_t>(background_.canvas().height));
  shade_spans_ = facet_spans_;
  beams_width_ = (size_.width + 1) / 2;
  beams_height_ = (size_.height + 1) / 2;
  for (int y = 0; y < beams_height_; ++y) {
    for (int x = 0; x < beams_width_; ++x) {
      const Vector3& at =
          background_.positions()[static_cast<size_t>(2 * y) * static_cast<size_t>(size_.width) +
                                  static_cast<size_t>(2 * x)];
      const bool low = at.z < 1.3f;  // headlights do not shine above
      beam_x_.push_back(low ? at.x : 1e6f);
      beam_y_.push_back(low ? at.y : 1e6f);
    }
  }
  beams_.assign(beam_x_.size(), 0);
  beam_spans_.resize(static_cast<size_t>(beams_height_));
}

GridBounds ActorLayer::PixelsOf(const std::array<Vector3, 4>& points) const {
  const Camera& camera = background_.projection().camera();
  const Canvas canvas{camera.focal_px, size_.width / 2.0, size_.height / 2.0, size_.width, size_.height};
  std::array<Point3, 4> seen;
  for (size_t i = 0; i < 4; ++i) {
    seen[i] =
        background_.projection().ToCamera({static_cast<double>(points[i].x), static_cast<double>(points[i].y),
                                           static_cast<double>(points[i].z)});
  }
  double x1 = 1e9, y1 = 1e9, x2 = -1e9, y2 = -1e9;
  for (size_t half = 0; half < 2; ++half) {
    const ClippedTriangle part = ClipNear(seen[half], seen[half + 1], seen[half + 2]);
    for (int i = 0; i < part.count; ++i) {
      const Corner at = canvas.ToCorner(part.corners[static_cast<size_t>(i)]);
      x1 = std::min(x1, at.x);
      x2 = std::max(x2, at.x);
      y1 = std::min(y1, at.y);
      y2 = std::max(y2, at.y);
    }
  }
  const auto cut = [](double v, int side) {
    return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(side)));
  };
  return {cut(x1, size_.width), cut(y1, size_.height), cut(x2 + 1, size_.width), cut(y2 + 1, size_.height)};
}

void ActorLayer::Collect(const Scene& scene, const SunMap& sun, const Light& light) {
  standing_.clear();
  for (const Actor& actor : scene.actors) {
    const auto c = static_cast<float>(Cos(actor.heading)), s = static_cast<float>(Sin(actor.heading));
    Standing out;
    out.actor = &actor;
    out.forward = {c, s, 0};
    out.left = {-s, c, 0};
    out.center = ToVector({actor.position.x, actor.position.y, 0});
    out.front = out.center + out.forward * static_cast<float>(actor.length / 2);
    if (light.sun.red > 0) {
      const auto height = static_cast<float>(actor.height * 0.6),
                 reach = static_cast<float>(actor.length * 0.3);
      out.sunlit = 0;
      for (int i = -1; i <= 1; ++i)
        out.sunlit +=
            sun.Sunlit(out.center + out.forward * (reach * static_cast<float>(i)) + Vector3{0, 0, height}) /
            3;
    }
    standing_.push_back(out);
  }
}

Rgb ActorLayer::Shade(const Light& light, const Vector3& point, const Vector3& normal,
                      const Triangle& triangle, float sunlit) const {
  if (triangle.surface == Surface::kLamp) return triangle.color * (light.lamp + light.sky.green);
  Rgb incoming = light.On(normal, sunlit);
  incoming = incoming * (0.6f + 0.4f * std::min(1.f, 0.3f + point.z * 0.9f));
  for (const LampPoint* lamp : near_lamps_)
    incoming = incoming + light.street_lamp * LampOn(*lamp, point, normal);
  for (const Standing* other : near_beams_) {
    const float facing = -Dot(normal, other->forward);
    if (facing <= 0) continue;
    const Vector3 way = point - other->front;
    const float beam = Beam(Dot(way, other->forward), Dot(way, other->left));
    incoming = incoming + kBeamColor * (light.headlight * beam * facing * BeamStrength(*other->actor));
  }
  Rgb out = triangle.color * incoming;
  if (triangle.surface == Surface::kMatt) return out;
  const Vector3 view = Unit(point - ToVector(layout_.camera.position));
  const float facing = std::clamp(-Dot(view, normal), 0.f, 1.f);
  const Vector3 mirrored = view + normal * (2 * facing);
  const float base = triangle.surface == Surface::kGlass ? 0.14f : 0.05f, off = 1 - facing;
  const float mirror = base + (0.75f - base) * off * off * off * off;
  out = out * (1 - mirror) + (mirrored.z > 0 ? light.SkyTowards(mirrored.z) : light.bounce) * mirror;
  const float glint = std::max(0.f, Dot(mirrored, light.to_sun));
  const float sharp = glint * glint * glint * glint;
  return out + light.sun * (1.2f * sunlit * sharp * sharp * sharp * sharp);
}

void ActorLayer::FindLamps(const Standing& standing, const Light& light) {
  constexpr size_t kLampsMost = 6;
  near_lamps_.clear();
  near_beams_.clear();
  if (light.street_lamp.green <= 0) return;
  for (const LampPoint& lamp : background_.lamps()) {
    const Vector3 way = lamp.position - standing.center;
    if (Dot(way, way) < lamp.reach * lamp.reach && near_lamps_.size() < kLampsMost)
      near_lamps_.push_back(&lamp);
  }
  const auto reach = static_cast<float>(standing.actor->length / 2 + standing.actor->width);
  for (const Standing& other : standing_) {
    if (&other == &standing || !HasBeam(*other.actor)) continue;
    const Vector3 way = standing.center - other.front;
    const float ahead = Dot(way, other.forward);
    if (ahead > -reach && ahead < kBeamReach + reach && std::abs(Dot(way, other.left)) < 18 + reach)
      near_beams_.push_back(&other);
  }
}

void ActorLayer::DrawMesh(const Light& light, float sunlit, double heading, const Actor* self) {
  const Canvas& canvas = background_.canvas();
  const GridBounds bounds{0, 0, canvas.width, canvas.height};
  const auto c = static_cast<float>(Cos(heading)), s = static_cast<float>(Sin(heading));
  const Vector3 eye = ToVector(layout_.camera.position);
  GridBounds box{canvas.width, canvas.height, 0, 0};
  for (const Triangle& triangle : mesh_.triangles) {
    if (!placed_.Faces(mesh_, triangle)) continue;
    const Vector3 point =
        (ToVector(placed_.world[triangle.corners[0]]) + ToVector(placed_.world[triangle.corners[1]]) +
         ToVector(placed_.world[triangle.corners[2]])) *
        (1 / 3.f);
    const Vector3 normal{c * triangle.normal.x - s * triangle.normal.y,
                         s * triangle.normal.x + c * triangle.normal.y, triangle.normal.z};
    const Vector3 view = point - eye;
    const Rgb color = Mix(light.fog_color, Shade(light, point, normal, triangle, sunlit),
                          light.Clear(std::sqrt(Dot(view, view))));
    const auto id = static_cast<uint32_t>(colors_.size());
    colors_.push_back(color);
    placed_.OnScreen(triangle, canvas, [&](const Corner& a, const Corner& b, const Corner& d) {
      FillTriangle(a, b, d, bounds, [&](int y, int x_begin, int x_end, double value, double step) {
        const size_t row = static_cast<size_t>(y) * static_cast<size_t>(canvas.width);
        float* nearest = &nearest_[row];
        uint32_t* facet = &facet_[row];
        auto inverse = static_cast<float>(value * 1.0005);
        const auto slope = static_cast<float>(step);
        for (int x = x_begin; x < x_end; ++x, inverse += slope) {
          const bool nearer = inverse > nearest[x];
          nearest[x] = nearer ? inverse : nearest[x];
          facet[x] = nearer ? id : facet[x];
        }
        facet_spans_[static_cast<size_t>(y)].Add(x_begin, x_end);
        box = {std::min(box.x_begin, x_begin), std::min(box.y_begin, y), std::max(box.x_end, x_end),
               std::max(box.y_end, y + 1)};
      });
    });
  }
  if (box.x_begin < box.x_end && self != nullptr) {
    boxes_.push_back({box.x_begin / samples_, box.y_begin / samples_, (box.x_end + samples_ - 1) / samples_,
                      (box.y_end + samples_ - 1) / samples_});
  }
}

void ActorLayer::ResolveActors(LinearImage* picture) {
  const auto width = static_cast<size_t>(background_.canvas().width);
  const float share = 1.f / static_cast<float>(samples_ * samples_);
  std::fill(covered_.begin(), covered_.end(), uint8_t{0});
  for (int y = 0; y < size_.height; ++y) {
    Span span;
    for (int k = 0; k < samples_; ++k) {
      Span& row = facet_spans_[static_cast<size_t>(y * samples_ + k)];
      span.Add(row.begin / samples_, (row.end + samples_ - 1) / samples_);
      row = {};
    }
    for (int x = span.begin; x < span.end; ++x) {
      Rgb sum;
      int count = 0;
      for (int k = 0; k < samples_; ++k) {
        const size_t first =
            static_cast<size_t>(y * samples_ + k) * width + static_cast<size_t>(x * samples_);
        for (int j = 0; j < samples_; ++j) {
          const size_t at = first + static_cast<size_t>(j);
          if (facet_[at] == 0) continue;
          sum = sum + colors_[facet_[at]];
          ++count;
          facet_[at] = 0;
          nearest_[at] = background_.inverse()[at];
        }
      }
      if (count == 0) continue;
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      const float keep = 1 - static_cast<float>(count) * share;
      picture->red[at] = picture->red[at] * keep + sum.red * share;
      picture->green[at] = picture->green[at] * keep + sum.green * share;
      picture->blue[at] = picture->blue[at] * keep + sum.blue * share;
      covered_[at] = 1;
    }
  }
}

void ActorLayer::Draw(const Scene& scene, const Light& light, const SunMap& sun,
                      const std::vector<float>& sun_share, LinearImage* picture) {
  Collect(scene, sun, light);
  boxes_.clear();
  colors_.assign(1, {});
  for (Standing& standing : standing_) {
    const Actor& actor = *standing.actor;
    const Point3 center = background_.projection().ToCamera({actor.position.x, actor.position.y, 0});
    const double reach =
        actor.length + actor.height * 2 + static_cast<double>(light.sun.red > 0 ? kShadowReach : 3.f);
    const double wide = (center.z + reach) / background_.projection().camera().focal_px;
    if (center.z + reach < 0 || std::abs(center.x) - reach > wide * size_.width / 2 ||
        std::abs(center.y) - reach > wide * size_.height / 2) {
      continue;
    }
    standing.near_view = true;
    BuildActor(actor, scene.time_s, 1, &mesh_);
    placed_.Place(mesh_, actor.position, actor.heading, background_.projection());
    if (light.sun.red > 0) DrawShadow(standing, light);
    FindLamps(standing, light);
    DrawMesh(light, standing.sunlit, actor.heading, &actor);
  }
  near_lamps_.clear();
  near_beams_.clear();
  BuildSignalLamps(layout_, scene.signals, &mesh_);
  placed_.Place(mesh_, {0, 0}, 0, background_.projection());
  DrawMesh(light, 1, 0, nullptr);
  ResolveShadows(sun_share, picture);
  for (const Standing& standing : standing_) {
    if (standing.near_view) DrawContact(standing, light, picture);
  }
  if (light.street_lamp.green > 0) AddHeadlights(light, picture);
  ResolveActors(picture);
  if (light.wetness > 0.05f) Reflect(light, picture);
}

}  // namespace sightline::simulate
