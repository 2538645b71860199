#include "simulate/clip/street_clip.h"

#include <cmath>

#include "base/status.h"
#include "base/text.h"
#include "simulate/render/renderer.h"
#include "simulate/scene/exact.h"

namespace sightline::simulate {
namespace {

constexpr double kObserveStep =
    0.1;  // seconds: at lower frame rates what happens between frames is watched, too
constexpr double kReferenceWidth = 640;

}  // namespace

struct StreetClip::Parts {
  StreetOptions options;
  Layout layout;
  Scenario scenario;
  Staged staged;
  std::unique_ptr<Traffic> traffic;
  std::unique_ptr<Renderer> renderer;
  std::unique_ptr<Observer> observer;
  std::unique_ptr<EventObserver> events;
  FramePool pool;
  Scene scene;
  std::vector<Sighting> sightings;
  std::vector<TrueBox> boxes;
  int64_t next = 0, frames = 0;

  void Advance(double time_s);
  void Look();
};

absl::StatusOr<std::unique_ptr<StreetClip>> StreetClip::Create(const StreetOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= kSecondsMax))
    return absl::InvalidArgumentError(
        fmt::format("seconds: {} is not above 0 and up to {}", options.seconds, kSecondsMax));
  if (!(options.frames_per_second >= 0.01 && options.frames_per_second <= 240))
    return absl::InvalidArgumentError(
        fmt::format("fps: {} is not between 0.01 and 240", options.frames_per_second));
  if (std::min(options.size.width, options.size.height) < kSideMin ||
      std::max(options.size.width, options.size.height) > kSideMax || options.size.width % 2 != 0 ||
      options.size.height % 2 != 0) {
    return absl::InvalidArgumentError(fmt::format("size: {}x{}: sides are even and between {} and {}",
                                                  options.size.width, options.size.height, kSideMin,
                                                  kSideMax));
  }
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  if (options.scenario.empty()) {
    parts->scenario = MakeScenario(options.seed, options.seconds);
  } else {
    ASSIGN_OR_RETURN(parts->scenario, LoadScenario(options.scenario));
  }
  if (!options.weather.empty()) {
    ASSIGN_OR_RETURN(parts->scenario.weather, ParseWeather(options.weather, options.seed, options.seconds));
  }
  parts->layout = MakeLayout(options.seed, options.size);
  parts->scenario.traffic.seed = options.seed;
  parts->traffic = Traffic::Create(&parts->layout, parts->scenario.traffic);
  parts->staged = Stage(parts->scenario, parts->layout, options.seed, parts->traffic.get());
  if (options.pixels) parts->renderer = Renderer::Create(&parts->layout, {.seed = options.seed});
  if (options.truth) {
    parts->observer = Observer::Create(&parts->layout);
    parts->events = std::make_unique<EventObserver>(&parts->layout);
  }
  parts->frames = std::max<int64_t>(
      1, static_cast<int64_t>(std::floor(options.seconds * options.frames_per_second + 1e-9)));
  return std::unique_ptr<StreetClip>(new StreetClip(std::move(parts)));
}

StreetClip::StreetClip(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
  format_ = {parts_->options.size, parts_->options.frames_per_second, parts_->frames};
}
StreetClip::~StreetClip() = default;

void StreetClip::Parts::Advance(double time_s) {
  traffic->AdvanceTo(time_s, &scene);
  scene.weather = WeatherAt(scenario.weather, time_s);
  if (events) events->Observe(scene);
}

// The boxes of the scene, with what is too small or hidden marked.
void StreetClip::Parts::Look() {
  observer->Observe(scene, &sightings);
  boxes.clear();
  const double scale = options.size.width / kReferenceWidth;
  size_t i = 0;
  for (const Sighting& sighting : sightings) {
    while (scene.actors[i].id != sighting.id) ++i;
    const double height = static_cast<double>(sighting.box.y2) - static_cast<double>(sighting.box.y1);
    const double width = static_cast<double>(sighting.box.x2) - static_cast<double>(sighting.box.x1);
    const bool measured = sighting.visibility >= kMeasuredVisibility &&
                          sighting.clearness >= kMeasuredClearness && height >= kMeasuredHeight * scale &&
                          width * height >= kMeasuredArea * scale * scale;
    boxes.push_back({sighting.id, scene.actors[i].kind, sighting.box, sighting.visibility, measured});
  }
}

absl::StatusOr<SourceFrame> StreetClip::Next() {
  Parts& p = *parts_;
  if (p.next >= p.frames) return absl::OutOfRangeError("end of the clip");
  const double time_s = static_cast<double>(p.next) / p.options.frames_per_second;
  if (p.events && p.next > 0) {
    const double before = static_cast<double>(p.next - 1) / p.options.frames_per_second;
    const auto steps = static_cast<int64_t>(std::ceil((time_s - before) / kObserveStep - 1e-9));
    for (int64_t i = 1; i < steps; ++i)
      p.Advance(before + (time_s - before) * static_cast<double>(i) / static_cast<double>(steps));
  }
  p.Advance(time_s);
  if (p.observer) p.Look();
  SourceFrame out;
  out.index = p.next++;
  if (p.renderer) {
    const std::shared_ptr<Frame> frame = p.pool.Acquire();
    p.renderer->Render(p.scene, frame.get());
    frame->time_s = time_s;
    out.frame = frame;
  }
  return out;
}

const Scene& StreetClip::scene() const { return parts_->scene; }
const std::vector<TrueBox>& StreetClip::boxes() const { return parts_->boxes; }
const Layout& StreetClip::layout() const { return parts_->layout; }
const std::vector<std::string>& StreetClip::left_out() const { return parts_->staged.left_out; }
std::vector<TrueEvent> StreetClip::Events() {
  return parts_->events ? parts_->events->Finish() : std::vector<TrueEvent>();
}

absl::StatusOr<std::unique_ptr<FrameSource>> OpenStreet(std::string_view address) {
  ASSIGN_OR_RETURN(StreetAddress parsed, ParseStreetAddress(address));
  parsed.options.truth = false;
  ASSIGN_OR_RETURN(std::unique_ptr<StreetClip> clip, StreetClip::Create(parsed.options));
  if (parsed.faults.empty()) return clip;
  return WithFaults(std::move(clip), std::move(parsed.faults));
}

}  // namespace sightline::simulate
