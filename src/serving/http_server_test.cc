#include "serving/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "absl/synchronization/notification.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/net/http_client.h"
#include "base/status.h"
#include "serving/test_client.h"

namespace sightline::serving {
namespace {

using testing::HasSubstr;
using testing::Not;

ServerOptions Loopback() {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.requests_per_second = 1e5;
  return options;
}

double SecondsSince(MonotonicTime begin) {
  return std::chrono::duration<double>(MonotonicClock::now() - begin).count();
}

Response Text(std::string body) {
  Response response;
  response.type = "text/plain";
  response.body = std::move(body);
  return response;
}

class HttpServerTest : public testing::Test {
 protected:
  void Begin(const ServerOptions& options = Loopback()) {
    auto server = Server::Create(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Route("GET", "/hello", [](const Request&) { return Text("hello"); });
    server_->Route("GET", "/healthz", [](const Request&) { return Text("ok"); });
    server_->Route("POST", "/echo", [](const Request& request) { return Text(request.body); });
    server_->Route("GET", "/items/{name}", [](const Request& request) {
      return Text(request.parts.at("name") + "/" +
                  (request.query.count("q") != 0 ? request.query.at("q") : "-"));
    });
    server_->Route("GET", "/items/all", [](const Request&) { return Text("everything"); });
    server_->Route("DELETE", "/items/{name}", [](const Request&) { return Problem(204, "", ""); });
    server_->Route("GET", "/file", [this](const Request&) {
      Response response;
      response.file = file_.string();
      return response;
    });
    server_->Route("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("ouch"); });
    server_->Route("POST", "/blocks", [this](const Request&) {
      ++blocking_;
      release_.WaitForNotification();
      return Text("late");
    });
    server_->Route("GET", "/stream", [this](const Request&) {
      Response response;
      response.type = "text/event-stream";
      response.stream = [this](std::shared_ptr<BodyStream> stream) {
        absl::MutexLock lock(&mutex_);
        stream_ = std::move(stream);
      };
      return response;
    });
    const absl::Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  std::shared_ptr<BodyStream> TakeStream() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](HttpServerTest* test) { return test->stream_ != nullptr; }, this));
    return std::move(stream_);
  }
  Answer Get(std::string_view target, std::string_view headers = "") {
    return TestClient(server_->port()).Ask("GET", target, headers);
  }

  const TemporaryFolder folder_ = *TemporaryFolder::Create();
  const std::filesystem::path file_ = folder_.path() / "clip.mp4";
  absl::Notification release_;
  std::atomic<int> blocking_{0};
  absl::Mutex mutex_;
  std::shared_ptr<BodyStream> stream_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServerTest, routes_take_names_and_prefer_what_is_written_out) {
  Begin();
  EXPECT_EQ(Get("/hello").body, "hello");
  EXPECT_EQ(Get("/items/north?q=a%20b+c").body, "north/a b c");
  EXPECT_EQ(Get("/items/all").body, "everything");
  EXPECT_EQ(Get("/items/a%2Fb").body, "a/b/-");  // an escaped slash stays within its part
  EXPECT_EQ(Get("/items/").status, 404);
  EXPECT_EQ(Get("/items/a/b").status, 404);
  EXPECT_EQ(Get("/items/../hello").status, 404);
}

TEST_F(HttpServerTest, other_methods_are_told_which_ones_are_taken) {
  Begin();
  TestClient client(server_->port());
  const Answer answer = client.Ask("PUT", "/items/north");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD, DELETE");
  EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(client.Ask("DELETE", "/items/north").status, 204);
  EXPECT_EQ(client.Ask("BREW", "/hello").status, 405);
  EXPECT_EQ(client.Ask("GET", "/nothing").status, 404);
}

TEST_F(HttpServerTest, a_head_has_the_length_and_no_body) {
  Begin();
  TestClient client(server_->port());
  const Answer head = client.Ask("HEAD", "/hello");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "5");
  EXPECT_EQ(client.Ask("GET", "/hello").body, "hello");  // nothing of a body stands between
}

