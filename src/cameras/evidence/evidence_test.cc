#include "cameras/evidence/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <random>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/test_assets.h"
#include "cameras/evidence/encode_clip.h"
#include "cameras/evidence/packet_ring.h"
#include "cameras/evidence/test_media.h"

namespace sightline::cameras {
namespace {

namespace fs = std::filesystem;

constexpr double kFar = 1e6;
const Box kWho{96, 60, 184, 200};  // where somebody is, in the test picture of 320x240

bool Await(const std::function<bool()>& condition) {
  for (int i = 0; i < 24'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return condition();
}

class Evidence : public testing::Test {
 protected:
  void SetUp() override {
    options_.folder = folder_.path() / "evidence";
    options_.before_s = 2;
    options_.after_s = 1.5;
    options_.finish_s_max = 120;  // a machine that is busy with other things is no failure
  }

  void Start() {
    auto recorder = EvidenceRecorder::Create(options_);
    ASSERT_TRUE(recorder.ok()) << recorder.status();
    recorder_ = *std::move(recorder);
  }

  // 8 s of H.264 with B-frames, a keyframe a second; made once.
  struct Source {
    TemporaryFolder folder = *TemporaryFolder::Create();
    fs::path path = folder.path() / "source.mp4";
    bool made = MakeVideo(path, "-c:v libx264 -preset veryfast -bf 3 -g 25", 8);
    std::vector<LivePacket> packets = PacketsOf(path);
    std::vector<FramePtr> frames = FramesOf(path);
  };
  static const Source& TheSource() {
    static const Source source;
    return source;
  }
  static const std::vector<LivePacket>& Video() { return TheSource().packets; }

  // In the order of decoding.
  void Feed(const std::vector<LivePacket>& packets, double from_s, double to_s, int64_t camera = 1) {
    for (const LivePacket& packet : packets)
      if (OrderOf(packet) >= from_s && OrderOf(packet) < to_s) recorder_->OnPacket(camera, packet);
  }
  void Look(double from_s, double to_s, const std::vector<SeenBox>& boxes) {
    for (double at = from_s; at < to_s; at += 0.2) recorder_->OnSeen(1, at, boxes);
  }

  static LiveFrame FrameAt(double stream_s, uint32_t epoch = 1) {
    LiveFrame live;
    live.frame = TheSource().frames.at(static_cast<size_t>(std::lround(stream_s * 25)));
    live.epoch = epoch;
    live.stream_s = stream_s;
    live.captured = std::chrono::sys_days(std::chrono::year(2026) / 11 / 28);
    return live;
  }

  fs::path Path(const std::string& name) const { return options_.folder / name; }

  TemporaryFolder folder_ = *TemporaryFolder::Create();
  EvidenceOptions options_;
  std::unique_ptr<EvidenceRecorder> recorder_;
};

TEST_F(Evidence, a_clip_covers_the_event_and_is_made_of_the_packets_that_came) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4.3);
  const EvidenceNames names = recorder_->Record(1, "e1", FrameAt(4));
  EXPECT_EQ(names.snapshot, "gate/2026-11-28/e1.jpg");
  EXPECT_EQ(names.clip, "gate/2026-11-28/e1.mp4");
  ASSERT_TRUE(Await([&] { return recorder_->counts().snapshots == 1; }));
  EXPECT_FALSE(fs::exists(Path(names.clip)));  // not before it is complete
  Feed(Video(), 4.3, kFar);
  ASSERT_TRUE(Await([&] { return recorder_->counts().clips == 1; }));
  // From the keyframe at 2 s to 5.5 s.
  const auto copies = PacketsOf(Path(names.clip));
  ASSERT_FALSE(copies.empty());
  std::vector<const LivePacket*> expected;
  for (const LivePacket& packet : Video())
    if (packet.stream_s >= 2 || !expected.empty()) expected.push_back(&packet);
  ASSERT_GE(copies.size(), 86u);
  ASSERT_LE(copies.size(), 92u);
  for (size_t i = 0; i < copies.size(); ++i) {
    const AVPacket &a = *expected[i]->packet, &b = *copies[i].packet;
    ASSERT_EQ(a.size, b.size) << i;
    ASSERT_EQ(std::memcmp(a.data, b.data, static_cast<size_t>(a.size)), 0) << i;
  }
  EXPECT_EQ(FramesOf(Path(names.clip)).size(), copies.size());
  EXPECT_EQ(PictureOf(Path(names.snapshot))->size, (Size{320, 240}));
  EXPECT_GT(recorder_->counts().bytes, 10'000u);
  EXPECT_EQ(recorder_->counts().failed, 0u);
}

TEST_F(Evidence, nothing_is_written_before_an_event_asks) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, kFar);
  recorder_->Finish();
  EXPECT_TRUE(fs::is_empty(options_.folder));
}

