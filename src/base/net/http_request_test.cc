#include "base/net/http_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/check.h"
#include "base/file.h"
#include "base/net/http_client.h"
#include "base/net/test_server.h"

namespace sightline {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kScript = "src/base/net/request_server.py";

HttpSessionOptions Quick() {
  HttpSessionOptions options;
  options.timeout = std::chrono::milliseconds(1500);
  return options;
}

HttpRequest Posting(const std::string& body, const std::string& type) {
  return {"POST", "", {{"Content-Type", type}}, body};
}

absl::StatusOr<int> StatusOf(absl::StatusOr<HttpResponse> response) {
  if (!response.ok()) return response.status();
  return response->status;
}

class HttpSessionTest : public testing::Test {
 protected:
  absl::StatusOr<int> Post(const std::string& path, const HttpSessionOptions& options = Quick()) {
    auto session = HttpSession::Create(server_.Url(path), options);
    if (!session.ok()) return session.status();
    return StatusOf((*session)->Send(Posting("{}", "application/json")));
  }
  std::string Get(const std::string& path) {
    Bytes body;
    CHECK(HttpGet(server_.Url(path), {}, &body).ok()) << "no answer of the test server";
    return {body.begin(), body.end()};
  }
  TestServer server_{{}, kScript};
};

TEST_F(HttpSessionTest, sends_body_and_fields_and_gives_the_code) {
  auto session = *HttpSession::Create(
      fmt::format("http://user:pass%20word@127.0.0.1:{}/status/202?key=secret", server_.port()), Quick());
  HttpRequest hello = Posting("hello", "text/plain");
  hello.headers.emplace_back("X-Thing", "7");
  EXPECT_EQ(*StatusOf(session->Send(hello)), 202);
  const std::string received = Get("/received");
  EXPECT_THAT(received, HasSubstr(R"("body": "hello")"));
  EXPECT_THAT(received, HasSubstr("Basic dXNlcjpwYXNzIHdvcmQ="));
  EXPECT_THAT(session->Shown(), Not(HasSubstr("secret")));
  EXPECT_THAT(session->Shown(), Not(HasSubstr("pass")));
  HttpRequest get;
  get.target = "/received";
  const auto answer = session->Send(get);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->whole);
  EXPECT_THAT(answer->body, HasSubstr("hello"));
  EXPECT_EQ(*Post("/status/500"), 500);
  EXPECT_EQ(*Post("/status/429"), 429);
}

TEST_F(HttpSessionTest, connection_is_kept_and_replaced_when_the_server_closed_it) {
  auto session = *HttpSession::Create(server_.Url("/status/200"), Quick());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(*StatusOf(session->Send(Posting("{}", "application/json"))), 200);
  EXPECT_EQ(Get("/connections"), "2") << "one for all, and one of the question itself";
  auto closing = *HttpSession::Create(server_.Url("/close_after"), Quick());
  for (int i = 0; i < 5; ++i) {
    const auto code = StatusOf(closing->Send(Posting("{}", "application/json")));
    ASSERT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(*code, 200);
  }
}

TEST_F(HttpSessionTest, servers_that_hang_cut_or_flood_cost_bounded_time_and_memory) {
  EXPECT_EQ(Post("/hang").status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Post("/cut").status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(Post("/garbage").ok());
  EXPECT_EQ(*Post("/long"), 200);
  EXPECT_EQ(*Post("/redirect"), 307) << "is not followed";
  EXPECT_THAT(Get("/received"), Not(HasSubstr("/status/200")));
}

TEST_F(HttpSessionTest, can_be_given_up_and_refuses_local_addresses_where_told_to) {
  HttpSessionOptions options = Quick();
  options.timeout = std::chrono::seconds(60);
  std::atomic<bool> stop{false};
  options.cancelled = [&] { return stop.load(); };
  const std::jthread stopper([&] { stop = true; });
  EXPECT_EQ(Post("/hang", options).status().code(), StatusCode::kCancelled);
  options = Quick();
  options.allow_private = false;
  EXPECT_EQ(Post("/status/200", options).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(HttpSession::Create("rtsp://host/x", Quick()).status().code(), StatusCode::kInvalidArgument);
  const auto nobody = HttpSession::Create("http://u:secret@127.0.0.1:1/x", Quick()).value()->Send({});
  EXPECT_EQ(nobody.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(nobody.status().message(), Not(HasSubstr("secret")));
}

TEST(HttpSessionTls, certificates_and_host_names_are_verified) {
  const auto folder = *TemporaryFolder::Create();
  const std::string certificate = folder.path() / "cert.pem", key = folder.path() / "key.pem";
  const std::string command = fmt::format(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=DNS:localhost -keyout {} -out {} 2>/dev/null",
      key, certificate);
  ASSERT_EQ(std::system(command.c_str()), 0);
  TestServer server({"--tls", certificate, key}, kScript);
  HttpSessionOptions trusting = Quick();
  trusting.authorities_file = certificate;
  const auto post = [&](const std::string& host, const HttpSessionOptions& options) {
    return StatusOf(
        (*HttpSession::Create(fmt::format("https://{}:{}/status/200", host, server.port()), options))
            ->Send(Posting("{}", "application/json")));
  };
  EXPECT_EQ(*post("localhost", trusting), 200);
  EXPECT_EQ(post("127.0.0.1", trusting).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(post("localhost", Quick()).status().code(), StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace sightline
