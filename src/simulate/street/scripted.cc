#include "simulate/street/scripted.h"

#include <algorithm>
#include <cmath>

namespace sightline::simulate {
namespace {

struct Dimensions {
  double length, width, height;
};
constexpr Dimensions kDimensions[kActorKinds] = {{0.5, 0.55, 1.75}, {1.8, 0.6, 1.75}, {2.1, 0.75, 1.65},
                                                 {4.4, 1.82, 1.5},  {11.5, 2.5, 3.1}, {7.8, 2.4, 3.2}};

}  // namespace

MonotoneCurve::MonotoneCurve(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)), slope_(x_.size()) {
  const size_t n = x_.size();
  std::vector<double> secant(n - 1);
  for (size_t i = 0; i + 1 < n; ++i) secant[i] = (y_[i + 1] - y_[i]) / (x_[i + 1] - x_[i]);
  slope_.front() = secant.front();
  slope_.back() = secant.back();
  for (size_t i = 1; i + 1 < n; ++i) {
    const bool turns = secant[i - 1] * secant[i] <= 0;
    slope_[i] = turns ? 0 : 2 * secant[i - 1] * secant[i] / (secant[i - 1] + secant[i]);
  }
}

size_t MonotoneCurve::Piece(double x) const {
  size_t i = 0;
  while (i + 2 < x_.size() && x >= x_[i + 1]) ++i;
  return i;
}

double MonotoneCurve::Value(double x) const {
  if (x <= x_.front()) return y_.front();
  if (x >= x_.back()) return y_.back();
  const size_t i = Piece(x);
  const double h = x_[i + 1] - x_[i], t = (x - x_[i]) / h, r = 1 - t;
  return y_[i] * (1 + 2 * t) * r * r + h * slope_[i] * t * r * r + y_[i + 1] * t * t * (3 - 2 * t) -
         h * slope_[i + 1] * t * t * r;
}

double MonotoneCurve::Slope(double x) const {
  if (x < x_.front() || x > x_.back()) return 0;
  const size_t i = Piece(x);
  const double h = x_[i + 1] - x_[i], t = (x - x_[i]) / h;
  return (y_[i + 1] - y_[i]) / h * 6 * t * (1 - t) + slope_[i] * (1 - t) * (1 - 3 * t) +
         slope_[i + 1] * t * (3 * t - 2);
}

bool Scripted::Add(const ActorOrder& order, int64_t id) {
  if (order.times_s.size() < 2 || order.times_s.size() != order.stations.size()) return false;
  for (size_t i = 1; i < order.times_s.size(); ++i) {
    if (!(order.times_s[i] > order.times_s[i - 1])) return false;
  }
  if (order.path.points().size() < 2) return false;
  const Dimensions& size = kDimensions[static_cast<size_t>(order.kind)];
  entries_.push_back(
      {id, order, MonotoneCurve(order.times_s, order.stations), size.length, size.width, size.height});
  return true;
}

bool Scripted::ActorAt(const Entry& entry, double time_s, Actor* actor) const {
  const ActorOrder& order = entry.order;
  if (time_s < order.times_s.front() || (time_s > order.times_s.back() && !order.stays)) return false;
  const double s = entry.stations.Value(time_s), slope = entry.stations.Slope(time_s);
  const double axle = entry.length * 0.3;
  const Point2 front = order.path.At(s + axle).point, rear = order.path.At(s - axle).point;
  actor->id = entry.id;
  actor->kind = order.kind;
  actor->look = order.look;
  actor->position = {(front.x + rear.x) / 2, (front.y + rear.y) / 2};
  actor->heading = Atan2(front.y - rear.y, front.x - rear.x);
  actor->length = entry.length;
  actor->width = entry.width;
  actor->height = entry.height;
  actor->speed = std::abs(slope);
  constexpr double kInstant = 0.1;
  actor->acceleration = (entry.stations.Slope(time_s + kInstant) - slope) / kInstant;
  if (actor->speed < 0.05 && order.kind != ActorKind::kPerson) actor->acceleration = -1;
  actor->travelled = s - order.stations.front();
  actor->hazard = order.hazard && actor->speed < 0.5;
  return true;
}

void Scripted::AppendActors(double time_s, std::vector<Actor>* actors) const {
  for (const Entry& entry : entries_) {
    Actor actor;
    if (ActorAt(entry, time_s, &actor)) actors->push_back(actor);
  }
}

void Scripted::AppendBodies(double time_s, std::vector<Body>* bodies) const {
  for (const Entry& entry : entries_) {
    Actor actor;
    if (!ActorAt(entry, time_s, &actor)) continue;
    Body body;
    body.id = actor.id;
    body.kind = actor.kind;
    body.position = actor.position;
    body.Turn(actor.heading);
    body.half_length = actor.length / 2;
    body.half_width = actor.width / 2;
    body.speed = actor.speed;
    body.scripted = true;
    bodies->push_back(body);
  }
}

}  // namespace sightline::simulate
