// Streams of files and of simulated cameras.
extern "C" {
#include <libavcodec/packet.h>
}

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "cameras/stream/test_observer.h"

namespace sightline::cameras {
namespace {

class FileStream : public testing::Test {
 protected:
  // A clip of `frames` frames at 25 a second with B frames and a keyframe each second.
  std::string Clip(const std::string& name, int frames, const std::string& more = "") {
    const std::string path = folder_.path() / name;
    Shell(fmt::format(
        "ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=25 -frames:v {} -c:v libx264 -g 25 -bf 2 "
        "-pix_fmt yuv420p {} '{}'",
        frames, more, path));
    return path;
  }
  static SourceOptions Fast(const std::string& path) {
    SourceOptions options;
    options.address = path;
    options.real_time = false;
    return options;
  }
  std::unique_ptr<CameraStream> Stream(SourceOptions options, StreamContext context = {}) {
    return CameraStream::Create(std::move(options), std::move(context), &observer_).value();
  }

  TemporaryFolder folder_ = TemporaryFolder::Create().value();
  TestObserver observer_;
};

TEST_F(FileStream, a_file_as_fast_as_it_goes_gives_every_frame_and_ends) {
  auto stream = Stream(Fast(Clip("a.mp4", 60)));
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  const auto seen = observer_.seen();
  ASSERT_EQ(seen.frames.size(), 60u);
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(seen.frames[i].index, static_cast<int64_t>(i));
    EXPECT_EQ(seen.frames[i].epoch, 1u);
    EXPECT_NEAR(seen.frames[i].stream_s, seen.frames[0].stream_s + static_cast<double>(i) * 0.04, 1e-3);
  }
  const StreamStatus status = stream->status();
  EXPECT_EQ(status.codec, "h264");
  EXPECT_EQ(status.size, (Size{160, 120}));
  EXPECT_EQ(status.frames, 60u);
  EXPECT_EQ(status.packets, 60u);
  EXPECT_EQ(status.connects, 1u);
  EXPECT_GT(status.bytes, 1000u);
  EXPECT_GT(status.decode_cpu_s, 0);
  EXPECT_TRUE(status.last_error.ok()) << status.last_error;
}

TEST_F(FileStream, packets_come_with_one_track_and_rising_times) {
  auto stream = Stream(Fast(Clip("a.mp4", 60)));
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  const auto seen = observer_.seen();
  ASSERT_EQ(seen.packets.size(), 60u);
  for (size_t i = 0; i < 60; ++i) {
    const LivePacket& packet = seen.packets[i];
    EXPECT_EQ(packet.track, seen.packets[0].track);
    EXPECT_EQ(packet.key, i % 25 == 0) << i;
    const double unit =
        static_cast<double>(packet.track->time_base_num) / static_cast<double>(packet.track->time_base_den);
    EXPECT_NEAR(static_cast<double>(packet.packet->pts) * unit, packet.stream_s, 1e-6);
    if (i > 0) {
      EXPECT_GT(packet.packet->dts, seen.packets[i - 1].packet->dts);
    }
  }
}

TEST_F(FileStream, a_looped_file_goes_on_in_time_with_a_new_epoch) {
  SourceOptions options = Fast(Clip("a.mp4", 10));
  options.loop = true;
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitForFrames(95));
  const StreamStatus status = stream->status();
  stream.reset();
  const auto seen = observer_.seen();
  for (size_t i = 0; i < 95; ++i) {
    EXPECT_EQ(seen.frames[i].epoch, 1 + i / 10) << i;
    EXPECT_EQ(seen.frames[i].index, static_cast<int64_t>(i));
    if (i > 0) {
      EXPECT_NEAR(seen.frames[i].stream_s - seen.frames[i - 1].stream_s, 0.04, 0.085) << i;
      EXPECT_GT(seen.frames[i].stream_s, seen.frames[i - 1].stream_s);
    }
  }
  EXPECT_EQ(status.connects, 1u);
  EXPECT_EQ(status.state, StreamState::kLive);
}

// Takes a frame only every so often.
class SlowObserver : public TestObserver {
 public:
  bool IsReady(double seconds) override {
    absl::MutexLock lock(&mutex_);
    const auto taken = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return room_ > 0; };
    return mutex_.AwaitWithTimeout(absl::Condition(&taken), absl::Seconds(seconds));
  }
  void OnFrame(const LiveFrame& frame) override {
    EXPECT_TRUE(frame.patient);
    {
      absl::MutexLock lock(&mutex_);
      EXPECT_GT(room_--, 0);
    }
    TestObserver::OnFrame(frame);
  }
  void Take(int frames) {
    absl::MutexLock lock(&mutex_);
    room_ += frames;
  }

 private:
  absl::Mutex mutex_;
  int room_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(FileStream, as_fast_as_it_goes_waits_for_who_takes_the_frames) {
  SlowObserver slow;
  auto stream = CameraStream::Create(Fast(Clip("a.mp4", 60)), {}, &slow).value();
  slow.Take(7);
  ASSERT_TRUE(slow.WaitForFrames(7));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(slow.seen().frames.size(), 7u);
  slow.Take(53);
  ASSERT_TRUE(slow.WaitForState(StreamState::kEnded));
  EXPECT_EQ(slow.seen().frames.size(), 60u);
  stream = CameraStream::Create(Fast(Clip("b.mp4", 60)), {}, &slow).value();
  slow.Take(1);
  ASSERT_TRUE(slow.WaitForFrames(61));
  const MonotonicTime begin = MonotonicClock::now();
  stream.reset();  // it waits, and ends all the same
  EXPECT_LT(SecondsSince(begin), 1);
}

