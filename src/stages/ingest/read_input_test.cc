#include "stages/ingest/read_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/net/test_server.h"
#include "base/status.h"

namespace sightline::ingest {
namespace {

using absl::StatusCode;

Input File(const std::string& path) { return {path, path, InputKind::kFile, absl::OkStatus()}; }
Input Url(const std::string& url) { return {url, url, InputKind::kUrl, absl::OkStatus()}; }

TEST(ReadInput, files_are_read_whole_within_the_limit) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  const std::string path = folder->path() / "a";
  ASSERT_TRUE(WriteFileAtomically(path, "0123456789").ok());
  Bytes bytes;
  ASSERT_TRUE(ReadInput(File(path), {}, &bytes).ok());
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "0123456789");
  MediaLimits limits;
  limits.bytes_max = 9;
  EXPECT_EQ(ReadInput(File(path), limits, &bytes).code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(ReadHead(File(path), 4, &bytes).ok());
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "0123");
  ASSERT_TRUE(ReadHead(File(path), 100, &bytes).ok());
  EXPECT_EQ(bytes.size(), 10u);
  EXPECT_EQ(ReadHead(File(folder->path()), 4, &bytes).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadHead(File(path + "x"), 4, &bytes).code(), StatusCode::kNotFound);
}

TEST(ReadInput, urls_are_read_whole_within_the_limit) {
  TestServer server;
  Bytes bytes;
  ASSERT_TRUE(ReadInput(Url(server.Url("/bytes/100000")), {}, &bytes).ok());
  EXPECT_EQ(bytes.size(), 100000u);
  ASSERT_TRUE(ReadHead(Url(server.Url("/huge")), 500, &bytes).ok());
  EXPECT_EQ(bytes.size(), 500u);
  MediaLimits limits;
  limits.download_bytes_max = 99999;
  EXPECT_EQ(ReadInput(Url(server.Url("/bytes/100000")), limits, &bytes).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadInput(Url(server.Url("/status/404")), {}, &bytes).code(), StatusCode::kNotFound);
}

TEST(ReadInput, errors_and_streams_are_not_read) {
  Bytes bytes;
  Input broken = File("x");
  broken.status = absl::NotFoundError("a link that leads nowhere");
  EXPECT_EQ(ReadInput(broken, {}, &bytes), broken.status);
  EXPECT_EQ(ReadHead(broken, 4, &bytes), broken.status);
  EXPECT_EQ(ReadInput(Url("rtsp://host/live"), {}, &bytes).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadHead(Url("rtsp://host/live"), 4, &bytes).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sightline::ingest
