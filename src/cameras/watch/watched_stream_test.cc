#include "cameras/watch/watched_stream.h"

#include <gtest/gtest.h>

#include "cameras/watch/test_street.h"

namespace sightline::cameras {
namespace {

constexpr int kCar = 3;

class WatchedStreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { engine_ = new std::shared_ptr<const pipeline::Engine>(StreetEngine()); }
  static void TearDownTestSuite() { delete engine_; }

  WatchedStreamTest() : times_((*engine_)->steps()), runner_(*engine_, &times_), stream_(TestCamera()) {}

  static WatchedCamera TestCamera() {
    WatchedCamera camera;
    camera.name = "test";
    camera.engine = *engine_;
    camera.rules.push_back(std::make_shared<LifeRule>());
    return camera;
  }

  // A car where it is said to be seen; `status`: of the detector.
  absl::Span<const rules::Object> Frame(std::optional<Box> seen, const track::Looked& looked,
                                        uint32_t epoch = 0, absl::Status status = absl::OkStatus()) {
    LiveFrame frame = GreyFrame(pool_, index_, {640, 360}, epoch);
    frame.stream_s = 0.2 * static_cast<double>(index_++);
    stream_.Plan(frame);
    result_.Clear(2);
    if (seen) {
      Detection& detection = result_.steps[0].detections.emplace_back();
      detection.box = *seen;
      detection.score = 0.9f;
      detection.class_id = kCar;
    }
    result_.status = std::move(status);
    stream_.Conclude(frame, looked, {}, runner_, &result_);
    return stream_.objects();
  }

  static std::shared_ptr<const pipeline::Engine>* engine_;
  const track::Looked whole_{true, {}}, nowhere_{false, {}};
  const Box car_{200, 100, 280, 150};
  FramePool pool_;
  pipeline::StageTimes times_;
  pipeline::StepRunner runner_;
  WatchedStream stream_;
  pipeline::FrameResult result_;
  int64_t index_ = 0;
};
std::shared_ptr<const pipeline::Engine>* WatchedStreamTest::engine_ = nullptr;

TEST_F(WatchedStreamTest, knows_which_step_to_steer) {
  EXPECT_EQ(stream_.steps().detect, 0);
  EXPECT_EQ(stream_.steps().track, 1);
  EXPECT_TRUE(stream_.steps().steerable);
}

TEST_F(WatchedStreamTest, tracks_go_on_where_nobody_looked_and_end_where_they_were_looked_for_in_vain) {
  Frame(car_, whole_);
  auto objects = Frame(car_, whole_);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].label, "car");
  EXPECT_TRUE(objects[0].seen);
  const int64_t id = objects[0].id;
  for (int i = 0; i < 12; ++i) {  // longer than a track that is missed lives
    objects = Frame(std::nullopt, nowhere_);
    ASSERT_EQ(objects.size(), 1u);
    EXPECT_EQ(objects[0].id, id);
    EXPECT_FALSE(objects[0].seen);
    EXPECT_GT(IntersectionOverUnion(objects[0].box, car_), 0.9f);
  }
  const Box elsewhere{0, 0, 100, 100};
  EXPECT_EQ(Frame(std::nullopt, {false, absl::MakeConstSpan(&elsewhere, 1)}).size(), 1u);
  objects = Frame(std::nullopt, whole_);
  ASSERT_EQ(objects.size(), 1u) << "once may be the detector's fault";
  EXPECT_FALSE(objects[0].seen);
  EXPECT_TRUE(Frame(std::nullopt, whole_).empty());
  objects = Frame(car_, whole_);
  ASSERT_EQ(objects.size(), 1u) << "and are found again";
  EXPECT_EQ(objects[0].id, id);
}

TEST_F(WatchedStreamTest, a_detector_that_fails_has_not_looked) {
  Frame(car_, whole_);
  const int64_t id = Frame(car_, whole_)[0].id;
  const auto objects = Frame(Box{0, 0, 50, 50}, whole_, 0, absl::InternalError("no"));
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].id, id);
  EXPECT_FALSE(objects[0].seen);
  EXPECT_FALSE(result_.status.ok());
  EXPECT_TRUE(result_.steps[0].detections.empty()) << "half a result is none";
}

TEST_F(WatchedStreamTest, no_id_is_given_twice_though_epochs_begin_anew) {
  Frame(car_, whole_);
  const int64_t first = Frame(car_, whole_)[0].id;
  EXPECT_TRUE(Frame(car_, whole_, 1).empty()) << "a new epoch knows nothing of the old";
  ASSERT_EQ(stream_.events().size(), 2u);
  EXPECT_EQ(stream_.events()[0].phase, EventPhase::kEnd);
  const auto objects = Frame(car_, whole_, 1);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_GT(objects[0].id, first);
  EXPECT_EQ(result_.steps[1].detections[0].track_id, objects[0].id);
}

}  // namespace
}  // namespace sightline::cameras
