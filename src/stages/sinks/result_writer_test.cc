#include "stages/sinks/result_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "stages/sinks/row_text.h"

namespace sightline::sinks {
namespace {

using nlohmann::ordered_json;

std::string JsonOf(const ResultRow& row) {
  std::string text;
  AppendJsonRow(row, &text);
  return text;
}

std::string CsvOf(const ResultRow& row) {
  std::string scratch, text;
  AppendCsvRow(row, &scratch, &text);
  return text;
}

// A row with every field filled; what it borrows lives as long as this.
struct FullRow {
  std::vector<Attribute> attributes = {{"gender", "female", std::numeric_limits<float>::quiet_NaN(), 0.98f},
                                       {"age", "", 31.5f, std::numeric_limits<float>::quiet_NaN()}};
  std::vector<Keypoint> keypoints = {{1.25f, 2, 0.5f}, {3.999f, -0.004f, 1}};
  Mask mask{{10, 20, 13, 22}, {1, 2, 3}};
  std::vector<float> embedding = {0.1f, -2e-8f};
  ResultRow row;
  FullRow() {
    row.source = "a/b.jpg";
    row.frame = 7;
    row.time_s = 0.1;
    row.step = "faces";
    row.kind = ResultKind::kTrack;
    row.label = "face";
    row.score = 0.75f;
    row.box = Box{1, 2.5f, 3.456f, 1000.125f};
    row.track_id = 12;
    row.attributes = attributes;
    row.keypoints = keypoints;
    row.mask = &mask;
    row.embedding = embedding;
    row.model = "yunet@1";
  }
};

TEST(JsonRow, has_every_field_in_the_documented_order) {
  const ordered_json row = ordered_json::parse(JsonOf(FullRow().row));
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items()) names.push_back(name);
  EXPECT_EQ(Join(names, " "),
            "source frame time_s step kind label score box track_id attributes keypoints mask embedding "
            "model error");
  std::vector<std::string> empty_names;
  const ordered_json empty_row = ordered_json::parse(JsonOf({}));
  for (const auto& [name, value] : empty_row.items()) empty_names.push_back(name);
  EXPECT_EQ(names, empty_names);
}

TEST(JsonRow, says_exactly_what_the_row_holds) {
  EXPECT_EQ(
      JsonOf(FullRow().row),
      R"({"source":"a/b.jpg","frame":7,"time_s":0.1,"step":"faces","kind":"track","label":"face","score":0.75,)"
      R"("box":[1,2.5,3.46,1000.13],"track_id":12,)"
      R"("attributes":{"gender":{"value":"female","score":0.98},"age":{"value":31.5,"score":null}},)"
      R"("keypoints":[[1.25,2,0.5],[4,0,1]],"mask":{"area":[10,20,13,22],"runs":[1,2,3]},)"
      R"("embedding":[0.1,-2e-08],"model":"yunet@1","error":null})"
      "\n");
}

TEST(JsonRow, absent_fields_are_null) {
  ResultRow row;
  row.source = "x.png";
  row.kind = ResultKind::kError;
  row.error = "the file is empty";
  const ordered_json parsed = ordered_json::parse(JsonOf(row));
  for (const char* name : {"time_s", "step", "label", "score", "box", "track_id", "attributes", "keypoints",
                           "mask", "embedding", "model"}) {
    EXPECT_TRUE(parsed[name].is_null()) << name;
  }
  EXPECT_EQ(parsed["error"], "the file is empty");
  EXPECT_EQ(parsed["frame"], 0);
}

TEST(JsonRow, any_bytes_make_valid_json) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  ResultRow row;
  row.source = bytes;
  row.label = "\xE6\xBC\xA2\xE5\xAD\x97 \"\\\n";
  const ordered_json parsed = ordered_json::parse(JsonOf(row));
  EXPECT_EQ(parsed["label"], "\xE6\xBC\xA2\xE5\xAD\x97 \"\\\n");
  EXPECT_EQ(parsed["source"].get<std::string>().substr(0, 128), bytes.substr(0, 128));
}

TEST(JsonRow, numbers_read_back_as_the_same_numbers) {
  for (const double value : {1.0 / 3, 0.1, 1e-300, 123456789.123456789, 5e-324, 1.7976931348623157e308}) {
    ResultRow row;
    row.time_s = value;
    EXPECT_EQ(ordered_json::parse(JsonOf(row))["time_s"].get<double>(), value);
  }
  for (const float value : {1.f / 3, 0.87654321f, 1e-40f, 3.4e38f}) {
    ResultRow row;
    row.score = value;
    EXPECT_EQ(static_cast<float>(ordered_json::parse(JsonOf(row))["score"].get<double>()), value);
  }
}

TEST(JsonRow, numbers_that_json_cannot_say_are_null) {
  ResultRow row;
  row.score = std::numeric_limits<float>::quiet_NaN();
  row.time_s = std::numeric_limits<double>::infinity();
  row.box = Box{0, -std::numeric_limits<float>::infinity(), 3e38f, 1};
  const ordered_json parsed = ordered_json::parse(JsonOf(row));
  EXPECT_TRUE(parsed["score"].is_null());
  EXPECT_TRUE(parsed["time_s"].is_null());
  EXPECT_TRUE(parsed["box"][1].is_null());
}

