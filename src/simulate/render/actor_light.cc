// What traffic does to the street: its shadows, the dark below it, its headlights, its reflections.
#include <algorithm>
#include <cstring>

#include "simulate/render/actor_layer.h"
#include "simulate/render/headlight.h"

namespace sightline::simulate {

void ActorLayer::DrawShadow(const Standing& standing, const Light& light) {
  if (standing.sunlit <= 0.02f) return;
  const Canvas& canvas = background_.canvas();
  const float lean =
      std::min(1 / light.to_sun.z, kShadowReach / std::max(0.5f, static_cast<float>(standing.actor->height)));
  shadow_.world.clear();
  shadow_.camera.clear();
  shadow_.safe = true;
  for (const Point3& p : placed_.world) {
    const double along = p.z * static_cast<double>(lean);
    shadow_.camera.push_back(
        background_.projection().ToCamera({p.x - static_cast<double>(light.to_sun.x) * along,
                                           p.y - static_cast<double>(light.to_sun.y) * along, 0}));
    shadow_.safe &= shadow_.camera.back().z >= kNearPlane;
  }
  const GridBounds bounds{0, 0, canvas.width, canvas.height};
  const auto strength = static_cast<uint8_t>(standing.sunlit * 255);
  // What faces the sun throws the whole shadow.
  const Vector3 sun{Dot(light.to_sun, standing.forward), Dot(light.to_sun, standing.left), light.to_sun.z};
  for (const Triangle& triangle : mesh_.triangles) {
    if (Dot({triangle.normal.x, triangle.normal.y, triangle.normal.z}, sun) <= 0) continue;
    shadow_.OnScreen(triangle, canvas, [&](const Corner& a, const Corner& b, const Corner& c) {
      FillTriangle(a, b, c, bounds, [&](int y, int x_begin, int x_end, double, double) {
        std::memset(&shade_[static_cast<size_t>(y) * static_cast<size_t>(canvas.width) +
                            static_cast<size_t>(x_begin)],
                    strength, static_cast<size_t>(x_end - x_begin));
        shade_spans_[static_cast<size_t>(y)].Add(x_begin, x_end);
      });
    });
  }
}

void ActorLayer::ResolveShadows(const std::vector<float>& sun_share, LinearImage* picture) {
  const auto width = static_cast<size_t>(background_.canvas().width);
  const float share = 1.f / static_cast<float>(255 * samples_ * samples_);
  for (int y = 0; y < size_.height; ++y) {
    Span span;
    for (int k = 0; k < samples_; ++k) {
      Span& row = shade_spans_[static_cast<size_t>(y * samples_ + k)];
      span.Add(row.begin / samples_, (row.end + samples_ - 1) / samples_);
      row = {};
    }
    for (int x = span.begin; x < span.end; ++x) {
      int sum = 0;
      for (int k = 0; k < samples_; ++k) {
        uint8_t* shade =
            &shade_[static_cast<size_t>(y * samples_ + k) * width + static_cast<size_t>(x * samples_)];
        for (int j = 0; j < samples_; ++j) {
          sum += shade[j];
          shade[j] = 0;
        }
      }
      if (sum == 0) continue;
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      const float keep = 1 - static_cast<float>(sum) * share * sun_share[at];
      picture->red[at] *= keep;
      picture->green[at] *= keep;
      picture->blue[at] *= keep;
    }
  }
}

// The dark below a thing, where the sky does not reach.
void ActorLayer::DrawContact(const Standing& standing, const Light& light, LinearImage* picture) const {
  const Actor& actor = *standing.actor;
  const bool wide =
      actor.kind == ActorKind::kCar || actor.kind == ActorKind::kBus || actor.kind == ActorKind::kTruck;
  const Vector3 far = standing.center - ToVector(layout_.camera.position);
  const float clear = light.Clear(std::sqrt(Dot(far, far)));
  const float reach = wide ? 0.45f : 0.22f, strength = (wide ? 0.62f : 0.35f) * clear;
  const float half_length = static_cast<float>(actor.length / 2) - (wide ? 0.1f : 0),
              half_width = static_cast<float>(actor.width / 2) - (wide ? 0.05f : 0);
  std::array<Vector3, 4> corners;
  for (size_t i = 0; i < 4; ++i) {
    corners[i] = standing.center + standing.forward * ((i & 1 ? 1.f : -1.f) * (half_length + reach)) +
                 standing.left * ((i & 2 ? 1.f : -1.f) * (half_width + reach));
  }
  const GridBounds box = PixelsOf(corners);
  for (int y = box.y_begin; y < box.y_end; ++y) {
    for (int x = box.x_begin; x < box.x_end; ++x) {
      const size_t at = static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
      if (background_.ground()[at] == 0) continue;
      const Vector3 way = background_.positions()[at] - standing.center;
      const float u = std::max(0.f, std::abs(Dot(way, standing.forward)) - half_length),
                  v = std::max(0.f, std::abs(Dot(way, standing.left)) - half_width);
      const float off = (u * u + v * v) / (reach * reach);
      if (off >= 1) continue;
      const float keep = 1 - strength * (1 - off) * (1 - off);
      picture->red[at] *= keep;
      picture->green[at] *= keep;
      picture->blue[at] *= keep;
    }
  }
}

void ActorLayer::AddHeadlights(const Light& light, LinearImage* picture) {
  const auto half_width = static_cast<size_t>(beams_width_);
  for (const Standing& s : standing_) {
    if (!HasBeam(*s.actor)) continue;
    const std::array<Vector3, 4> corners = {s.front + s.left * 2.f, s.front - s.left * 2.f,
                                            s.front + s.forward * kBeamReach + s.left * 13.f,
                                            s.front + s.forward * kBeamReach - s.left * 13.f};
    const Vector3 view = s.center - ToVector(layout_.camera.position);
    const float distance = std::sqrt(Dot(view, view));
    if (distance > 150) continue;
    const GridBounds box = PixelsOf(corners);
    const float strength = light.headlight * BeamStrength(*s.actor) * light.Clear(distance);
    for (int y = box.y_begin / 2; y < (box.y_end + 1) / 2; ++y) {
      beam_spans_[static_cast<size_t>(y)].Add(box.x_begin / 2, (box.x_end + 1) / 2);
      const size_t row = static_cast<size_t>(y) * half_width;
      const float *px = beam_x_.data() + row, *py = beam_y_.data() + row;
      float* out = beams_.data() + row;
      for (int x = box.x_begin / 2; x < (box.x_end + 1) / 2; ++x) {
        const float dx = px[x] - s.front.x, dy = py[x] - s.front.y;
        out[x] += strength * Beam(dx * s.forward.x + dy * s.forward.y, dx * s.left.x + dy * s.left.y);
      }
    }
  }
  for (int y = 0; y < size_.height; ++y) {
    const Span span = beam_spans_[static_cast<size_t>(y / 2)];
    const float* beam = &beams_[static_cast<size_t>(y / 2) * half_width];
    const size_t row = static_cast<size_t>(y) * static_cast<size_t>(size_.width);
    for (int x = 2 * span.begin; x < std::min(2 * span.end, size_.width); ++x) {
      const float sum = beam[x / 2];
      if (sum <= 0) continue;
      const size_t at = row + static_cast<size_t>(x);
      picture->red[at] += background_.albedo().red[at] * sum * kBeamColor.red;
      picture->green[at] += background_.albedo().green[at] * sum * kBeamColor.green;
      picture->blue[at] += background_.albedo().blue[at] * sum * kBeamColor.blue;
    }
  }
  for (int y = 0; y < beams_height_; ++y) {
    Span& span = beam_spans_[static_cast<size_t>(y)];
    if (span.begin < span.end) {
      const auto first = beams_.begin() + y * beams_width_;
      std::fill(first + span.begin, first + span.end, 0.f);
    }
    span = {};
  }
}

// A thing's picture hangs upside down below the lowest row that it covers in a column, smeared along the way
// to the eye.
void ActorLayer::Reflect(const Light& light, LinearImage* picture) const {
  const auto width = static_cast<size_t>(size_.width);
  for (const GridBounds& box : boxes_) {
    const int height = box.y_end - box.y_begin;
    for (int x = box.x_begin; x < box.x_end; ++x) {
      const auto column = static_cast<size_t>(x);
      int base = box.y_end - 1;
      while (base >= box.y_begin && covered_[static_cast<size_t>(base) * width + column] == 0) --base;
      Rgb smear;
      for (int k = 1; k <= height && base - k >= 0 && base + k < size_.height; ++k) {
        const size_t from = static_cast<size_t>(base - k) * width + column,
                     to = static_cast<size_t>(base + k) * width + column;
        if (covered_[from] == 0) break;
        smear =
            Mix(smear, {picture->red[from], picture->green[from], picture->blue[from]}, k == 1 ? 1.f : 0.22f);
        if (covered_[to] != 0 || background_.ground()[to] == 0) continue;
        const float fade = 1 - static_cast<float>(k) / static_cast<float>(height + 1);
        const float share = 0.42f * light.wetness * fade;
        picture->red[to] += share * (smear.red - 0.6f * picture->red[to]);
        picture->green[to] += share * (smear.green - 0.6f * picture->green[to]);
        picture->blue[to] += share * (smear.blue - 0.6f * picture->blue[to]);
      }
    }
  }
}

}  // namespace sightline::simulate