TEST_F(Evidence, overlapping_events_get_a_clip_each) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  for (int i = 0; i < 5; ++i) {
    Feed(Video(), i == 0 ? 0 : 3 + i * 0.4, 3.4 + i * 0.4);
    EXPECT_NE(recorder_->Record(1, fmt::format("e{}", i), FrameAt(3.2 + i * 0.4)).clip, "");
  }
  Feed(Video(), 5, kFar);
  recorder_->Finish();
  EXPECT_EQ(recorder_->counts().clips, 5u);
  for (int i = 0; i < 5; ++i) {
    const auto packets = PacketsOf(Path(fmt::format("gate/2026-11-28/e{}.mp4", i)));
    EXPECT_GE(packets.size(), 87u);
    EXPECT_LE(packets.size(), 87u + 25 + 3);  // a group more at most
  }
  EXPECT_EQ(recorder_->counts().clip_bytes, 0u);
}

TEST_F(Evidence, a_new_connection_cuts_the_clip) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4);
  recorder_->Record(1, "first", FrameAt(3.6));
  auto later = PacketsOf(TheSource().path, 2);
  for (LivePacket& packet : later) packet.stream_s += 4;
  Feed(later, 3, 6);
  ASSERT_TRUE(Await([&] { return recorder_->counts().clips == 1; }));
  EXPECT_LE(PacketsOf(Path("gate/2026-11-28/first.mp4")).size(), 78u);
  recorder_->Record(1, "second", FrameAt(5, 2));
  Feed(later, 6, kFar);
  ASSERT_TRUE(Await([&] { return recorder_->counts().clips == 2; }));
  const auto second = FramesOf(Path("gate/2026-11-28/second.mp4"));
  EXPECT_GE(second.size(), 62u);
  EXPECT_LE(second.size(), 66u);
  EXPECT_EQ(recorder_->Record(1, "unknown", FrameAt(5, 3)).clip, "");
}

TEST_F(Evidence, a_stream_that_stops_gives_what_came) {
  options_.patience_s = 0.05;
  options_.after_s = 0.3;
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4);
  EXPECT_NE(recorder_->Record(1, "e", FrameAt(3.9)).clip, "");
  EXPECT_TRUE(Await([&] { return recorder_->counts().clips == 1; }));
}

TEST_F(Evidence, a_camera_that_is_removed_gives_what_came) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4);
  recorder_->Record(1, "e", FrameAt(3.9));
  recorder_->RemoveCamera(1);
  EXPECT_TRUE(Await([&] { return recorder_->counts().clips == 1; }));
  EXPECT_EQ(recorder_->Record(1, "e2", FrameAt(3.9)).snapshot, "");
  EXPECT_EQ(recorder_->counts().ring_bytes, 0u);
}

TEST_F(Evidence, without_packets_there_is_a_snapshot_only) {
  Start();
  recorder_->AddCamera(1, "sim", {});
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(2));
  EXPECT_EQ(names.clip, "");
  recorder_->Finish();
  EXPECT_EQ(PictureOf(Path(names.snapshot))->source_size, (Size{320, 240}));
}

TEST_F(Evidence, what_mp4_cannot_hold_is_encoded_anew) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  ASSERT_TRUE(MakeVideo(folder_.path() / "v.flv", "-c:v flv -g 25", 5));
  Feed(PacketsOf(folder_.path() / "v.flv"), 0, kFar);
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(3));
  recorder_->Finish();
  EXPECT_THAT(FramesOf(Path(names.clip)).size(), testing::AllOf(testing::Ge(86u), testing::Le(89u)));
}

// --- redaction ---

TEST_F(Evidence, in_a_redacted_clip_people_carry_no_detail_and_all_else_does) {
  Start();
  Redaction redaction;
  redaction.people = true;
  recorder_->AddCamera(1, "gate", redaction);
  Feed(Video(), 0, kFar);
  Look(0, 4.01, {{SeenBox::Kind::kPerson, 1, kWho}});
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(4));
  ASSERT_TRUE(Await([&] { return recorder_->counts().snapshots == 1; }));
  EXPECT_EQ(recorder_->counts().clips, 0u);  // what comes after is not looked at yet
  Look(4.2, 6, {{SeenBox::Kind::kPerson, 1, kWho}});
  ASSERT_TRUE(Await([&] { return recorder_->counts().clips == 1; }));
  auto frames = FramesOf(Path(names.clip));
  EXPECT_THAT(frames.size(), testing::AllOf(testing::Ge(87u), testing::Le(89u)));  // 2 to 5.5 s
  frames.push_back(PictureOf(Path(names.snapshot)));
  const Frame& clear = *FrameAt(4).frame;
  const double detail = Detail(clear, kWho), beside = Detail(clear, {220, 20, 310, 220});
  for (const FramePtr& frame : frames) {
    ASSERT_LT(Detail(*frame, kWho), detail / 30);
    ASSERT_GT(Detail(*frame, {220, 20, 310, 220}), beside / 3);
  }
}

