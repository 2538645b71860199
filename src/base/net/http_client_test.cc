#include "base/net/http_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/net/test_server.h"
#include "base/status.h"

namespace sightline {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

Bytes Pattern(size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i * 7 % 251);
  return bytes;
}

HttpOptions Quick() {
  HttpOptions options;
  options.connect_timeout = milliseconds(2000);
  options.idle_timeout = milliseconds(300);
  options.total_timeout = milliseconds(20000);
  return options;
}

class HttpClient : public testing::Test {
 protected:
  absl::Status Get(const std::string& path, HttpOptions options = Quick()) {
    return HttpGet(server_.Url(path), options, &body_);
  }
  TestServer server_;
  Bytes body_;
};

TEST_F(HttpClient, bodies_arrive_whole) {
  for (const size_t count : {0, 1, 1000, 65536, 1000000}) {
    ASSERT_TRUE(Get(fmt::format("/bytes/{}", count)).ok());
    EXPECT_EQ(body_, Pattern(count));
    ASSERT_TRUE(Get(fmt::format("/chunked/{}", count)).ok());
    EXPECT_EQ(body_, Pattern(count));
  }
}

TEST_F(HttpClient, redirects_are_followed_to_a_limit) {
  ASSERT_TRUE(Get("/chain/5").ok());
  EXPECT_EQ(body_, Pattern(10));
  EXPECT_EQ(Get("/chain/6").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Get("/loop").code(), StatusCode::kFailedPrecondition);
}

TEST_F(HttpClient, redirects_to_other_schemes_and_metadata_addresses_are_refused) {
  for (const char* target : {"file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "rtsp://127.0.0.1/",
                             "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/",
                             "http://0.0.0.0/", "http://[::ffff:169.254.169.254]/", "http://2852039166/"}) {
    const absl::Status status = Get(fmt::format("/redirect?to={}", target));
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << target << ": " << status;
  }
}

