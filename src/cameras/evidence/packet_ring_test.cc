#include "cameras/evidence/packet_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cameras/evidence/test_media.h"

namespace sightline::cameras {
namespace {

std::shared_ptr<const VideoTrack> MakeTrack() {
  auto track = std::make_shared<VideoTrack>();
  track->parameters =
      std::shared_ptr<const AVCodecParameters>(avcodec_parameters_alloc(), [](const AVCodecParameters* p) {
        auto* q = const_cast<AVCodecParameters*>(p);
        avcodec_parameters_free(&q);
      });
  return track;
}

LivePacket Packet(double at_s, bool key, const std::shared_ptr<const VideoTrack>& track, uint32_t epoch = 1,
                  int bytes = 1000) {
  AVPacket* packet = av_packet_alloc();
  EXPECT_EQ(av_new_packet(packet, bytes), 0);
  std::fill_n(packet->data, bytes, uint8_t{0});
  packet->pts = packet->dts = std::llround(at_s * 1000);
  packet->flags = key ? AV_PKT_FLAG_KEY : 0;
  LivePacket live = Live(packet, track, at_s);
  av_packet_free(&packet);
  live.epoch = epoch;
  return live;
}

TEST(PacketRing, keeps_whole_groups_that_reach_back_far_enough) {
  const auto track = MakeTrack();
  PacketRing ring;
  for (int i = 0; i <= 1000; ++i) ring.Add(Packet(i * 0.1, i % 20 == 0, track), 5, 1 << 30);
  const auto packets = ring.From(1, 100, 95);
  ASSERT_FALSE(packets.empty());
  EXPECT_TRUE(packets.front().key);
  EXPECT_LE(packets.front().stream_s, 95);
  EXPECT_GT(packets.front().stream_s, 92.9);
  EXPECT_DOUBLE_EQ(packets.back().stream_s, 100);
  EXPECT_TRUE(ring.From(1, 50, 45).empty());  // gone
  EXPECT_LT(ring.bytes(), 80u * 1500);
}

TEST(PacketRing, never_holds_more_than_its_bytes) {
  const auto track = MakeTrack();
  PacketRing ring;
  for (int i = 0; i <= 2000; ++i) {
    ring.Add(Packet(i * 0.1, i % 10 == 0, track, 1, 5000), 1000, 300'000);
    ASSERT_LE(ring.bytes(), 300'000u);
  }
  EXPECT_GT(ring.bytes(), 200'000u);
  const auto packets = ring.From(1, 200, 0);
  EXPECT_TRUE(packets.front().key);
}

TEST(PacketRing, a_group_beyond_all_bounds_is_dropped_until_the_next_keyframe) {
  const auto track = MakeTrack();
  PacketRing ring;
  ring.Add(Packet(0, true, track), 10, 100'000);
  for (int i = 1; i < 500; ++i) {
    ring.Add(Packet(i * 0.1, false, track), 10, 100'000);
    ASSERT_LE(ring.bytes(), 100'000u);
  }
  EXPECT_EQ(ring.bytes(), 0u);
  EXPECT_TRUE(ring.From(1, 49, 45).empty());
  ring.Add(Packet(50, true, track), 10, 100'000);
  EXPECT_EQ(ring.From(1, 50, 45).size(), 1u);
}

TEST(PacketRing, a_clip_stays_within_one_connection_and_codec) {
  const auto track = MakeTrack(), other = MakeTrack();
  PacketRing ring;
  for (int i = 0; i < 50; ++i) ring.Add(Packet(i * 0.1, i % 10 == 0, track), 60, 1 << 30);
  for (int i = 50; i < 100; ++i) ring.Add(Packet(i * 0.1, i % 10 == 0, track, 2), 60, 1 << 30);
  for (int i = 103; i < 150; ++i) ring.Add(Packet(i * 0.1, i % 10 == 0, other, 2), 60, 1 << 30);
  const auto first = ring.From(1, 4.5, 0), second = ring.From(2, 8, 0), third = ring.From(2, 14, 0);
  EXPECT_EQ(first.size(), 50u);
  EXPECT_EQ(second.size(), 50u);
  EXPECT_DOUBLE_EQ(second.front().stream_s, 5);
  EXPECT_DOUBLE_EQ(third.front().stream_s, 11);  // the first keyframe of the new codec
  EXPECT_EQ(third.size(), 40u);
  EXPECT_TRUE(ring.From(3, 8, 0).empty());
}

TEST(PacketRing, what_is_no_packet_is_ignored) {
  const auto track = MakeTrack();
  PacketRing ring;
  ring.Add({}, 10, 1 << 20);
  LivePacket packet = Packet(1, true, track);
  packet.track = nullptr;
  ring.Add(packet, 10, 1 << 20);
  packet = Packet(1, true, track);
  packet.stream_s = std::numeric_limits<double>::quiet_NaN();
  ring.Add(packet, 10, 1 << 20);
  packet.stream_s = 1e300;
  ring.Add(packet, 10, 1 << 20);
  ring.Add(Packet(1, false, track), 10, 1 << 20);  // before any keyframe
  EXPECT_EQ(ring.bytes(), 0u);
}

TEST(PacketRing, decoding_order_is_never_after_presentation) {
  auto track = std::make_shared<VideoTrack>(*MakeTrack());
  track->time_base_num = std::numeric_limits<int64_t>::max();
  track->time_base_den = 0;
  LivePacket live = Packet(5, true, track);
  auto odd =
      std::shared_ptr<AVPacket>(av_packet_clone(live.packet.get()), [](AVPacket* p) { av_packet_free(&p); });
  for (const int64_t pts : {int64_t{0}, INT64_MAX, INT64_MIN + 1, AV_NOPTS_VALUE}) {
    for (const int64_t dts : {int64_t{0}, INT64_MAX, INT64_MIN + 1, AV_NOPTS_VALUE}) {
      odd->pts = pts;
      odd->dts = dts;
      live.packet = odd;
      EXPECT_LE(OrderOf(live), 5);
      EXPECT_GE(OrderOf(live), -5);
    }
  }
}

}  // namespace
}  // namespace sightline::cameras