TEST_F(Evidence, faces_hide_heads_and_bodies_stay) {
  Start();
  Redaction redaction;
  redaction.faces = true;
  recorder_->AddCamera(1, "gate", redaction);
  Feed(Video(), 0, kFar);
  const Box who{120, 40, 180, 220};
  Look(0, 8, {{SeenBox::Kind::kPerson, 1, who}});
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(4));
  recorder_->Finish();
  const Frame& clear = *FrameAt(4).frame;
  const Box head{122, 30, 178, 90}, legs{122, 150, 178, 215};
  for (const FramePtr& frame : FramesOf(Path(names.clip)))
    ASSERT_LT(Detail(*frame, head), Detail(clear, head) / 30);
  EXPECT_GT(Detail(*PictureOf(Path(names.snapshot)), legs), Detail(clear, legs) / 3);
}

TEST_F(Evidence, zones_are_hidden_always) {
  Start();
  Redaction redaction;
  redaction.zones = {{{0, 0}, {100, 0}, {100, 239}, {0, 239}}};
  recorder_->AddCamera(1, "gate", redaction);
  Feed(Video(), 0, kFar);
  Look(0, 8, {});
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(4));
  recorder_->Finish();
  const Frame& clear = *FrameAt(4).frame;
  const Box zone{0, 0, 98, 238};
  for (const FramePtr& frame : FramesOf(Path(names.clip)))
    ASSERT_LT(Detail(*frame, zone), Detail(clear, zone) / 30);
}

TEST_F(Evidence, what_nobody_analysed_is_hidden_whole) {
  options_.patience_s = 0.05;
  Start();
  Redaction redaction;
  redaction.faces = true;
  recorder_->AddCamera(1, "gate", redaction);
  Feed(Video(), 0, kFar);
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(4));
  ASSERT_TRUE(Await([&] { return recorder_->counts().snapshots == 1 && recorder_->counts().clips == 1; }));
  const Frame& clear = *FrameAt(4).frame;
  const Box all{0, 0, 320, 240};
  EXPECT_LT(Detail(*PictureOf(Path(names.snapshot)), all), Detail(clear, all) / 30);
  for (const FramePtr& frame : FramesOf(Path(names.clip)))
    ASSERT_LT(Detail(*frame, all), Detail(clear, all) / 30);
}

TEST_F(Evidence, redaction_that_comes_later_holds_for_clips_under_way) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4.5);
  const EvidenceNames names = recorder_->Record(1, "e", FrameAt(4));
  Redaction redaction;
  redaction.people = true;
  recorder_->AddCamera(1, "gate", redaction);
  Feed(Video(), 4.5, kFar);
  Look(4.5, 8, {});
  recorder_->Finish();
  const Box all{0, 0, 320, 240};
  // At 2 s nobody had looked.
  EXPECT_LT(Detail(*FramesOf(Path(names.clip)).at(0), all), Detail(*FrameAt(4).frame, all) / 30);
}

