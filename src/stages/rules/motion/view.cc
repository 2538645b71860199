#include "stages/rules/motion/view.h"

#include <algorithm>
#include <cmath>

#include "stages/rules/linear.h"

namespace sightline::rules {
namespace {

constexpr double kEdge = 1.5;          // pixels from the picture's edge: the box may be cut there
constexpr double kRoughPixels = 1;     // error of a box's side, and
constexpr double kRoughShare = 0.012;  // more of it, by the box's size
constexpr int kRounds = 4;
constexpr double kLooksMax = 30;
constexpr double kFocalMin = 0.25, kFocalMax = 30;  // of the picture's width

double Roughness(const Box& box) {
  return kRoughPixels + kRoughShare * static_cast<double>(std::max(box.height(), box.width()));
}

}  // namespace

View::View(const Homography& ground, Size picture) : ground_(ground), picture_(picture) {
  const auto& h = ground_.to_pixel();
  const double cx = picture.width / 2.0, cy = picture.height / 2.0;
  // Columns 0 and 1 are the images of the ground's axes, which are at right angles and of one length.
  std::array<double, 3> one{h[0] - cx * h[6], h[3] - cy * h[6], h[6]};
  std::array<double, 3> two{h[1] - cx * h[7], h[4] - cy * h[7], h[7]};
  const double a1 = one[0] * two[0] + one[1] * two[1], b1 = one[2] * two[2];
  const double a2 = (one[0] * one[0] + one[1] * one[1] - two[0] * two[0] - two[1] * two[1]) / 2,
               b2 = (one[2] * one[2] - two[2] * two[2]) / 2;
  const double square = -(a1 * a1 + a2 * a2) / (a1 * b1 + a2 * b2);  // of the focal length
  if (!(square > 0) || !std::isfinite(square)) return;
  const double focal = std::sqrt(square);
  if (focal < kFocalMin * picture.width || focal > kFocalMax * picture.width) return;
  std::array<double, 3> origin{(h[2] - cx * h[8]) / focal, (h[5] - cy * h[8]) / focal, h[8]};
  for (std::array<double, 3>* axis : {&one, &two}) (*axis)[0] /= focal, (*axis)[1] /= focal;
  const double scale = std::sqrt(std::sqrt((one[0] * one[0] + one[1] * one[1] + one[2] * one[2]) *
                                           (two[0] * two[0] + two[1] * two[1] + two[2] * two[2])));
  if (!(scale > 0)) return;
  std::array<double, 3> up{(one[1] * two[2] - one[2] * two[1]) / scale,
                           (one[2] * two[0] - one[0] * two[2]) / scale,
                           (one[0] * two[1] - one[1] * two[0]) / scale};
  // The camera is above the ground, so up is where it is: opposite to the origin as seen along that axis.
  if (up[0] * origin[0] + up[1] * origin[1] + up[2] * origin[2] > 0)
    for (double& v : up) v = -v;
  for (size_t row = 0; row < 3; ++row) {
    const double offset = row == 0 ? cx : cy;
    const auto entry = [&](const std::array<double, 3>& column) {
      return row == 2 ? column[2] : focal * column[row] + offset * column[2];
    };
    camera_[4 * row] = entry(one);
    camera_[4 * row + 1] = entry(two);
    camera_[4 * row + 2] = entry(up);
    camera_[4 * row + 3] = entry(origin);
  }
  upright_known_ = std::all_of(camera_.begin(), camera_.end(), [](double v) { return std::isfinite(v); });
}

bool View::Project(const Point& center, const Point& along, double length, double width, double height,
                   std::array<double, 4>* sides) const {
  *sides = {1e18, 1e18, -1e18, -1e18};
  const Point l = along * (length / 2), w{-along.y * width / 2, along.x * width / 2};
  for (int corner = 0; corner < 8; ++corner) {
    const double a = (corner & 1) != 0 ? 1 : -1, b = (corner & 2) != 0 ? 1 : -1,
                 z = (corner & 4) != 0 ? height : 0;
    const double x = center.x + a * l.x + b * w.x, y = center.y + a * l.y + b * w.y;
    const double depth = camera_[8] * x + camera_[9] * y + camera_[10] * z + camera_[11];
    if (!(depth > 1e-9)) return false;
    const double u = (camera_[0] * x + camera_[1] * y + camera_[2] * z + camera_[3]) / depth;
    const double v = (camera_[4] * x + camera_[5] * y + camera_[6] * z + camera_[7]) / depth;
    (*sides)[0] = std::min((*sides)[0], u);
    (*sides)[1] = std::min((*sides)[1], v);
    (*sides)[2] = std::max((*sides)[2], u);
    (*sides)[3] = std::max((*sides)[3], v);
  }
  return true;
}

std::optional<View::Placed> View::PlaceFoot(const Box& box) const {
  const Point foot{(static_cast<double>(box.x1) + static_cast<double>(box.x2)) / 2,
                   static_cast<double>(box.y2)};
  const auto ground = ground_.ToGround(foot);
  if (!ground) return std::nullopt;
  const Point per = ground_.MetresPerPixel(foot);
  const double rough = Roughness(box);
  return Placed{*ground, {per.x * rough, per.y * rough}, 0, 2};
}

std::optional<View::Placed> View::Place(const Box& box, const ClassFacts& facts, const Point& along,
                                        const std::optional<Point>& near, Block* block) const {
  const auto foot = PlaceFoot(box);
  if (!upright_known_ || !foot) return foot;
  const std::array<double, 4> seen{static_cast<double>(box.x1), static_cast<double>(box.y1),
                                   static_cast<double>(box.x2), static_cast<double>(box.y2)};
  const std::array<bool, 4> whole{seen[0] > kEdge, seen[1] > kEdge, seen[2] < picture_.width - kEdge,
                                  seen[3] < picture_.height - kEdge};
  const int sides = static_cast<int>(std::count(whole.begin(), whole.end(), true));
  const double rough = Roughness(box), learnt = std::sqrt(1 + block->looks);
  const double length_spread = facts.length_spread / learnt, height_spread = facts.height_spread / learnt;
  // Unknown: x, y, and how much longer and taller than the block is thought to be. Least squares of the sides
  // that are seen and of the sizes' spreads (Gauss and Newton, slopes by differences).
  std::array<double, 4> p{near ? near->x : foot->center.x, near ? near->y : foot->center.y,
                          block->length_scale, block->height_scale};
  const auto project = [&](const std::array<double, 4>& q, std::array<double, 4>* out) {
    const double wide = facts.width * std::exp(0.5 * q[3]);
    return Project({q[0], q[1]}, along, facts.length * std::exp(q[2]), wide, facts.height * std::exp(q[3]),
                   out);
  };
  std::array<double, 16> normal{};
  std::array<double, 4> is{};
  for (int round = 0; round < kRounds; ++round) {
    if (!project(p, &is)) return foot;
    std::array<double, 16> slopes{};  // side by parameter
    for (size_t j = 0; j < 4; ++j) {
      std::array<double, 4> q = p, moved{};
      const double step = j < 2 ? 0.02 : 0.01;
      q[j] += step;
      if (!project(q, &moved)) return foot;
      for (size_t i = 0; i < 4; ++i) slopes[4 * i + j] = (moved[i] - is[i]) / step;
    }
    normal = {};
    std::array<double, 4> right{};
    for (size_t i = 0; i < 4; ++i) {
      // What is cut off reaches at least to the edge.
      const bool beyond = i < 2 ? is[i] < seen[i] : is[i] > seen[i];
      if (!whole[i] && beyond) continue;
      const double weight = 1 / (rough * rough);
      for (size_t j = 0; j < 4; ++j) {
        right[j] += weight * slopes[4 * i + j] * (seen[i] - is[i]);
        for (size_t k = 0; k < 4; ++k) normal[4 * j + k] += weight * slopes[4 * i + j] * slopes[4 * i + k];
      }
    }
    const double prior[4] = {0, 0, 1 / (length_spread * length_spread), 1 / (height_spread * height_spread)};
    const double known[4] = {0, 0, block->length_scale, block->height_scale};
    for (size_t j = 0; j < 4; ++j) {
      normal[5 * j] += prior[j] + 1e-6;
      right[j] += prior[j] * (known[j] - p[j]);
    }
    if (!Solve<4>(normal, &right)) return foot;
    const double far = std::hypot(right[0], right[1]), limit = 15 / std::max(15.0, far);
    for (size_t j = 0; j < 4; ++j) p[j] += right[j] * limit;
    p[2] = std::clamp(p[2], -0.8, 0.8);
    p[3] = std::clamp(p[3], -0.6, 0.6);
    if (far < 0.01) break;
  }
  if (!project(p, &is) || !std::isfinite(p[0]) || !std::isfinite(p[1])) return foot;
  Placed placed;
  placed.center = {p[0], p[1]};
  placed.sides = sides;
  double sum = 0;
  for (size_t i = 0; i < 4; ++i)
    if (whole[i]) sum += (is[i] - seen[i]) * (is[i] - seen[i]);
  placed.misfit = std::sqrt(sum / std::max(1, sides));
  std::array<double, 4> x{1, 0, 0, 0}, y{0, 1, 0, 0};
  if (!Solve<4>(normal, &x) || !Solve<4>(normal, &y)) return foot;
  placed.deviation = {std::sqrt(std::max(x[0], 1e-6)), std::sqrt(std::max(y[1], 1e-6))};
  // A block that is far from where its box stands explains nothing.
  if (Length(placed.center - foot->center) > facts.length * 1.5 + 3 * Length(foot->deviation) && sides == 4)
    return foot;
  if (sides >= 3) {
    const double gain = 1 / (1 + block->looks);
    block->length_scale += gain * (p[2] - block->length_scale);
    block->height_scale += gain * (p[3] - block->height_scale);
    block->looks = std::min(block->looks + 1, kLooksMax);
  }
  return placed;
}

}  // namespace sightline::rules
