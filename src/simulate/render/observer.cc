// Who is seen: each actor's triangles in a grid of samples, nearest first, against what it covers when alone.
#include <cmath>
#include <cstring>
#include <limits>

#include "simulate/render/placed_mesh.h"
#include "simulate/render/renderer.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kGridWidth = 640, kGridHeight = 360;

class MeshObserver final : public Observer {
 public:
  explicit MeshObserver(const Layout* layout);
  void Observe(const Scene& scene, std::vector<Sighting>* sightings) override;

 private:
  struct Counts {
    int64_t id = 0;
    Box box;
    double clearness = 1;
    int64_t alone = 0, inside = 0, visible = 0;
  };
  bool OutOfView(const Actor& actor) const;
  Box Extent() const;  // of mesh_ as placed, clipped to the picture
  void Draw(uint16_t number, Counts* counts);

  Projection projection_;
  Size size_;
  int width_ = 0, height_ = 0;                 // of the grid over the picture
  double scale_ = 1;                           // samples a pixel
  Canvas canvas_;                              // the grid with a margin of its own size on each side
  std::vector<float> surroundings_, nearest_;  // 1 / depth over the picture; 0: nothing
  std::vector<uint16_t> owner_;                // over the picture; 0: none, else number of the actor + 1
  std::vector<uint16_t> stamp_;                // over the canvas: the actor that was last alone here
  Mesh mesh_;
  PlacedMesh placed_;
  std::vector<Counts> counts_;
};

MeshObserver::MeshObserver(const Layout* layout) : projection_(layout->camera), size_(layout->camera.size) {
  scale_ = std::min({1.0, kGridWidth / size_.width, kGridHeight / size_.height});
  width_ = std::max(1, static_cast<int>(size_.width * scale_));
  height_ = std::max(1, static_cast<int>(size_.height * scale_));
  canvas_ = {layout->camera.focal_px * scale_, width_ + size_.width * scale_ / 2,
             height_ + size_.height * scale_ / 2, 3 * width_, 3 * height_};
  const auto samples = static_cast<size_t>(width_) * static_cast<size_t>(height_);
  surroundings_.assign(samples, 0);
  owner_.assign(samples, 0);
  stamp_.assign(samples * 9, 0);
  const GridBounds picture{width_, height_, 2 * width_, 2 * height_};
  for (const Mesh& mesh : BuildSurroundings(*layout)) {
    placed_.Place(mesh, {0, 0}, 0, projection_);
    for (const Triangle& triangle : mesh.triangles) {
      if (!placed_.Faces(mesh, triangle)) continue;
      placed_.OnScreen(triangle, canvas_, [&](const Corner& a, const Corner& b, const Corner& c) {
        FillTriangle(a, b, c, picture, [&](int y, int x_begin, int x_end, double value, double step) {
          float* out = &surroundings_[static_cast<size_t>(y - height_) * static_cast<size_t>(width_)];
          for (int x = x_begin; x < x_end; ++x, value += step)
            out[x - width_] = std::max(out[x - width_], static_cast<float>(value));
        });
      });
    }
  }
  nearest_ = surroundings_;
}

bool MeshObserver::OutOfView(const Actor& actor) const {
  const Point3 center = projection_.ToCamera({actor.position.x, actor.position.y, actor.height / 2});
  const double radius =
      1 +
      std::sqrt(actor.length * actor.length + actor.width * actor.width + actor.height * actor.height) / 2;
  const double far = center.z + radius, focal = projection_.camera().focal_px;
  if (far < kNearPlane) return true;
  return std::abs(center.x) - radius > far * (size_.width / 2.0) / focal ||
         std::abs(center.y) - radius > far * (size_.height / 2.0) / focal;
}

