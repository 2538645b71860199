#include "cameras/evidence/seen_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::cameras {
namespace {

SeenBox Person(int64_t id, float x) { return {SeenBox::Kind::kPerson, id, {x, 100, x + 40, 200}}; }

bool Covers(const Box& hidden, const Box& box) {
  return hidden.x1 <= box.x1 + 1e-3f && hidden.x2 >= box.x2 - 1e-3f && hidden.y1 <= box.y1 + 1e-3f &&
         hidden.y2 >= box.y2 - 1e-3f;
}

TEST(SeenHistory, boxes_go_straight_between_two_moments) {
  SeenHistory seen(60, 1000);
  seen.Add(10, {Person(1, 100)});
  seen.Add(10.5, {Person(1, 200)});
  for (double t = 10; t <= 10.5; t += 0.02) {
    const auto boxes = seen.At(t);
    ASSERT_TRUE(boxes && boxes->size() == 1) << t;
    EXPECT_TRUE(Covers((*boxes)[0].box, Person(1, static_cast<float>(100 + (t - 10) * 200)).box)) << t;
    EXPECT_LT((*boxes)[0].box.width(), 65);
  }
}

TEST(SeenHistory, a_track_is_hidden_a_second_before_and_after_and_drawn_out) {
  SeenHistory seen(60, 1000);
  for (int i = 0; i <= 100; ++i) {
    std::vector<SeenBox> boxes;
    if (i >= 40 && i <= 60) boxes.push_back(Person(1, static_cast<float>(10 * i)));
    seen.Add(i * 0.1, boxes);
  }
  EXPECT_TRUE(seen.At(2.9)->empty());
  ASSERT_EQ(seen.At(3.1)->size(), 1u);
  EXPECT_TRUE(Covers(seen.At(3.1)->at(0).box, Person(1, 400).box));
  EXPECT_TRUE(Covers(seen.At(3.1)->at(0).box, Person(1, 310).box));  // where it came from
  ASSERT_EQ(seen.At(6.9)->size(), 1u);
  EXPECT_TRUE(Covers(seen.At(6.9)->at(0).box, Person(1, 690).box));
  EXPECT_TRUE(Covers(seen.At(6.9)->at(0).box, Person(1, 600).box));
  EXPECT_TRUE(seen.At(7.2)->empty());
}

TEST(SeenHistory, a_track_missed_for_a_while_stays_hidden) {
  SeenHistory seen(60, 1000);
  seen.Add(0, {Person(1, 100)});
  for (int i = 1; i < 40; ++i) seen.Add(i * 0.1, {});
  seen.Add(4, {Person(1, 500)});
  ASSERT_EQ(seen.At(2)->size(), 1u);
  EXPECT_TRUE(Covers(seen.At(2)->at(0).box, Person(1, 300).box));
}

TEST(SeenHistory, where_nobody_looked_anything_may_be) {
  SeenHistory seen(60, 1000);
  EXPECT_FALSE(seen.At(0));
  seen.Add(10, {});
  seen.Add(13, {});
  EXPECT_FALSE(seen.At(8.9));
  EXPECT_TRUE(seen.At(9.1));
  EXPECT_FALSE(seen.At(11.5));
  EXPECT_TRUE(seen.At(13.9));
  EXPECT_FALSE(seen.At(14.1));
}

TEST(SeenHistory, boxes_without_a_track_stay_around_their_moment) {
  SeenHistory seen(60, 1000);
  for (int i = 0; i < 50; ++i)
    seen.Add(i * 0.1, i == 20 ? std::vector<SeenBox>{Person(0, 1), Person(0, 300), Person(-1, 500)}
                              : std::vector<SeenBox>{});
  EXPECT_EQ(seen.At(1.1)->size(), 3u);
  EXPECT_EQ(seen.At(2.9)->size(), 3u);
  EXPECT_TRUE(seen.At(3.2)->empty());
}

TEST(SeenHistory, memory_is_bounded_and_what_was_forgotten_counts_as_unknown) {
  SeenHistory seen(20, 500);
  for (int i = 0; i < 10'000; ++i) {
    seen.Add(i * 0.1, {Person(1, 1), Person(2, 2)});
    ASSERT_LE(seen.boxes(), 500u);
  }
  EXPECT_FALSE(seen.At(970));
  EXPECT_TRUE(seen.At(990));
  SeenHistory few(20, 100'000);
  for (int i = 0; i < 10'000; ++i) few.Add(i * 0.1, {});
  EXPECT_LE(few.boxes(), 202u);
}

TEST(SeenHistory, a_part_says_the_same_for_its_times) {
  SeenHistory seen(100, 100'000);
  for (int i = 0; i < 500; ++i) seen.Add(i * 0.1, {Person(1, static_cast<float>(i))});
  const SeenHistory part = seen.Between(20, 30);
  EXPECT_LT(part.boxes(), seen.boxes() / 2);
  for (double t = 20; t <= 30; t += 0.13) {
    ASSERT_TRUE(part.At(t));
    EXPECT_EQ(part.At(t)->at(0).box, seen.At(t)->at(0).box);
  }
}

}  // namespace
}  // namespace sightline::cameras