TEST_F(HttpServerTest, one_connection_serves_requests_sent_ahead_in_order) {
  Begin();
  TestClient client(server_->port());
  client.Send(
      "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /echo HTTP/1.1\r\nHost: localhost\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
      "GET /items/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.ReceiveAnswer()->body, "hello");
  EXPECT_EQ(client.ReceiveAnswer()->body, "abcde");
  EXPECT_EQ(client.ReceiveAnswer()->body, "x/-");
}

TEST_F(HttpServerTest, a_client_of_http_1_0_gets_an_end) {
  Begin();
  TestClient client(server_->port());
  client.Send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReceiveAll(), HasSubstr("\r\n\r\nhello"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, what_is_no_http_is_answered_400_and_closed) {
  Begin();
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n", "GET hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    TestClient client(server_->port());
    client.Send(bytes);
    const auto answer = client.ReceiveAnswer();
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, 400) << bytes;
  }
}

TEST_F(HttpServerTest, bodies_and_headers_have_limits) {
  ServerOptions options = Loopback();
  options.body_bytes_max = 1000;
  options.header_bytes_max = 2000;
  Begin(options);
  const std::string fits(1000, 'x');
  EXPECT_EQ(TestClient(server_->port()).Ask("POST", "/echo", "", fits).body, fits);
  // Refused by its length, before it is sent.
  TestClient client(server_->port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(client.ReceiveAnswer()->status, 413);
  TestClient chunks(server_->port());
  chunks.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  chunks.Send("3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunks.ReceiveAnswer()->status, 413);
  EXPECT_EQ(Get("/hello", "X: " + std::string(3000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(Get("/" + std::string(3000, 'x')).status, 431);
}

TEST_F(HttpServerTest, a_client_that_waits_to_send_its_body_is_told_to_go_on) {
  Begin();
  TestClient client(server_->port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client.ReceiveUntil("HTTP/1.1 100 Continue\r\n\r\n"));
  client.received().clear();
  client.Send("abc");
  EXPECT_EQ(client.ReceiveAnswer()->body, "abc");
}

TEST_F(HttpServerTest, too_many_requests_of_one_address_are_told_when_to_come_back) {
  ServerOptions options = Loopback();
  options.requests_per_second = 5;
  Begin(options);
  TestClient client(server_->port());
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    const Answer answer = client.Ask("GET", "/hello");
    if (answer.status != 429) continue;
    ++refused;
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
  }
  EXPECT_GE(refused, 8);  // a burst of ten, and what comes in during the test
  EXPECT_LE(refused, 10);
}

TEST_F(HttpServerTest, connections_have_a_limit_and_one_that_idles_makes_room) {
  ServerOptions options = Loopback();
  options.connections_max = 3;
  Begin(options);
  TestClient silent_1(server_->port()), silent_2(server_->port()), idle(server_->port());
  ASSERT_EQ(idle.Ask("GET", "/hello").status, 200);
  EXPECT_EQ(Get("/hello").status, 200);  // in place of the one that idles
  EXPECT_FALSE(idle.Receive());
  EXPECT_TRUE(idle.ended());
  TestClient silent_3(server_->port());
  silent_3.Send("GET");
  TestClient refused(server_->port());
  EXPECT_THAT(refused.ReceiveAll(), HasSubstr("503 Service Unavailable"));
  EXPECT_THAT(server_->Metrics(), HasSubstr("sightline_http_refused_total{reason=\"connections\"} 1"));
}

TEST_F(HttpServerTest, a_request_that_drips_is_ended) {
  ServerOptions options = Loopback();
  options.request_s = 0.4;
  Begin(options);
  TestClient header(server_->port()), body(server_->port()), silent(server_->port());
  const MonotonicTime begin = MonotonicClock::now();
  body.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n");
  std::thread drips([&] {  // each byte would restart a timer that counts silence
    const std::string text = "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(200, 'y');
    for (size_t i = 0; i < text.size() && header.Send(text.substr(i, 1)); ++i)
      if (header.Receive(0.02)) break;
  });
  EXPECT_EQ(body.ReceiveAnswer()->status, 408);
  EXPECT_FALSE(silent.Receive());
  EXPECT_TRUE(silent.ended());
  drips.join();
  EXPECT_THAT(header.ReceiveAll(), HasSubstr("408"));
  EXPECT_LT(SecondsSince(begin), 5);
  EXPECT_THAT(server_->Metrics(), HasSubstr("reason=\"header_timeout\"} 1"));
}

TEST_F(HttpServerTest, a_connection_that_idles_is_closed) {
  ServerOptions options = Loopback();
  options.idle_s = 0.2;
  Begin(options);
  TestClient client(server_->port());
  EXPECT_EQ(client.Ask("GET", "/hello").status, 200);
  EXPECT_FALSE(client.Receive());
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, with_a_token_only_open_paths_go_without) {
  ServerOptions options = Loopback();
  options.token = "a-secret-of-some-length";
  Begin(options);
  const Answer without = Get("/hello");
  EXPECT_EQ(without.status, 401);
  EXPECT_THAT(without.headers.at("www-authenticate"), HasSubstr("Bearer"));
  EXPECT_EQ(Get("/hello", "Authorization: Bearer a-secret-of-some-lengtH\r\n").status, 401);
  EXPECT_EQ(Get("/hello", "Authorization: Bearer a-secret-of-some\r\n").status, 401);
  EXPECT_EQ(Get("/hello", "Authorization: Basic a-secret-of-some-length\r\n").status, 401);
  EXPECT_EQ(Get("/nothing").status, 401);
  EXPECT_EQ(Get("/hello", "Authorization: Bearer a-secret-of-some-length\r\n").body, "hello");
  EXPECT_EQ(Get("/hello", "authorization: bearer  a-secret-of-some-length\r\n").body, "hello");
  EXPECT_EQ(Get("/healthz").body, "ok");
  EXPECT_THAT(server_->Metrics(), Not(HasSubstr("secret")));
}

TEST_F(HttpServerTest, guessing_tokens_is_slowed_down) {
  ServerOptions options = Loopback();
  options.token = "a-secret-of-some-length";
  options.requests_per_second = 10;
  Begin(options);
  TestClient client(server_->port());
  int tries = 0;
  while (tries < 20 && client.Ask("GET", "/hello", "Authorization: Bearer x\r\n").status == 401) ++tries;
  EXPECT_LE(tries, 3);
}

TEST_F(HttpServerTest, other_host_names_are_refused_on_loopback) {
  Begin();
  for (const auto& [host, status] : {std::pair{"localhost", 200},
                                     {"localhost:8080", 200},
                                     {"127.0.0.1:1", 200},
                                     {"[::1]:8080", 200},
                                     {"evil.example", 421},
                                     {"evil.example:8080", 421},
                                     {"localhost.evil.example", 421},
                                     {"10.0.0.1", 421}}) {
    TestClient client(server_->port());
    client.Send(fmt::format("GET /hello HTTP/1.1\r\nHost: {}\r\n\r\n", host));
    EXPECT_EQ(client.ReceiveAnswer()->status, status) << host;
  }
}

TEST_F(HttpServerTest, pages_of_other_origins_change_nothing) {
  Begin();
  TestClient client(server_->port());
  EXPECT_EQ(client.Ask("DELETE", "/items/a").status, 204);
  EXPECT_EQ(client.Ask("DELETE", "/items/a", "Origin: http://localhost\r\n").status, 204);
  EXPECT_EQ(client.Ask("DELETE", "/items/a", "Origin: http://localhost:9\r\n").status, 403);
  EXPECT_EQ(client.Ask("DELETE", "/items/a", "Origin: null\r\n").status, 403);
  EXPECT_EQ(client.Ask("DELETE", "/items/a", "Sec-Fetch-Site: cross-site\r\n").status, 403);
  EXPECT_EQ(client.Ask("GET", "/hello", "Origin: http://other\r\n").status, 200);  // which it cannot read
}

TEST_F(HttpServerTest, files_are_served_whole_in_ranges_or_not_again) {
  std::string bytes(300'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  std::ofstream(file_, std::ios::binary) << bytes;
  Begin();
  TestClient client(server_->port());
  const Answer whole = client.Ask("GET", "/file");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, bytes);
  const Answer part = client.Ask("GET", "/file", "Range: bytes=100-70099\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.at("content-range"), "bytes 100-70099/300000");
  EXPECT_EQ(part.body, bytes.substr(100, 70'000));
  EXPECT_EQ(client.Ask("GET", "/file", "Range: bytes=-5\r\n").body, bytes.substr(299'995));
  EXPECT_EQ(client.Ask("GET", "/file", "Range: bytes=299999-\r\n").body, bytes.substr(299'999));
  const Answer beyond = client.Ask("GET", "/file", "Range: bytes=300000-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.at("content-range"), "bytes */300000");
  EXPECT_EQ(client.Ask("GET", "/file", "Range: bytes=0-1,5-6\r\n").status, 200);
  EXPECT_EQ(client.Ask("GET", "/file", "Range: lines=1-2\r\n").status, 200);
  EXPECT_EQ(client.Ask("GET", "/file", "If-Range: \"other\"\r\nRange: bytes=0-1\r\n").status, 200);
  const std::string tag = whole.headers.at("etag");
  EXPECT_EQ(client.Ask("GET", "/file", fmt::format("If-Range: {}\r\nRange: bytes=0-1\r\n", tag)).status, 206);
  EXPECT_EQ(client.Ask("GET", "/file", fmt::format("If-None-Match: {}\r\n", tag)).status, 304);
  EXPECT_EQ(client.Ask("HEAD", "/file").headers.at("content-length"), "300000");
  std::filesystem::remove(file_);
  EXPECT_EQ(client.Ask("GET", "/file").status, 404);
  std::filesystem::create_symlink("/etc/passwd", file_);
  EXPECT_EQ(client.Ask("GET", "/file").status, 404);
}

TEST_F(HttpServerTest, a_stream_arrives_as_it_is_written_and_ends_with_its_writer) {
  Begin();
  TestClient client(server_->port());
  client.Send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto stream = TakeStream();
  EXPECT_TRUE(stream->Write("one"));
  ASSERT_TRUE(client.ReceiveUntil("3\r\none\r\n"));
  EXPECT_TRUE(stream->Write("three"));
  ASSERT_TRUE(client.ReceiveUntil("5\r\nthree\r\n"));
  stream.reset();
  ASSERT_TRUE(client.ReceiveUntil("0\r\n\r\n"));
}

TEST_F(HttpServerTest, a_client_that_goes_away_closes_its_stream) {
  Begin();
  std::shared_ptr<BodyStream> stream;
  {
    TestClient client(server_->port());
    client.Send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream = TakeStream();
  }
  const MonotonicTime begin = MonotonicClock::now();
  while (!stream->closed() && SecondsSince(begin) < 10) std::this_thread::yield();
  EXPECT_TRUE(stream->closed());
  EXPECT_FALSE(stream->Write("nobody reads this"));
}

TEST_F(HttpServerTest, a_client_that_does_not_read_fills_a_bounded_queue_and_is_dropped) {
  ServerOptions options = Loopback();
  options.stream_bytes_max = 1 << 20;
  options.stall_s = 0.5;
  Begin(options);
  TestClient client(server_->port(), 4096);
  client.Send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto stream = TakeStream();
  const std::string chunk(100'000, 'x');
  size_t most = 0;
  int refused = 0;
  const MonotonicTime begin = MonotonicClock::now();
  while (!stream->closed() && SecondsSince(begin) < 10) {
    if (!stream->Write(chunk)) ++refused;
    most = std::max(most, stream->pending());
    std::this_thread::yield();
  }
  EXPECT_TRUE(stream->closed());
  EXPECT_GT(refused, 0);
  EXPECT_LE(most, options.stream_bytes_max);
  EXPECT_THAT(server_->Metrics(), HasSubstr("reason=\"client_too_slow\"} 1"));
  EXPECT_EQ(Get("/hello").status, 200);
}

TEST_F(HttpServerTest, a_handler_that_throws_harms_nobody) {
  Begin();
  TestClient client(server_->port());
  const Answer answer = client.Ask("GET", "/throws");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("ouch")));
  EXPECT_EQ(client.Ask("GET", "/hello").status, 200);
}

TEST_F(HttpServerTest, handlers_that_block_leave_a_thread_to_others) {
  Begin();
  std::vector<std::unique_ptr<TestClient>> blocked;
  for (int i = 0; i < 8; ++i) {
    blocked.push_back(std::make_unique<TestClient>(server_->port()));
    blocked.back()->Send("POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Get("/hello").status, 200);
  release_.Notify();
  for (auto& client : blocked) EXPECT_EQ(client->ReceiveAnswer()->body, "late");
}

TEST_F(HttpServerTest, requests_beyond_those_that_may_wait_get_503) {
  ServerOptions options = Loopback();
  options.connections_max = 64;
  options.threads = 2;
  Begin(options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<TestClient>(server_->port()));
    clients.back()->Send("POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    while (blocking_ == 0) std::this_thread::yield();
  }
  while (server_->Metrics().find("reason=\"busy\"} 31") == std::string::npos) std::this_thread::yield();
  release_.Notify();
  int refused = 0;
  for (auto& client : clients) {
    const auto answer = client->ReceiveAnswer();
    ASSERT_TRUE(answer);
    if (answer->status != 503) continue;
    ++refused;
    EXPECT_EQ(answer->headers.at("retry-after"), "1");
  }
  EXPECT_EQ(refused, 31);  // one runs, 32 wait
}

TEST_F(HttpServerTest, it_ends_quickly_with_streams_open_and_finishes_what_is_under_way) {
  Begin();
  TestClient watching(server_->port()), waiting(server_->port()), idle(server_->port());
  watching.Send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto stream = TakeStream();
  waiting.Send("POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  while (blocking_ == 0) std::this_thread::yield();
  const MonotonicTime begin = MonotonicClock::now();
  std::thread frees([&] {
    while (!stream->closed()) std::this_thread::yield();
    release_.Notify();
  });
  server_.reset();
  frees.join();
  EXPECT_LT(SecondsSince(begin), 3);
  EXPECT_EQ(waiting.ReceiveAnswer()->body, "late");
  EXPECT_FALSE(stream->Write("too late"));
  EXPECT_TRUE(stream->closed());
}

TEST_F(HttpServerTest, off_loopback_it_wants_a_token_and_tls) {
  ServerOptions options = Loopback();
  for (const char* listen : {"0.0.0.0:0", "[::]:0", ":0", "192.0.2.7:8080"}) {
    options.listen = listen;
    const absl::Status status = Server::Create(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << listen;
    EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("http.token and TLS"));
  }
  options.token = "a-secret-of-some-length";
  EXPECT_EQ(Server::Create(options).status().code(), absl::StatusCode::kFailedPrecondition);
  options.listen = "nonsense";
  EXPECT_EQ(Server::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(HttpServerTest, tls_is_1_2_or_later) {
  const std::string folder = folder_.path();
  ASSERT_EQ(
      std::system(
          fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                      "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
                      "-keyout {0}/key.pem -out {0}/cert.pem 2>/dev/null",
                      folder)
              .c_str()),
      0);
  ServerOptions options = Loopback();
  options.listen = "0.0.0.0:0";
  options.token = "a-secret-of-some-length";
  options.certificate = folder + "/cert.pem";
  options.key = folder + "/missing.pem";
  EXPECT_THAT(std::string(MessageOf(Server::Create(options).status())), HasSubstr("http.key: " + folder));
  options.key = folder + "/key.pem";
  Begin(options);
  HttpOptions client;
  client.authorities_file = options.certificate;
  Bytes body;
  const std::string url = fmt::format("https://localhost:{}/healthz", server_->port());
  const absl::Status got = HttpGet(url, client, &body);
  EXPECT_TRUE(got.ok()) << got;
  EXPECT_EQ(std::string(body.begin(), body.end()), "ok");
  const auto connects = [&](const char* version) {
    return std::system(fmt::format("openssl s_client -connect 127.0.0.1:{} -{} -cipher DEFAULT@SECLEVEL=0 "
                                   "</dev/null >/dev/null 2>&1",
                                   server_->port(), version)
                           .c_str()) == 0;
  };
  EXPECT_TRUE(connects("tls1_2"));
  EXPECT_FALSE(connects("tls1_1"));
  // Who speaks plainly, or not at all, does not hold it up.
  TestClient plain(server_->port());
  plain.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  plain.ReceiveAll();
  EXPECT_TRUE(plain.ended());
}

TEST_F(HttpServerTest, no_bytes_can_break_it) {
  ServerOptions options = Loopback();
  options.request_s = 0.2;
  options.connections_max = 1000;
  Begin(options);
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const std::string valid =
      "POST /echo?a=b%20c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nRange: bytes=1-2\r\n\r\nhello";
  for (int i = 0; i < 300; ++i) {
    std::string bytes = valid;
    for (uint32_t changes = random() % 6 + 1; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      if (random() % 3 == 0)
        bytes.erase(at, random() % 10);
      else if (random() % 2 == 0)
        bytes.insert(at, 1, static_cast<char>(random()));
      else
        bytes[at] = static_cast<char>(random());
      if (bytes.empty()) bytes = "x";
    }
    TestClient client(server_->port());
    client.Send(bytes);
  }
  EXPECT_EQ(Get("/hello").status, 200);
}

TEST_F(HttpServerTest, its_metrics_are_prometheus_text) {
  Begin();
  Get("/hello");
  Get("/items/north");
  Get("/unknown/" + std::string(50, 'x'));
  const std::string text = server_->Metrics();
  EXPECT_THAT(
      text,
      HasSubstr("sightline_http_requests_total{method=\"GET\",route=\"/items/{name}\",status=\"200\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("sightline_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1"));
  std::ofstream(folder_.path() / "metrics") << text;
  EXPECT_EQ(std::system(("promtool check metrics < " + (folder_.path() / "metrics").string()).c_str()), 0);
}

}  // namespace
}  // namespace sightline::serving
