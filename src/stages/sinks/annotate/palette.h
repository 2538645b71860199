// Colours for marks: far apart, mid-bright, so that they hold against dark and light pictures.
#pragma once

namespace sightline::sinks {

struct Color {
  double red = 0, green = 0, blue = 0;  // 0..1
};

// The same key gives the same colour.
Color ColorOf(int key);
// Perceived brightness 0..1 (sRGB luminance).
double Luminance(const Color& color);

}  // namespace sightline::sinks