TEST_F(FileStream, in_real_time_frames_come_when_they_are_due) {
  SourceOptions options = Fast(Clip("a.mp4", 38));
  options.real_time = true;
  const MonotonicTime begin = MonotonicClock::now();
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  EXPECT_GT(SecondsSince(begin), 1.35);
  const auto seen = observer_.seen();
  EXPECT_EQ(seen.frames.size(), 38u);
  EXPECT_NEAR(stream->status().frames_per_second, 25, 5);
  for (const LiveFrame& frame : seen.frames) {
    const double came = std::chrono::duration<double>(frame.arrived - seen.frames[0].arrived).count();
    EXPECT_NEAR(came, frame.stream_s - seen.frames[0].stream_s, 0.13);  // B frames come in another order
  }
}

TEST_F(FileStream, frames_come_at_the_wanted_interval) {
  SourceOptions options = Fast(Clip("a.mp4", 250));
  options.loop = true;
  auto stream = Stream(options);
  stream->SetDemand(decode::Economy::kReferences, 0.2);
  ASSERT_TRUE(observer_.WaitForFrames(20));
  observer_.Forget();
  ASSERT_TRUE(observer_.WaitForFrames(40));
  const auto seen = observer_.seen();
  EXPECT_NEAR(seen.frames[39].stream_s - seen.frames[0].stream_s, 39 * 0.2, 0.6);
}

TEST_F(FileStream, keyframe_mode_decodes_keyframes_alone) {
  SourceOptions options = Fast(Clip("a.mp4", 250));
  options.loop = true;
  auto stream = Stream(options);
  stream->SetDemand(decode::Economy::kKeyframes, 1);
  ASSERT_TRUE(observer_.WaitFor([](const auto& seen) { return seen.packets.size() > 600; }));
  const StreamStatus before = stream->status();
  ASSERT_TRUE(observer_.WaitFor([&](const auto& seen) { return seen.packets.size() > 600 + 2500; }));
  const StreamStatus after = stream->status();
  const auto packets = after.packets - before.packets, frames = after.frames - before.frames;
  EXPECT_NEAR(static_cast<double>(frames), static_cast<double>(packets) / 25,
              static_cast<double>(packets) / 25);
  EXPECT_GT(frames, packets / 60);
}

TEST_F(FileStream, a_pause_closes_the_file_and_resuming_begins_again) {
  SourceOptions options = Fast(Clip("a.mp4", 250));
  options.real_time = true;
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitForFrames(5));
  stream->SetPaused(true);
  ASSERT_TRUE(observer_.WaitForState(StreamState::kPaused, 1));
  const size_t frames = observer_.seen().frames.size();
  stream->SetPaused(false);
  ASSERT_TRUE(observer_.WaitForFrames(frames + 5));
  EXPECT_EQ(observer_.seen().frames.size() > frames, true);
  EXPECT_EQ(observer_.seen().frames.back().epoch, 2u);
  EXPECT_EQ(stream->status().connects, 2u);
}