TEST(JsonRow, pixels_are_within_half_a_hundredth) {
  for (int i = -2000; i < 2000; ++i) {
    const float value = static_cast<float>(i) * 0.737f;
    ResultRow row;
    row.box = Box{value, 0, 0, 0};
    EXPECT_NEAR(ordered_json::parse(JsonOf(row))["box"][0].get<double>(), value, 0.00501);
  }
}

TEST(JsonRow, of_attributes_with_one_name_the_first_is_kept) {
  const std::vector<Attribute> attributes = {{"age", "old"}, {"age", "young"}, {"hat", "no"}};
  ResultRow row;
  row.attributes = attributes;
  EXPECT_EQ(ordered_json::parse(JsonOf(row))["attributes"].dump(),
            R"({"age":{"value":"old","score":null},"hat":{"value":"no","score":null}})");
}

TEST(CsvRow, quotes_only_what_needs_it_and_keeps_text_exact) {
  ResultRow row;
  row.source = "=1+1, \"quoted\"\r\nname.jpg";
  row.label = "-plain text";
  row.score = 0.5f;
  EXPECT_EQ(CsvOf(row), "\"=1+1, \"\"quoted\"\"\r\nname.jpg\",0,,,detection,-plain text,0.5,,,,,,,,\r\n");
}

TEST(CsvRow, lists_are_json_in_their_cell) {
  EXPECT_EQ(
      CsvOf(FullRow().row),
      "a/b.jpg,7,0.1,faces,track,face,0.75,\"[1,2.5,3.46,1000.13]\",12,"
      "\"{\"\"gender\"\":{\"\"value\"\":\"\"female\"\",\"\"score\"\":0.98},"
      "\"\"age\"\":{\"\"value\"\":31.5,\"\"score\"\":null}}\","
      "\"[[1.25,2,0.5],[4,0,1]]\",\"{\"\"area\"\":[10,20,13,22],\"\"runs\"\":[1,2,3]}\",\"[0.1,-2e-08]\","
      "yunet@1,\r\n");
}

TEST(CsvRow, header_names_the_columns) {
  std::string header;
  AppendCsvHeader(&header);
  EXPECT_EQ(
      header,
      "source,frame,time_s,step,kind,label,score,box,track_id,attributes,keypoints,mask,embedding,model,"
      "error\r\n");
}

using CreateWriter = absl::StatusOr<std::unique_ptr<ResultWriter>> (*)(const std::filesystem::path&);

class TextWriter : public ::testing::TestWithParam<CreateWriter> {
 protected:
  std::unique_ptr<ResultWriter> MustCreate(const std::filesystem::path& path) {
    auto writer = GetParam()(path);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return std::move(*writer);
  }
  const TemporaryFolder folder_ = *TemporaryFolder::Create();
};

TEST_P(TextWriter, file_appears_with_finish_and_not_before) {
  const auto path = folder_.path() / "out.txt";
  auto writer = MustCreate(path);
  const FullRow full;
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(writer->Write(full.row).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(writer->Finish().ok());
  const std::string text = *ReadTextFile(path, 1 << 30);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_TRUE(lines == 5000 || lines == 5001) << lines;  // CSV has a header
}

TEST_P(TextWriter, leaves_nothing_when_it_is_not_finished) {
  {
    auto writer = MustCreate(folder_.path() / "out.txt");
    ASSERT_TRUE(writer->Write(FullRow().row).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_P(TextWriter, full_device_is_an_error_and_stays_one) {
  const auto path = folder_.path() / "full";
  std::filesystem::create_symlink("/dev/full", path);
  auto writer = GetParam()(path);
  absl::Status status = writer.status();
  if (writer.ok()) {
    status = (*writer)->Write(FullRow().row);
    EXPECT_FALSE((*writer)->Finish().ok());
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(MessageOf(status).find("No space left"), std::string_view::npos) << status;
}

TEST_P(TextWriter, file_that_cannot_grow_is_an_error_and_leaves_nothing) {
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{100'000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto restore = absl::MakeCleanup([&] {
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, ignored);
  });
  absl::Status status;
  {
    auto writer = MustCreate(folder_.path() / "out.txt");
    const FullRow full;
    for (int i = 0; i < 5000 && status.ok(); ++i) status = writer->Write(full.row);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(writer->Finish(), status);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_P(TextWriter, closed_pipe_is_an_error_not_a_signal) {
  const auto ignored = signal(SIGPIPE, SIG_IGN);
  const auto path = folder_.path() / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  auto writer = MustCreate(path);
  ASSERT_TRUE(writer->Write(FullRow().row).ok());
  char byte = 0;
  EXPECT_EQ(read(reader, &byte, 1), 1);  // a row is there as soon as it is written
  close(reader);
  const absl::Status status = writer->Write(FullRow().row);
  EXPECT_NE(MessageOf(status).find("Broken pipe"), std::string_view::npos) << status;
  EXPECT_FALSE(writer->Finish().ok());
  signal(SIGPIPE, ignored);
}

TEST_P(TextWriter, folder_or_missing_folder_is_an_error) {
  EXPECT_EQ(GetParam()(folder_.path()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetParam()(folder_.path() / "no" / "out").status().code(), absl::StatusCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Writers, TextWriter, ::testing::Values(&CreateJsonLinesWriter, &CreateCsvWriter),
                         [](const auto& values) { return values.index == 0 ? "json_lines" : "csv"; });

}  // namespace
}  // namespace sightline::sinks
