// Weather by words and over time.
#include <algorithm>

#include "base/text.h"
#include "simulate/scene/exact.h"
#include "simulate/script/scenario.h"

namespace sightline::simulate {
namespace {

const std::vector<std::string> kWords = {"day", "dusk", "night", "rain", "fog", "clouds", "mixed"};

// The sun by the light there is.
void SetSun(Random* random, Weather* weather) {
  weather->sun_azimuth = random->Uniform(-kPi, kPi);
  weather->sun_elevation =
      weather->light == DayLight::kDusk ? random->Uniform(0.06, 0.2) : random->Uniform(0.45, 1.1);
}

void AddRain(double strength, Weather* weather) {
  weather->rain = strength;
  weather->wetness = std::min(1.0, 0.55 + 0.5 * strength);
  weather->clouds = std::max(weather->clouds, 0.8 + 0.2 * strength);
}

// From one light to the next, with something that comes and goes between.
std::vector<WeatherPoint> Mixed(Random random, double seconds) {
  std::vector<WeatherPoint> points;
  Weather weather;
  weather.clouds = random.Uniform(0, 0.4);
  SetSun(&random, &weather);
  points.push_back({0, weather});
  Weather cloudy = weather;
  cloudy.clouds = 1;
  points.push_back({seconds * 0.25, cloudy});
  Weather wet = cloudy;
  AddRain(random.Uniform(0.4, 0.9), &wet);
  points.push_back({seconds * 0.4, wet});
  Weather dusk = wet;
  dusk.light = DayLight::kDusk;
  dusk.rain = 0;
  dusk.fog = random.Uniform(0, 0.3);
  dusk.sun_elevation = 0.12;
  points.push_back({seconds * 0.65, dusk});
  Weather night = dusk;
  night.light = DayLight::kNight;
  night.wetness = 0.3;
  night.fog = 0;
  points.push_back({seconds, night});
  return points;
}

double Between(double a, double b, double share) { return a + (b - a) * share; }

}  // namespace

absl::StatusOr<std::vector<WeatherPoint>> ParseWeather(std::string_view words, uint64_t seed,
                                                       double seconds) {
  Random random(seed, 0x3ea7);
  Weather weather;
  bool has_light = false, has_more = false, mixed = false;
  for (const std::string& part : Split(words, ',')) {
    const std::string word(Trim(part));
    const auto found = std::find(kWords.begin(), kWords.end(), word);
    if (found == kWords.end()) {
      const std::string near = word.size() > 32 ? "" : NearestName(word, kWords);
      return absl::InvalidArgumentError(fmt::format(
          "weather: unknown '{}'; {}", ToValidUtf8(word.substr(0, 64)),
          near.empty() ? "there are " + Join(kWords, ", ") : fmt::format("did you mean '{}'?", near)));
    }
    if (word == "mixed") {
      mixed = true;
    } else if (word == "rain") {
      AddRain(random.Uniform(0.4, 1), &weather), has_more = true;
    } else if (word == "fog") {
      weather.fog = random.Uniform(0.3, 0.7), has_more = true;
    } else if (word == "clouds") {
      weather.clouds = 1, has_more = true;
    } else {
      if (has_light)
        return absl::InvalidArgumentError(
            fmt::format("weather: '{}': one of day, dusk and night, not several", ToValidUtf8(words)));
      has_light = true;
      weather.light = word == "day" ? DayLight::kDay : word == "dusk" ? DayLight::kDusk : DayLight::kNight;
    }
  }
  if (mixed && (has_light || has_more))
    return absl::InvalidArgumentError("weather: 'mixed' stands alone: it changes the light by itself");
  if (mixed) return Mixed(random, seconds);
  SetSun(&random, &weather);
  return std::vector<WeatherPoint>{{0, weather}};
}

Weather WeatherAt(const std::vector<WeatherPoint>& points, double time_s) {
  if (points.empty()) return {};
  size_t next = 0;
  while (next < points.size() && points[next].at_s <= time_s) ++next;
  if (next == 0) return points.front().weather;
  if (next == points.size()) return points.back().weather;
  const WeatherPoint &a = points[next - 1], &b = points[next];
  const double share = (time_s - a.at_s) / (b.at_s - a.at_s);
  Weather weather;
  weather.light = share < 0.5 ? a.weather.light : b.weather.light;
  weather.sun_azimuth =
      WrapAngle(a.weather.sun_azimuth + WrapAngle(b.weather.sun_azimuth - a.weather.sun_azimuth) * share);
  weather.sun_elevation = Between(a.weather.sun_elevation, b.weather.sun_elevation, share);
  weather.clouds = Between(a.weather.clouds, b.weather.clouds, share);
  weather.rain = Between(a.weather.rain, b.weather.rain, share);
  weather.wetness = Between(a.weather.wetness, b.weather.wetness, share);
  weather.fog = Between(a.weather.fog, b.weather.fog, share);
  return weather;
}

}  // namespace sightline::simulate