TEST_F(FileStream, files_that_are_no_video_are_tried_again_and_say_why) {
  ASSERT_TRUE(WriteFileAtomically(folder_.path() / "text.mp4", std::string(10'000, 'x')).ok());
  SourceOptions options = Fast(folder_.path() / "text.mp4");
  options.back_off_max_s = 0.01;
  auto stream = Stream(options);
  ASSERT_TRUE(observer_.WaitFor([](const auto& seen) { return seen.states.size() >= 6; }));
  EXPECT_TRUE(absl::IsDataLoss(stream->status().last_error)) << stream->status().last_error;
  EXPECT_EQ(stream->status().connects, 0u);
}

TEST_F(FileStream, a_file_that_is_cut_ends_with_what_it_has_and_says_so) {
  Bytes bytes;
  ASSERT_TRUE(ReadFile(Clip("a.mp4", 100, "-movflags +faststart"), 1 << 30, &bytes).ok());
  const std::string cut(reinterpret_cast<const char*>(bytes.data()), bytes.size() * 2 / 3);
  ASSERT_TRUE(WriteFileAtomically(folder_.path() / "cut.mp4", cut).ok());
  auto stream = Stream(Fast(folder_.path() / "cut.mp4"));
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  EXPECT_GT(observer_.seen().frames.size(), 10u);
  EXPECT_TRUE(absl::IsDataLoss(stream->status().last_error)) << stream->status().last_error;
}

TEST_F(FileStream, devices_that_are_no_cameras_say_so) {
  const auto missing = ProbeStream(Fast("/dev/video97"), {}, 1);
  EXPECT_TRUE(absl::IsNotFound(missing.status())) << missing.status();
  const auto none = ProbeStream(Fast("/dev/video_no_such"), {}, 1);
  EXPECT_TRUE(absl::IsNotFound(none.status())) << none.status();
}

TEST_F(FileStream, many_streams_share_a_gate_of_one_turn) {
  StreamContext context;
  context.gate = DecodeGate::Create(1);
  const std::string clip = Clip("a.mp4", 50);
  std::vector<std::unique_ptr<TestObserver>> observers;
  std::vector<std::unique_ptr<CameraStream>> streams;
  for (int i = 0; i < 20; ++i) {
    observers.push_back(std::make_unique<TestObserver>());
    streams.push_back(CameraStream::Create(Fast(clip), context, observers.back().get()).value());
  }
  for (auto& observer : observers) {
    ASSERT_TRUE(observer->WaitForState(StreamState::kEnded, 30));
    EXPECT_EQ(observer->seen().frames.size(), 50u);
  }
}

TEST_F(FileStream, a_stream_that_waits_for_a_turn_can_be_removed) {
  StreamContext context;
  context.gate = DecodeGate::Create(1);
  ASSERT_TRUE(context.gate->Enter([] { return false; }));  // and is never left by this test till the end
  auto stream = Stream(Fast(Clip("a.mp4", 50)), context);
  ASSERT_TRUE(observer_.WaitFor([](const auto& seen) { return !seen.packets.empty(); }));
  const MonotonicTime begin = MonotonicClock::now();
  stream.reset();
  EXPECT_LT(SecondsSince(begin), 0.5);
  context.gate->Leave();
}

TEST(DecodeGate, turns_go_to_who_waits_longest) {
  auto gate = DecodeGate::Create(1);
  ASSERT_TRUE(gate->Enter([] { return false; }));
  EXPECT_FALSE(gate->Enter([] { return true; }));  // given up: no turn taken
  gate->Leave();
  EXPECT_TRUE(gate->Enter([] { return true; }));  // a free turn is taken
  gate->Leave();
}

// A source of grey frames; the third is lost.
class GreySource final : public FrameSource {
 public:
  explicit GreySource(int frames) : frames_(frames) { format_.frames_per_second = 50; }
  const SourceFormat& format() const override { return format_; }
  absl::StatusOr<SourceFrame> Next() override {
    if (next_ >= frames_) return absl::OutOfRangeError("the end");
    const int index = next_++;
    if (index == 2) return absl::DataLossError("lost");
    auto frame = std::make_shared<Frame>();
    frame->Allocate(PixelFormat::kGray8, {64, 48});
    frame->time_s = index * 0.02;
    return SourceFrame{std::move(frame), index};
  }

 private:
  SourceFormat format_;
  const int frames_;
  int next_ = 0;
};

TEST_F(FileStream, simulated_cameras_give_their_frames_in_real_time) {
  StreamContext context;
  context.open_simulated = [](const ingest::Input& input) -> absl::StatusOr<std::unique_ptr<FrameSource>> {
    EXPECT_EQ(input.address, "sim:grey");
    return std::make_unique<GreySource>(50);
  };
  SourceOptions options;
  options.address = "sim:grey";
  const MonotonicTime begin = MonotonicClock::now();
  auto stream = Stream(options, context);
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  EXPECT_GT(SecondsSince(begin), 0.9);
  const auto seen = observer_.seen();
  ASSERT_EQ(seen.frames.size(), 49u);
  EXPECT_NEAR(seen.frames.back().stream_s, 49 * 0.02, 1e-3);
  EXPECT_EQ(stream->status().damaged, 1u);
  EXPECT_EQ(stream->status().size, (Size{64, 48}));
}

TEST_F(FileStream, simulated_cameras_that_do_not_open_are_tried_again) {
  StreamContext context;
  int attempts = 0;
  context.open_simulated = [&](const ingest::Input&) -> absl::StatusOr<std::unique_ptr<FrameSource>> {
    if (++attempts < 3) return absl::UnavailableError("not yet");
    return std::make_unique<GreySource>(5);
  };
  SourceOptions options;
  options.address = "sim:grey";
  options.back_off_max_s = 0.01;
  auto stream = Stream(options, context);
  ASSERT_TRUE(observer_.WaitForState(StreamState::kEnded));
  EXPECT_EQ(stream->status().connects, 1u);
}

}  // namespace
}  // namespace sightline::cameras