// The bytes of packets as they came lie in no file, not even for a moment.
TEST_F(Evidence, nothing_clear_touches_the_disk_on_the_way) {
  const fs::path out = folder_.path() / "out";
  fs::create_directory(out);
  Redaction redaction;
  redaction.people = true;
  SeenHistory seen(100, 10'000);
  for (int i = 0; i < 50; ++i) seen.Add(i * 0.2, {{SeenBox::Kind::kPerson, 1, kWho}});
  std::vector<std::string> pieces;
  for (const LivePacket& packet : Video())
    if (packet.packet->size > 200)
      pieces.emplace_back(reinterpret_cast<const char*>(packet.packet->data) + packet.packet->size / 2, 32);
  ASSERT_GT(pieces.size(), 50u);
  int looked = 0;
  uintmax_t largest = 0;
  const auto look = [&] {
    if (looked++ % 10 != 0) return true;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(entry.path(), out / "clip.mp4.partial");
      const std::string bytes = *ReadTextFile(entry.path(), 1 << 30);
      largest = std::max<uintmax_t>(largest, bytes.size());
      for (const std::string& piece : pieces) EXPECT_EQ(bytes.find(piece), std::string::npos);
    }
    return true;
  };
  ASSERT_TRUE(EncodeClip(Video(), {0, kFar}, redaction, seen, out / "clip.mp4", look).ok());
  EXPECT_GT(largest, 10'000u);
  EXPECT_GT(looked, 190);
  EXPECT_EQ(FramesOf(out / "clip.mp4").size(), 200u);
}

TEST_F(Evidence, real_footage_of_people_is_redacted) {
  SKIP_WITHOUT_ASSETS();
  const auto packets = PacketsOf(AssetsFolder() / "videos/nandini_pedestrians.mp4");
  const auto clear = FramesOf(AssetsFolder() / "videos/nandini_pedestrians.mp4");
  Redaction redaction;
  redaction.people = true;
  SeenHistory seen(100, 10'000);
  const Box who{200, 80, 420, 340};
  for (int i = 0; i < 50; ++i) seen.Add(i * 0.2, {{SeenBox::Kind::kPerson, 1, who}});
  const fs::path path = folder_.path() / "clip.mp4";
  ASSERT_TRUE(EncodeClip(packets, {0, kFar}, redaction, seen, path, [] { return true; }).ok());
  const auto frames = FramesOf(path);
  ASSERT_EQ(frames.size(), clear.size());
  for (size_t i = 0; i < frames.size(); i += 10)
    EXPECT_LT(Detail(*frames[i], who), Detail(*clear[i], who) / 10) << i;
}

// --- limits and trouble ---

TEST_F(Evidence, a_storm_of_events_is_bounded_and_counted) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, 4);
  int snapshots = 0, clips = 0;
  const auto begun = MonotonicClock::now();
  for (int i = 0; i < 100; ++i) {
    const EvidenceNames names = recorder_->Record(1, fmt::format("e{}", i), FrameAt(3));
    snapshots += names.snapshot.empty() ? 0 : 1;
    clips += names.clip.empty() ? 0 : 1;
  }
  EXPECT_GE(snapshots, 20);
  const double took_s = std::chrono::duration<double>(MonotonicClock::now() - begun).count();
  EXPECT_LE(snapshots, 20 + 2 * took_s + 1);
  EXPECT_GE(clips, 8);
  EXPECT_LE(clips, 8 + took_s / 5);
  recorder_->Finish();
  EXPECT_EQ(recorder_->counts().snapshots, static_cast<uint64_t>(snapshots));
  EXPECT_EQ(recorder_->counts().clips, static_cast<uint64_t>(clips));
  EXPECT_EQ(recorder_->counts().dropped, static_cast<uint64_t>(200 - snapshots - clips));
}

TEST_F(Evidence, rings_of_200_cameras_stay_within_their_bytes) {
  options_.rings_bytes_max = 10 << 20;
  options_.before_s = 60;
  Start();
  for (int64_t camera = 0; camera < 200; ++camera)
    recorder_->AddCamera(camera, fmt::format("c{}", camera), {});
  for (const LivePacket& packet : Video()) {
    for (int64_t camera = 0; camera < 200; ++camera) recorder_->OnPacket(camera, packet);
    ASSERT_LE(recorder_->counts().ring_bytes, options_.rings_bytes_max);
  }
  EXPECT_GT(recorder_->counts().ring_bytes, options_.rings_bytes_max / 4);
}

