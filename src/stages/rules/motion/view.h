// From boxes in the picture to rectangles on the ground.
#pragma once

#include <array>
#include <optional>

#include "data/geometry.h"
#include "stages/rules/geometry.h"
#include "stages/rules/motion/kinds.h"
#include "stages/rules/motion/shape.h"

namespace sightline::rules {

// The ground's map tells where a pinhole camera with square pixels and its axis in the picture's middle
// stands, and so how tall things show. With that a box is explained as that of a block of the class's size
// which stands on the ground: its middle is found to a fraction of its length, where the middle of the box's
// lower edge would be wrong by up to half of it. Cameras for which that is not possible (straight down, maps
// that no such camera has) use the middle of the lower edge.
class View {
 public:
  View(const Homography& ground, Size picture);

  // What is known of a block besides its box. Scales are learnt from box to box.
  struct Block {
    double length_scale = 0, height_scale = 0;  // logarithms
    double looks = 0;                           // how many boxes taught them
  };
  struct Placed {
    Point center;       // on the ground
    Point deviation;    // of it, in x and y, metres
    double misfit = 0;  // pixels, root mean square of the sides
    int sides = 0;      // that were not cut off by the picture's edge
  };
  // `near`: where it is thought to be; `along`: unit, its forward direction on the ground. Teaches `block`.
  std::optional<Placed> Place(const Box& box, const ClassFacts& facts, const Point& along,
                              const std::optional<Point>& near, Block* block) const;
  // The middle of the lower edge.
  std::optional<Placed> PlaceFoot(const Box& box) const;
  const Homography& ground() const { return ground_; }
  bool upright_known() const { return upright_known_; }
  bool operator==(const View& other) const {
    return ground_.to_pixel() == other.ground_.to_pixel() && picture_ == other.picture_;
  }

 private:
  // Sides x1, y1, x2, y2 of a block's picture; false where part of it is behind the camera.
  bool Project(const Point& center, const Point& along, double length, double width, double height,
               std::array<double, 4>* sides) const;

  Homography ground_;
  Size picture_;
  bool upright_known_ = false;
  std::array<double, 12> camera_{};  // 3 x 4, row by row, metres to pixels
};

}  // namespace sightline::rules
