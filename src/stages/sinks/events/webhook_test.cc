#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/check.h"
#include "base/file.h"
#include "base/net/http_client.h"
#include "base/net/test_server.h"
#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

class WebhookTest : public testing::Test {
 protected:
  std::unique_ptr<EventSink> Sink(const std::string& path, const std::string& secret = "key",
                                  double timeout_s = 1.5) {
    WebhookOptions options;
    options.url = fmt::format("http://user:hidden@127.0.0.1:{}{}", server_.port(), path);
    options.secret = secret;
    options.timeout_s = timeout_s;
    return *CreateWebhookSink(options);
  }
  nlohmann::json Received() {
    Bytes body;
    CHECK(HttpGet(server_.Url("/received"), {}, &body).ok()) << "no answer of the test server";
    return nlohmann::json::parse(body);
  }
  const EventMessage message_{"id1", "dwell", "gate", R"({"specversion":"1.0","id":"id1"})"};
  TestServer server_{{"--secret", "key"}, "src/base/net/request_server.py"};
};

TEST_F(WebhookTest, posts_a_signed_cloud_event) {
  EXPECT_TRUE(Sink("/status/204")->Send(message_).ok());
  EXPECT_TRUE(Sink("/status/200", "other key")->Send(message_).ok());
  EXPECT_TRUE(Sink("/status/200", "")->Send(message_).ok());
  const auto received = Received();
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(received[0]["body"], message_.payload);
  EXPECT_EQ(received[0]["type"], "application/cloudevents+json; charset=UTF-8");
  EXPECT_EQ(received[0]["signed"], true);
  EXPECT_EQ(received[1]["signed"], false) << "the server really looks";
  EXPECT_TRUE(received[2]["signed"].is_null());
}

TEST_F(WebhookTest, signature_is_checked_as_the_documentation_says) {
  ASSERT_TRUE(Sink("/status/200")->Send(message_).ok());
  const std::string page = *ReadTextFile("docs/events.md", 1 << 20);
  const size_t begin = page.find("```python\n") + 10;
  const std::string program = page.substr(begin, page.find("```", begin) - begin) +
                              fmt::format(
                                  "import sys\nassert is_genuine('key', sys.argv[1], sys.argv[2].encode())\n"
                                  "assert not is_genuine('other', sys.argv[1], sys.argv[2].encode())\n"
                                  "assert not is_genuine('key', sys.argv[1], b'else')\n");
  const auto folder = *TemporaryFolder::Create();
  ASSERT_TRUE(WriteFileAtomically(folder.path() / "check.py", program).ok());
  const auto received = Received();
  EXPECT_EQ(std::system(fmt::format("python3 {}/check.py '{}' '{}'", folder.path().string(),
                                    received[0]["signature"].get<std::string>(), message_.payload)
                            .c_str()),
            0);
}

TEST_F(WebhookTest, tells_never_from_later) {
  for (const int code : {400, 401, 404, 410, 413, 422}) {
    EXPECT_EQ(Sink(fmt::format("/status/{}", code))->Send(message_).code(), StatusCode::kInvalidArgument)
        << code;
  }
  for (const int code : {408, 425, 429, 500, 502, 503}) {
    EXPECT_EQ(Sink(fmt::format("/status/{}", code))->Send(message_).code(), StatusCode::kUnavailable) << code;
  }
  EXPECT_THAT(Sink("/redirect")->Send(message_).message(), HasSubstr("redirects are not followed"));
  EXPECT_EQ(Sink("/cut")->Send(message_).code(), StatusCode::kUnavailable);
  EXPECT_EQ(Sink("/hang")->Send(message_).code(), StatusCode::kDeadlineExceeded);
}

TEST_F(WebhookTest, can_be_cancelled_and_never_shows_credentials) {
  auto sink = Sink("/hang?token=hidden", "key", 100);
  const std::jthread canceller([&] { sink->Cancel(); });
  const absl::Status status = sink->Send(message_);
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_THAT(sink->Shown(), Not(HasSubstr("hidden")));
  EXPECT_THAT(std::string(Sink("/status/500?token=hidden")->Send(message_).message()),
              Not(HasSubstr("hidden")));
  WebhookOptions wrong;
  wrong.url = "ftp://u:hidden@host/";
  const absl::Status refused = CreateWebhookSink(wrong).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace sightline::sinks
