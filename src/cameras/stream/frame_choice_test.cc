#include "cameras/stream/frame_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sightline::cameras {
namespace {

using decode::Economy;

// Plays `seconds` of a stream with keyframes each `key_s`; says what each use came to. Given frames are
// marked, as the decoder does.
struct Played {
  int decoded = 0, if_referred = 0, keys_alone = 0, left_out = 0, given = 0;
};
Played Play(FrameChoice* choice, double seconds, double frames_per_second, double key_s, double late_s = 0,
            double from_s = 0, bool intra_only = false) {
  Played played;
  const int frames = static_cast<int>(seconds * frames_per_second);
  const int group = static_cast<int>(key_s * frames_per_second);
  for (int i = 0; i < frames; ++i) {
    const double time_s = from_s + i / frames_per_second;
    const PacketUse use =
        choice->Of(intra_only || i % group == 0, intra_only, time_s, late_s, 1 / frames_per_second);
    played.decoded += use == PacketUse::kDecode;
    played.if_referred += use == PacketUse::kOnlyIfReferred;
    played.keys_alone += use == PacketUse::kKeyAlone;
    played.left_out += use == PacketUse::kLeaveOut;
    // Here every third frame is one that no other needs.
    const bool comes = use == PacketUse::kDecode || use == PacketUse::kKeyAlone ||
                       (use == PacketUse::kOnlyIfReferred && i % 3 != 2);
    if (comes && choice->IsDue(time_s)) {
      choice->Given(time_s);
      ++played.given;
    }
  }
  return played;
}

TEST(FrameChoice, without_demand_every_frame_is_decoded_and_given) {
  FrameChoice choice;
  const Played played = Play(&choice, 10, 25, 2);
  EXPECT_EQ(played.decoded, 250);
  EXPECT_EQ(played.given, 250);
}

TEST(FrameChoice, frames_come_at_the_wanted_rate_and_the_others_only_where_needed) {
  FrameChoice choice;
  choice.SetDemand(Economy::kNone, 0.2);
  const Played played = Play(&choice, 20, 25, 2);
  EXPECT_NEAR(played.given, 100, 2);
  EXPECT_LT(played.decoded, 130);  // those that are due, and keyframes
  EXPECT_EQ(played.left_out, 0);
}

TEST(FrameChoice, a_rate_that_frames_do_not_lie_on_is_kept) {
  for (const double interval : {0.07, 0.15, 0.33, 1.1}) {
    FrameChoice choice;
    choice.SetDemand(Economy::kReferences, interval);
    EXPECT_NEAR(Play(&choice, 60, 12.5, 4).given, std::min(60 / interval, 750.), 0.12 * 60 / interval)
        << interval;
  }
}

TEST(FrameChoice, keyframes_are_decoded_alone_where_they_suffice) {
  FrameChoice choice;
  choice.SetDemand(Economy::kKeyframes, 2);
  const Played played = Play(&choice, 60, 25, 2);
  EXPECT_GE(played.given, 28);
  EXPECT_LE(played.given, 31);
  EXPECT_GT(played.left_out, 1400);  // all but the first group
}

TEST(FrameChoice, keyframes_that_come_too_seldom_do_not_suffice) {
  FrameChoice choice;
  choice.SetDemand(Economy::kKeyframes, 0.5);
  const Played played = Play(&choice, 60, 25, 4);
  EXPECT_NEAR(played.given, 120, 6);
  EXPECT_EQ(played.keys_alone, 0);
  EXPECT_EQ(played.left_out, 0);
}

TEST(FrameChoice, pictures_that_stand_alone_are_decoded_only_when_due) {
  FrameChoice choice;
  choice.SetDemand(Economy::kNone, 1);
  const Played played = Play(&choice, 30, 10, 1, 0, 0, true);
  EXPECT_EQ(played.decoded, played.given);
  EXPECT_NEAR(played.given, 30, 1);
  EXPECT_EQ(played.left_out, 300 - played.decoded);
}

TEST(FrameChoice, a_late_stream_leaves_out_what_no_other_needs) {
  FrameChoice choice;
  const Played played = Play(&choice, 1, 25, 10, 0.7);
  EXPECT_EQ(played.if_referred, 24);  // all but the keyframe
  EXPECT_EQ(played.left_out, 0);
}

TEST(FrameChoice, a_stream_that_stays_late_goes_on_at_its_next_keyframe) {
  FrameChoice choice;
  Play(&choice, 8, 25, 4);  // how often keyframes come
  const Played late = Play(&choice, 4, 25, 4, 1.5, 8);
  EXPECT_GT(late.left_out, 60);
  EXPECT_EQ(late.given, 0);
  EXPECT_GT(choice.left_out_late(), 60u);
  EXPECT_EQ(Play(&choice, 4, 25, 4, 0, 12).decoded, 100);  // caught up
}

// Plays a stream with one keyframe, at its begin, that is `late_s` late and catches up by `gain` a second.
Played CatchUp(FrameChoice* choice, double seconds, double late_s, double gain) {
  Played played;
  for (int i = 0; i < seconds * 5; ++i) {
    const double time_s = i / 5.;
    const PacketUse use = choice->Of(i == 0, false, time_s, std::max(late_s - gain * time_s, 0.), 0.2);
    played.left_out += use == PacketUse::kLeaveOut;
    played.decoded += use == PacketUse::kDecode;
    played.given += use != PacketUse::kLeaveOut && choice->IsDue(time_s);
  }
  return played;
}

TEST(FrameChoice, a_late_stream_with_its_next_keyframe_far_away_catches_up_by_decoding) {
  FrameChoice choice;
  const Played played = CatchUp(&choice, 20, 4, 0.5);
  EXPECT_EQ(played.left_out, 0);
  EXPECT_EQ(played.given, 100 - 30);  // of the six seconds in which it was more than a second late, none
}

TEST(FrameChoice, a_late_stream_that_does_not_catch_up_waits_even_for_a_far_keyframe) {
  FrameChoice choice;
  const Played played = CatchUp(&choice, 20, 4, 0);
  EXPECT_NEAR(played.left_out, 100 - 16, 2);
  EXPECT_EQ(played.given, 0);
}

TEST(FrameChoice, a_new_connection_forgets_what_it_waited_for) {
  FrameChoice choice;
  Play(&choice, 3, 25, 10, 1.5);
  choice.Restart();
  EXPECT_EQ(choice.Of(false, false, 3, 0, 0.04), PacketUse::kDecode);
}

}  // namespace
}  // namespace sightline::cameras
