#include <gtest/gtest.h>

#include "base/count_allocations.h"
#include "stages/postprocess/head.h"

namespace sightline::postprocess {
namespace {

TEST(HeadTest, detectors_allocate_nothing_once_warm) {
  constexpr int kCells = 20 * 16 + 10 * 8 + 5 * 4, kColumns = 7;  // YOLOX with two classes on 160 x 128
  GraphSignature graph;
  graph.outputs.push_back({"output", ElementType::kFloat32, {-1, -1, kColumns}, {"", "", ""}});
  const auto head = FindHeadFamily("yolox")->create(ModelCard(), graph);
  ASSERT_TRUE(head.ok()) << head.status();
  std::vector<float> values(size_t{kCells} * kColumns, 0.f);
  const float box[kColumns] = {0.5f, 0.5f, 1.1f, 0.7f, 0.75f, 0.f, 1.f};
  std::copy(box, box + kColumns, values.begin() + 21 * kColumns);
  const TensorView view = {ElementType::kFloat32, {1, kCells, kColumns}, values.data()};
  InputTransform transform;
  transform.input = transform.source = {160, 128};
  Head::Scratch scratch;
  HeadResult result;
  const auto decode = [&] { return (*head)->Decode({&view, 1}, 0, transform, &scratch, &result).ok(); };
  ASSERT_TRUE(decode());
  const int64_t before = allocations_of_this_thread;
  const bool ok = decode() && decode();
  const int64_t allocations = allocations_of_this_thread - before;
  EXPECT_TRUE(ok);
  EXPECT_EQ(result.detections.size(), 1u);
  EXPECT_EQ(allocations, 0);
  EXPECT_GT(before, 0);  // the counter counts
}

}  // namespace
}  // namespace sightline::postprocess
