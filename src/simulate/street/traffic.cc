#include "simulate/street/traffic.h"

#include <algorithm>

#include "simulate/street/scripted.h"
#include "simulate/street/vehicles.h"
#include "simulate/street/walkers.h"

namespace sightline::simulate {
namespace {

constexpr int64_t kStepsPerSecond = 50;
constexpr double kStep = 1.0 / kStepsPerSecond;
constexpr int64_t kStepsPerLook = 5;  // drivers decide ten times a second

class StreetTraffic final : public Traffic {
 public:
  StreetTraffic(const Layout* layout, const TrafficOptions& options)
      : layout_(*layout),
        vehicles_(layout, options),
        walkers_(layout, options),
        warm_up_steps_(
            static_cast<int64_t>(Floor(std::clamp(options.warm_up_s, 0.0, 600.0) * kStepsPerSecond))) {
    Random random(options.seed, 0x9a7c);
    for (const ParkingBay& bay : layout_.bays) {
      const bool taken = random.Chance(options.parked_share);
      Actor car;
      car.look = random.Bits();
      car.kind = random.Chance(0.06) ? ActorKind::kTruck : ActorKind::kCar;
      const bool truck = car.kind == ActorKind::kTruck;
      car.length = truck ? random.Uniform(5.2, 5.7) : random.Uniform(3.8, 4.8);
      car.width = truck ? 2.0 : 1.8;
      car.height = truck ? 2.4 : random.Uniform(1.42, 1.7);
      car.position = bay.center;
      car.heading = WrapAngle(bay.heading + random.Normal(0, 0.015));
      car.parked = true;
      if (!taken) continue;
      car.id = next_id_++;
      parked_.push_back(car);
    }
    step_ = -warm_up_steps_;
  }

  std::unique_ptr<Traffic> Clone() const override { return std::make_unique<StreetTraffic>(*this); }

  int64_t Add(const ActorOrder& order) override {
    const int64_t id = next_id_++;
    return scripted_.Add(order, id) ? id : 0;
  }

  void Reserve(const Polygon& area, double begin_s, double end_s) override {
    vehicles_.Reserve(area, begin_s, end_s);
    walkers_.Reserve(area, begin_s, end_s);
  }

  void AdvanceTo(double time_s, Scene* scene) override {
    const auto until = static_cast<int64_t>(Floor(time_s * kStepsPerSecond + 1e-6));
    while (step_ < until) Step();
    const double ahead = std::max(0.0, time_s - static_cast<double>(step_) * kStep);
    scene->time_s = time_s;
    scene->actors = parked_;
    vehicles_.AppendActors(ahead, &scene->actors);
    walkers_.AppendActors(ahead, &scene->actors);
    scripted_.AppendActors(time_s, &scene->actors);
    std::sort(scene->actors.begin(), scene->actors.end(),
              [](const Actor& a, const Actor& b) { return a.id < b.id; });
    scene->signals.clear();
    for (const Signal& signal : layout_.signals) scene->signals.push_back(ColorAt(signal, time_s));
  }

 private:
  void Step() {
    const double time_s = static_cast<double>(step_) * kStep;
    vehicles_.Arrive(time_s, kStep, &next_id_);
    walkers_.Arrive(kStep, &next_id_);
    if (step_ % kStepsPerLook == 0) {
      bodies_.clear();
      scripted_.AppendBodies(time_s, &bodies_);
      vehicles_.AppendBodies(&bodies_);
      walkers_.Look(time_s, bodies_);
      bodies_.clear();
      walkers_.AppendBodies(&bodies_);
      scripted_.AppendBodies(time_s, &bodies_);
      vehicles_.Look(time_s, bodies_);
    }
    vehicles_.Move(time_s, kStep);
    walkers_.Move(kStep);
    ++step_;
  }

  const Layout& layout_;
  Vehicles vehicles_;
  Walkers walkers_;
  Scripted scripted_;
  std::vector<Actor> parked_;
  std::vector<Body> bodies_;
  const int64_t warm_up_steps_;
  int64_t next_id_ = 1;
  int64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Traffic> Traffic::Create(const Layout* layout, const TrafficOptions& options) {
  return std::make_unique<StreetTraffic>(layout, options);
}

}  // namespace sightline::simulate