TEST_F(Evidence, the_folder_stays_within_its_bytes_and_the_latest_stay) {
  options_.folder_bytes_max = 400'000;
  Start();
  Feed(Video(), 0, 1);
  for (int64_t camera = 0; camera < 10; ++camera) {
    recorder_->AddCamera(camera, fmt::format("c{}", camera), {});
    Feed(Video(), 0, kFar, camera);
    recorder_->Record(camera, "e", FrameAt(4));
  }
  recorder_->Finish();
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(options_.folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  EXPECT_LE(bytes, options_.folder_bytes_max);
  EXPECT_EQ(recorder_->counts().bytes, bytes);
  EXPECT_GT(recorder_->counts().removed, 0u);
  EXPECT_TRUE(fs::exists(Path("c9/2026-11-28/e.mp4")));
  EXPECT_FALSE(fs::exists(Path("c0/2026-11-28/e.mp4")));
}

TEST_F(Evidence, a_disk_that_takes_no_more_is_counted_and_then_it_goes_on) {
  Start();
  recorder_->AddCamera(1, "gate", {});
  Feed(Video(), 0, kFar);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto restore = absl::MakeCleanup([&] { setrlimit(RLIMIT_FSIZE, &before); });
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  recorder_->Record(1, "e1", FrameAt(4));
  Redaction redaction;
  redaction.people = true;
  ASSERT_TRUE(Await([&] { return recorder_->counts().failed == 2; }));
  recorder_->AddCamera(1, "gate", redaction);
  Look(0, 8, {});
  recorder_->Record(1, "e2", FrameAt(4));
  ASSERT_TRUE(Await([&] { return recorder_->counts().failed == 4; }));
  for (const auto& entry : fs::recursive_directory_iterator(options_.folder))
    EXPECT_FALSE(entry.is_regular_file()) << entry;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  recorder_->Record(1, "e3", FrameAt(4));
  recorder_->Finish();
  EXPECT_EQ(recorder_->counts().snapshots, 1u);
  EXPECT_EQ(recorder_->counts().clips, 1u);
}

TEST_F(Evidence, garbage_never_crashes) {
  options_.patience_s = 0.05;
  options_.after_s = 0;
  Start();
  const uint32_t seed = 20'261'128;
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed);
  for (int64_t camera = 0; camera < 12; ++camera) {
    Redaction redaction;
    redaction.people = camera % 2 == 1;
    recorder_->AddCamera(camera, "gate", redaction);
    for (const LivePacket& packet : Video()) {
      AVPacket* broken = av_packet_clone(packet.packet.get());
      ASSERT_GE(av_packet_make_writable(broken), 0);
      for (int i = 0; i < broken->size; ++i)
        if (random() % (camera < 6 ? 50 : 2) == 0) broken->data[i] = static_cast<uint8_t>(random());
      if (random() % 4 == 0)
        broken->size = 1 + static_cast<int>(random() % static_cast<uint32_t>(broken->size));
      LivePacket live = packet;
      live.packet = std::shared_ptr<AVPacket>(broken, [](AVPacket* p) { av_packet_free(&p); });
      live.key |= camera % 3 == 0;
      recorder_->OnPacket(camera, live);
      recorder_->OnPacket(camera, {});
    }
    recorder_->OnSeen(camera, 4, {});
    recorder_->Record(camera, "", FrameAt(4));
    recorder_->Record(camera, "empty", {});
    recorder_->OnPacket(99, Video()[0]);
  }
  recorder_->Finish();
  const auto counts = recorder_->counts();
  EXPECT_EQ(counts.snapshots, 12u);
  EXPECT_EQ(counts.clip_bytes, 0u);
}

TEST_F(Evidence, finishing_takes_no_longer_than_it_may) {
  options_.finish_s_max = 0;
  Start();
  Redaction redaction;
  redaction.people = true;
  for (int64_t camera = 0; camera < 50; ++camera) {
    recorder_->AddCamera(camera, fmt::format("c{}", camera), redaction);
    Feed(Video(), 0, kFar, camera);
    recorder_->Record(camera, "e", FrameAt(4));
  }
  const auto begun = MonotonicClock::now();
  recorder_->Finish();
  EXPECT_LT(MonotonicClock::now() - begun, std::chrono::seconds(10));
  EXPECT_GT(recorder_->counts().dropped, 40u);
  EXPECT_EQ(recorder_->Record(1, "late", FrameAt(4)).snapshot, "");
  for (const auto& entry : fs::recursive_directory_iterator(options_.folder))
    EXPECT_NE(entry.path().extension(), ".partial");
}

TEST_F(Evidence, threads_do_not_get_in_each_others_way) {
  Start();
  std::vector<std::jthread> threads;
  for (int64_t camera = 0; camera < 4; ++camera) {
    threads.emplace_back([this, camera] {
      for (int round = 0; round < 5; ++round) {
        Redaction redaction;
        redaction.faces = round % 2 == 1;
        recorder_->AddCamera(camera, "c", redaction);
        for (const LivePacket& packet : Video()) recorder_->OnPacket(camera, packet);
        recorder_->OnSeen(camera, 3, {{SeenBox::Kind::kPerson, 1, kWho}});
        recorder_->Record(camera, fmt::format("{}-{}", camera, round), FrameAt(3));
        if (round % 2 == 0) recorder_->RemoveCamera(camera);
        (void)recorder_->counts();
      }
    });
  }
  threads.clear();
  recorder_->Finish();
  EXPECT_EQ(recorder_->counts().failed, 0u);
}

TEST_F(Evidence, options_that_cannot_be_are_refused) {
  options_.before_s = -1;
  EXPECT_FALSE(EvidenceRecorder::Create(options_).ok());
  options_.before_s = 1;
  options_.snapshot_quality = 0;
  EXPECT_FALSE(EvidenceRecorder::Create(options_).ok());
}

}  // namespace
}  // namespace sightline::cameras