TEST_F(HttpClient, codes_become_errors_that_name_the_url) {
  EXPECT_EQ(Get("/status/404").code(), StatusCode::kNotFound);
  EXPECT_EQ(Get("/status/403").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Get("/status/503").code(), StatusCode::kUnavailable);
  EXPECT_EQ(Get("/status/418").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(MessageOf(Get("/status/404")),
            server_.Url("/status/404") + ": the server answered 404 Not Found");
}

TEST_F(HttpClient, silence_ends_at_the_idle_limit) {
  EXPECT_EQ(Get("/silent").code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Get("/stall/400").code(), StatusCode::kDeadlineExceeded);
}

TEST_F(HttpClient, endless_bodies_end_at_the_total_limit) {
  HttpOptions options = Quick();
  options.total_timeout = milliseconds(300);
  EXPECT_EQ(Get("/endless", options).code(), StatusCode::kDeadlineExceeded);
}

TEST_F(HttpClient, what_nobody_wants_any_more_ends_at_once) {
  for (const std::string& url : {server_.Url("/silent"), server_.Url("/stall/400"), server_.Url("/endless"),
                                 std::string("http://no-such-host.invalid/")}) {
    HttpOptions options;
    const auto begin = MonotonicClock::now();
    options.cancelled = [&] { return MonotonicClock::now() - begin > milliseconds(100); };
    const absl::Status status = HttpGet(url, options, &body_);
    EXPECT_LT(MonotonicClock::now() - begin, milliseconds(1000)) << url;
    // A machine that looks up nothing may know at once that there is no such host.
    EXPECT_TRUE(status.code() == StatusCode::kCancelled ||
                (status.code() == StatusCode::kUnavailable && url.find("invalid") != std::string::npos))
        << url << status;
  }
}

TEST_F(HttpClient, cut_bodies_are_data_loss) {
  const absl::Status status = Get("/cut/400");
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(MessageOf(status).find("after 400 of 1000 bytes"), std::string_view::npos) << status;
  EXPECT_EQ(Get("/chunked_cut").code(), StatusCode::kDataLoss);
}

TEST_F(HttpClient, size_limit_holds_before_and_while_reading) {
  HttpOptions options = Quick();
  options.bytes_max = 100000;
  EXPECT_EQ(Get("/huge", options).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Get("/endless", options).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Get("/chunked/100001", options).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Get("/chunked/100000", options).ok());
  EXPECT_LT(body_.capacity(), 1u << 20);
}

TEST_F(HttpClient, what_is_no_http_is_an_error) {
  EXPECT_EQ(Get("/garbage").code(), StatusCode::kDataLoss);
  EXPECT_EQ(Get("/header_flood").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Get("/gzip").code(), StatusCode::kUnimplemented);
}

TEST_F(HttpClient, credentials_go_to_their_host_only_and_into_no_message) {
  const std::string place = fmt::format("bob:s%3Acret@127.0.0.1:{}", server_.port());
  ASSERT_TRUE(HttpGet(fmt::format("http://{}/authorization", place), Quick(), &body_).ok());
  EXPECT_EQ(std::string(body_.begin(), body_.end()), "Basic Ym9iOnM6Y3JldA==");
  // `localhost` is another host than 127.0.0.1.
  ASSERT_TRUE(
      HttpGet(fmt::format("http://{}/redirect?to=http://localhost:{}/authorization", place, server_.port()),
              Quick(), &body_)
          .ok());
  EXPECT_EQ(std::string(body_.begin(), body_.end()), "none");
  const absl::Status status = HttpGet(fmt::format("http://{}/status/404", place), Quick(), &body_);
  EXPECT_EQ(status.ToString().find("cret"), std::string::npos) << status;
}

TEST_F(HttpClient, a_stream_can_start_in_the_middle) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "f", "0123456789").ok());
  TestServer server({"--folder", folder->path().string()});
  AddressPolicy policy("127.0.0.1");
  auto stream = HttpStream::Open(server.Url("/file/f"), 6, Quick(), &policy);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ((*stream)->size(), 10u);
  EXPECT_TRUE((*stream)->can_seek());
  Bytes bytes(10);
  ASSERT_EQ((*stream)->Read(absl::MakeSpan(bytes)).value(), 4u);
  EXPECT_EQ(bytes[0], '6');
  EXPECT_EQ((*stream)->Read(absl::MakeSpan(bytes)).value(), 0u);
  EXPECT_EQ(HttpStream::Open(server.Url("/plainfile/f"), 6, Quick(), &policy).status().code(),
            StatusCode::kUnimplemented);
  // With a validator, a server that cannot start in the middle gives the file from its beginning.
  HttpOptions if_range = Quick();
  if_range.if_range = "\"one\"";
  auto whole = HttpStream::Open(server.Url("/plainfile/f"), 6, if_range, &policy);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ((*whole)->offset(), 0u);
  EXPECT_EQ((*stream)->offset(), 6u);
}

TEST_F(HttpClient, nobody_listening_and_unknown_hosts_are_unavailable) {
  EXPECT_EQ(HttpGet("http://127.0.0.1:1/x", Quick(), &body_).code(), StatusCode::kUnavailable);
  EXPECT_EQ(HttpGet("http://no-such-host.invalid/x", Quick(), &body_).code(), StatusCode::kUnavailable);
}

TEST(HttpClientTls, certificates_and_host_names_are_verified) {
  auto folder = TemporaryFolder::Create();
  ASSERT_TRUE(folder.ok());
  const std::string certificate = folder->path() / "cert.pem", key = folder->path() / "key.pem";
  const std::string command = fmt::format(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=DNS:localhost "
      "-keyout {} -out {} 2>/dev/null",
      key, certificate);
  ASSERT_EQ(std::system(command.c_str()), 0);
  TestServer server({"--tls", certificate, key});
  Bytes body;
  HttpOptions options = Quick();
  options.authorities_file = certificate;
  const std::string good = fmt::format("https://localhost:{}/bytes/100000", server.port());
  ASSERT_TRUE(HttpGet(good, options, &body).ok());
  EXPECT_EQ(body, Pattern(100000));
  EXPECT_EQ(HttpGet(server.Url("/bytes/10", "https"), options, &body).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(HttpGet(good, Quick(), &body).code(), StatusCode::kUnauthenticated);
  const std::string down = fmt::format("https://localhost:{}/redirect?to=http://localhost:1/", server.port());
  EXPECT_EQ(HttpGet(down, options, &body).code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace sightline