Box MeshObserver::Extent() const {
  double x1 = 1e300, y1 = 1e300, x2 = -1e300, y2 = -1e300;
  const auto add = [&](const Point3& p) {
    const Corner corner = canvas_.ToCorner(p);
    x1 = std::min(x1, corner.x);
    x2 = std::max(x2, corner.x);
    y1 = std::min(y1, corner.y);
    y2 = std::max(y2, corner.y);
  };
  if (placed_.safe) {
    for (const Point3& p : placed_.camera) add(p);
  } else {
    for (const Triangle& t : mesh_.triangles) {
      const ClippedTriangle clipped =
          ClipNear(placed_.camera[t.corners[0]], placed_.camera[t.corners[1]], placed_.camera[t.corners[2]]);
      for (int i = 0; i < clipped.count; ++i) add(clipped.corners[static_cast<size_t>(i)]);
    }
  }
  const auto clip = [&](double v, int margin, int side) {
    return static_cast<float>(std::clamp((v - margin) / scale_, 0.0, static_cast<double>(side)));
  };
  return {clip(x1, width_, size_.width), clip(y1, height_, size_.height), clip(x2, width_, size_.width),
          clip(y2, height_, size_.height)};
}

void MeshObserver::Draw(uint16_t number, Counts* counts) {
  const GridBounds all{0, 0, canvas_.width, canvas_.height};
  for (const Triangle& triangle : mesh_.triangles) {
    if (!placed_.Faces(mesh_, triangle)) continue;
    placed_.OnScreen(triangle, canvas_, [&](const Corner& a, const Corner& b, const Corner& c) {
      FillTriangle(a, b, c, all, [&](int y, int x_begin, int x_end, double value, double step) {
        uint16_t* stamp = &stamp_[static_cast<size_t>(y) * static_cast<size_t>(canvas_.width)];
        const bool row_inside = y >= height_ && y < 2 * height_;
        const int in_begin = row_inside ? std::max(x_begin, width_) : x_end,
                  in_end = row_inside ? std::min(x_end, 2 * width_) : x_begin;
        for (int x = x_begin; x < x_end; ++x) {
          counts->alone += stamp[x] != number;
          if (x >= in_begin && x < in_end) counts->inside += stamp[x] != number;
          stamp[x] = number;
        }
        if (in_begin >= in_end) return;
        const size_t row = static_cast<size_t>(y - height_) * static_cast<size_t>(width_);
        float* nearest = &nearest_[row];
        uint16_t* owner = &owner_[row];
        for (int x = in_begin; x < in_end; ++x) {
          const auto inverse = static_cast<float>(value + step * (x - x_begin));
          if (inverse <= nearest[x - width_]) continue;
          nearest[x - width_] = inverse;
          owner[x - width_] = number;
        }
      });
    });
  }
}

void MeshObserver::Observe(const Scene& scene, std::vector<Sighting>* sightings) {
  std::memcpy(nearest_.data(), surroundings_.data(), surroundings_.size() * sizeof(float));
  std::fill(owner_.begin(), owner_.end(), uint16_t{0});
  std::fill(stamp_.begin(), stamp_.end(), uint16_t{0});
  counts_.clear();
  const double extinction = ExtinctionPerMetre(scene.weather);
  for (const Actor& actor : scene.actors) {
    if (OutOfView(actor) || counts_.size() == std::numeric_limits<uint16_t>::max()) continue;
    BuildActor(actor, scene.time_s, 1, &mesh_);
    placed_.Place(mesh_, actor.position, actor.heading, projection_);
    Counts counts;
    counts.id = actor.id;
    const Point3 middle = projection_.ToCamera({actor.position.x, actor.position.y, actor.height / 2});
    counts.clearness =
        Exp(-extinction * std::sqrt(middle.x * middle.x + middle.y * middle.y + middle.z * middle.z));
    counts.box = Extent();
    if (counts.box.area() <= 0) continue;
    Draw(static_cast<uint16_t>(counts_.size() + 1), &counts);
    counts_.push_back(counts);
  }
  for (const uint16_t owner : owner_) {
    if (owner != 0) ++counts_[owner - 1u].visible;
  }
  sightings->clear();
  for (const Counts& c : counts_) {
    if (c.inside == 0) continue;
    sightings->push_back(
        {c.id, c.box, static_cast<double>(c.visible) / static_cast<double>(c.alone), c.clearness});
  }
}

}  // namespace

std::unique_ptr<Observer> Observer::Create(const Layout* layout) {
  return std::make_unique<MeshObserver>(layout);
}

}  // namespace sightline::simulate
