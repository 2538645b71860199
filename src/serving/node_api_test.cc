#include "serving/node_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "base/file.h"
#include "serving/event_routes.h"
#include "serving/live_pictures.h"
#include "serving/node_json.h"
#include "serving/test_client.h"
#include "serving/test_node.h"

namespace sightline::serving {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kNorth = "name: north\nsource: rtsp://admin:hunter2@10.0.0.5/x\n";

// Which routes there are, and no more.
class RouteList final : public Server {
 public:
  void Route(std::string method, std::string path, Handler) override { routes.insert(method + " " + path); }
  absl::Status Start() override { return absl::OkStatus(); }
  int port() const override { return 0; }
  std::string Metrics() const override { return ""; }
  std::set<std::string> routes;
};

class NodeApiTest : public testing::Test {
 protected:
  NodeApiTest() {
    node_.evidence = folder_.path() / "evidence";
    std::filesystem::create_directories(node_.evidence / "north");
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    server_ = *Server::Create(options);
    AddNodeRoutes(&node_, server_.get());
    EXPECT_TRUE(server_->Start().ok());
  }
  Answer Ask(std::string_view method, std::string_view target, std::string_view body = "",
             std::string_view headers = "") {
    return TestClient(server_->port()).Ask(method, target, headers, body);
  }
  Json Get(std::string_view target) { return Json::parse(Ask("GET", target).body, nullptr, false); }
  static cameras::LiveView View(uint8_t luma, int second = 0) {
    cameras::LiveView view;
    view.frame = TestFrame({640, 360}, luma);
    view.captured = WallTime(std::chrono::seconds(1000 + second));
    view.geometry.picture = {640, 360};
    view.geometry.zones.push_back({"road", {{0, 0}, {100, 0}, {100, 100}}, {}});
    view.geometry.lines.push_back({"stop", {10, 10}, {200, 10}});
    view.marks.push_back({7, "person", 0.9f, {300, 100, 400, 300}, true});
    view.hidden.push_back({cameras::SeenBox::Kind::kPerson, 7, view.marks.back().box});
    view.redaction.people = true;
    return view;
  }

  const TemporaryFolder folder_ = *TemporaryFolder::Create();
  TestNode node_;
  std::unique_ptr<Server> server_;
};

TEST_F(NodeApiTest, the_openapi_file_and_the_routes_name_each_other) {
  RouteList list;
  AddNodeRoutes(&node_, &list);
  const std::string file = folder_.path() / "openapi.yaml";
  std::ofstream(file) << Ask("GET", "/openapi.yaml").body;
  const std::string script =
      "import sys, yaml; d = yaml.safe_load(open(sys.argv[1])); assert d['openapi'].startswith('3.1'); "
      "open(sys.argv[2], 'w').write(''.join(sorted(m.upper() + ' ' + p + chr(10) for p, o in "
      "d['paths'].items() "
      "for m in o if m in ('get', 'put', 'post', 'delete'))))";
  const std::string out = folder_.path() / "routes";
  ASSERT_EQ(std::system(fmt::format("/usr/bin/python3 -c \"{}\" {} {}", script, file, out).c_str()), 0);
  std::set<std::string> described;
  for (const std::string& line : Split(*ReadTextFile(out, 1 << 20), '\n'))
    if (!line.empty()) described.insert(line);
  EXPECT_EQ(described, list.routes);
}

TEST_F(NodeApiTest, a_camera_is_added_shown_changed_paused_and_removed) {
  const Answer added = Ask("POST", "/api/v1/cameras", kNorth);
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.headers.at("location"), "/api/v1/cameras/north");
  EXPECT_EQ(Ask("POST", "/api/v1/cameras", R"({"name": "south", "source": "sim:street?seed=7"})").status,
            201);
  EXPECT_EQ(Get("/api/v1/cameras")["cameras"].size(), 2U);
  const Json north = Get("/api/v1/cameras/north");
  EXPECT_EQ(north["source"], "rtsp://10.0.0.5/x");
  EXPECT_EQ(north["state"]["state"], "live");
  EXPECT_EQ(north["calibration_error_px"], nullptr);
  EXPECT_EQ(north["last_event"], nullptr);
  EXPECT_EQ(Json::parse(Ask("PUT", "/api/v1/cameras/north", kNorth).body)["revision"], 2);
  EXPECT_EQ(Json::parse(Ask("POST", "/api/v1/cameras/north/pause").body)["paused"], true);
  EXPECT_EQ(Json::parse(Ask("POST", "/api/v1/cameras/north/resume").body)["paused"], false);
  EXPECT_EQ(Ask("DELETE", "/api/v1/cameras/north").status, 204);
  EXPECT_EQ(Ask("DELETE", "/api/v1/cameras/north").status, 404);
}

TEST_F(NodeApiTest, credentials_are_in_no_answer) {
  Ask("POST", "/api/v1/cameras", kNorth);
  for (const char* target :
       {"/api/v1/cameras", "/api/v1/cameras/north", "/api/v1/sinks", "/metrics", "/api/v1/status"})
    EXPECT_THAT(Ask("GET", target).body, Not(HasSubstr("hunter2"))) << target;
  EXPECT_THAT(Ask("POST", "/api/v1/cameras:test", "name: x\nsource: rtsp://a:hunter2@down/x\n").body,
              Not(HasSubstr("hunter2")));
}

TEST_F(NodeApiTest, errors_have_their_status_and_all_lines) {
  const Answer wrong = Ask("POST", "/api/v1/cameras", "name: Nørth\nsauce: x\n");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.headers.at("content-type"), "application/problem+json");
  EXPECT_GE(Json::parse(wrong.body)["errors"].size(), 2U) << wrong.body;
  EXPECT_EQ(Ask("POST", "/api/v1/cameras", "{").status, 422);
  EXPECT_EQ(Ask("POST", "/api/v1/cameras").status, 422);
  Ask("POST", "/api/v1/cameras", kNorth);
  EXPECT_EQ(Ask("POST", "/api/v1/cameras", kNorth).status, 409);
  EXPECT_EQ(Ask("PUT", "/api/v1/cameras/x", "name: x\nsource: sim:street\n").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/cameras/x").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/cameras/north/picture.jpg").status, 503);  // none yet
  EXPECT_EQ(Ask("GET", "/api/v1/cameras/x/live.mjpeg").status, 404);
  for (const char* name : {"a", "b"})
    Ask("POST", "/api/v1/cameras", fmt::format("name: {}\nsource: sim:street\n", name));
  EXPECT_EQ(Ask("POST", "/api/v1/cameras", "name: c\nsource: sim:street\n").status, 507);
}

TEST_F(NodeApiTest, a_test_says_what_came_or_why_nothing_did) {
  const Json works = Json::parse(Ask("POST", "/api/v1/cameras:test", "name: x\nsource: sim:street\n").body);
  EXPECT_EQ(works["ok"], true);
  EXPECT_EQ(works["state"]["width"], 64);
  EXPECT_THAT(works["picture_jpeg"].get<std::string>(), StartsWith("/9j/"));
  const Json fails =
      Json::parse(Ask("POST", "/api/v1/cameras:test", "name: x\nsource: rtsp://down/x\n").body);
  EXPECT_EQ(fails["ok"], false);
  EXPECT_THAT(fails["error"].get<std::string>(), HasSubstr("no answer"));
  // Who is elsewhere gets no picture in which nothing is hidden.
  const Json remote = Json::parse(
      Ask("POST", "/api/v1/cameras:test", "name: x\nsource: sim:street\n", "X-Forwarded-For: 10.0.0.9\r\n")
          .body);
  EXPECT_EQ(remote["ok"], true);
  EXPECT_FALSE(remote.contains("picture_jpeg"));
}

TEST_F(NodeApiTest, topics_reach_the_rules) {
  Ask("POST", "/api/v1/cameras", kNorth);
  EXPECT_EQ(Ask("PUT", "/api/v1/cameras/north/topics/signal", R"({"value": "red"})").status, 204);
  EXPECT_EQ(node_.published, "signal=red");
  EXPECT_EQ(Ask("PUT", "/api/v1/cameras/north/topics/signal", "red").status, 400);
  EXPECT_EQ(Ask("PUT", "/api/v1/cameras/x/topics/signal", R"({"value": "red"})").status, 404);
}

TEST_F(NodeApiTest, pictures_are_small_or_whole_with_or_without_what_was_found) {
  Ask("POST", "/api/v1/cameras", kNorth);
  node_.Show(View(50));
  const Answer whole = Ask("GET", "/api/v1/cameras/north/picture.jpg?overlay=0");
  EXPECT_EQ(whole.headers.at("content-type"), "image/jpeg");
  EXPECT_EQ(whole.headers.at("x-captured"), "1970-01-01T00:16:40.000Z");
  const Answer drawn = Ask("GET", "/api/v1/cameras/north/picture.jpg");
  EXPECT_NE(whole.body, drawn.body);
  EXPECT_LT(Ask("GET", "/api/v1/cameras/north/picture.jpg?overlay=0&width=320").body.size(),
            whole.body.size());
}

TEST_F(NodeApiTest, who_is_elsewhere_sees_what_evidence_would_show) {
  Ask("POST", "/api/v1/cameras", kNorth);
  node_.Show(View(50));
  const std::string target = "/api/v1/cameras/north/picture.jpg?overlay=0";
  const Answer here = Ask("GET", target), proxied = Ask("GET", target, "", "X-Forwarded-For: 10.0.0.9\r\n");
  EXPECT_EQ(proxied.status, 200);
  EXPECT_NE(here.body, proxied.body);
  EXPECT_EQ(Ask("GET", target + "&redact=1").body, proxied.body);
  EXPECT_EQ(Ask("GET", target + "&redact=0", "", "Via: 1.1 proxy\r\n").body, proxied.body);
  cameras::LiveView unknown = View(60, 1);
  unknown.geometry = {};  // not analysed: nobody knows what to hide
  node_.Show(unknown);
  EXPECT_EQ(Ask("GET", target).status, 200);
  EXPECT_EQ(Ask("GET", target, "", "X-Forwarded-For: 10.0.0.9\r\n").status, 503);
}

TEST_F(NodeApiTest, live_pictures_come_as_they_change) {
  Ask("POST", "/api/v1/cameras", kNorth);
  node_.Show(View(50, 0));
  TestClient client(server_->port());
  client.Send("GET /api/v1/cameras/north/live.mjpeg?fps=10 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(client.ReceiveUntil("multipart/x-mixed-replace; boundary=sightline-frame"));
  for (int i = 1; i < 5; ++i) {
    ASSERT_TRUE(client.ReceiveUntil("\xFF\xD9\r\n--sightline-frame\r\n"));
    client.received().clear();
    node_.Show(View(50, i));
  }
  // It ends with its camera.
  Ask("DELETE", "/api/v1/cameras/north");
  EXPECT_TRUE(client.ReceiveUntil("0\r\n\r\n"));
}

TEST_F(NodeApiTest, events_are_paged_and_filtered) {
  for (int i = 0; i < 7; ++i) node_.Happen(fmt::format("0{}", i), i % 2 == 0 ? "north" : "south");
  const Json first = Get("/api/v1/events?limit=3");
  EXPECT_EQ(first["events"][0]["id"], "06");
  EXPECT_EQ(first["next_before_id"], "04");
  EXPECT_EQ(Get("/api/v1/events?limit=3&before_id=04")["events"][0]["id"], "03");
  EXPECT_EQ(Get("/api/v1/events?camera=south")["events"].size(), 3U);
  EXPECT_EQ(Get("/api/v1/events?camera=south")["next_before_id"], nullptr);
  for (const char* bad : {"limit=0", "limit=1001", "limit=x", "from=yesterday", "to=2026-13-01T00:00:00Z"})
    EXPECT_EQ(Ask("GET", fmt::format("/api/v1/events?{}", bad)).status, 400) << bad;
  EXPECT_EQ(Get("/api/v1/events/03")["id"], "03");
  EXPECT_EQ(Ask("GET", "/api/v1/events/99").status, 404);
}

TEST_F(NodeApiTest, the_event_stream_tells_new_events_and_those_that_were_missed) {
  node_.Happen("01", "north");
  node_.Happen("02", "north");
  TestClient fresh(server_->port()), back(server_->port()), other(server_->port());
  fresh.Send("GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  back.Send("GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 01\r\n\r\n");
  other.Send("GET /api/v1/events/stream?camera=south HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(fresh.ReceiveUntil(": connected"));
  ASSERT_TRUE(other.ReceiveUntil(": connected"));
  ASSERT_TRUE(back.ReceiveUntil("id: 02\nevent: event\ndata: {\"id\":\"02\""));
  // Who is connected may not listen quite yet: the next one may be the first.
  for (int i = 3; !fresh.ReceiveUntil("data: ", 0.05); ++i) node_.Happen(fmt::format("0{}", i), "north");
  node_.Happen("20", "south");
  ASSERT_TRUE(back.ReceiveUntil("id: 20"));
  ASSERT_TRUE(fresh.ReceiveUntil("id: 20"));
  ASSERT_TRUE(other.ReceiveUntil("id: 20"));
  EXPECT_THAT(back.received(), HasSubstr("id: 03"));
  EXPECT_THAT(back.received(), Not(HasSubstr("id: 01")));
  EXPECT_THAT(other.received(), Not(HasSubstr("north")));
  EXPECT_THAT(fresh.received(), Not(HasSubstr("id: 02")));
}

TEST_F(NodeApiTest, evidence_is_served_and_nothing_beside_it) {
  std::ofstream(node_.evidence / "north" / "a.jpg") << "picture";
  std::ofstream(folder_.path() / "secret") << "secret";
  std::filesystem::create_symlink(folder_.path() / "secret", node_.evidence / "link.jpg");
  node_.Happen("1", "north", "north/a.jpg");
  EXPECT_EQ(Ask("GET", "/api/v1/events/1/snapshot").body, "picture");
  EXPECT_EQ(Ask("GET", "/api/v1/events/1/snapshot", "", "Range: bytes=0-2\r\n").body, "pic");
  EXPECT_EQ(Ask("GET", "/api/v1/events/1/clip").status, 404);
  int id = 2;
  for (const char* name :
       {"../secret", "north/../../secret", "link.jpg", "/etc/passwd", "north", ".", "missing.jpg"}) {
    node_.Happen(std::to_string(id), "north", name);
    EXPECT_EQ(Ask("GET", fmt::format("/api/v1/events/{}/snapshot", id++)).status, 404) << name;
  }
}

TEST_F(NodeApiTest, health_readiness_and_metrics) {
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  node_.ready = false;
  EXPECT_EQ(Ask("GET", "/readyz").status, 503);
  const Answer metrics = Ask("GET", "/metrics");
  EXPECT_EQ(metrics.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const std::string file = folder_.path() / "metrics";
  std::ofstream(file) << metrics.body;
  EXPECT_EQ(std::system(("promtool check metrics < " + file).c_str()), 0);
}

TEST_F(NodeApiTest, the_page_asks_nobody_else_for_anything) {
  const Answer page = Ask("GET", "/");
  EXPECT_THAT(page.headers.at("content-type"), StartsWith("text/html"));
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'none'"));
  for (const char* file : {"/", "/page.css", "/page.js"}) {
    const std::string body = Ask("GET", file).body;
    EXPECT_FALSE(body.empty());
    EXPECT_THAT(body, Not(HasSubstr("https://"))) << file;
  }
}

TEST(ParseTime, of_rfc_3339_and_seconds) {
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01.25Z"), 1'250'000);
  EXPECT_EQ(ParseTime("1970-01-01T01:00:01+01:00"), 1'000'000);
  EXPECT_EQ(ParseTime("12.5"), 12'500'000);
  for (const char* bad : {"", "x", "1970-01-01", "1970-01-01T00:00:01 PST", "1e300", "1970-01-01T00:00:01.Z"})
    EXPECT_FALSE(ParseTime(bad)) << bad;
}

TEST(Shrunk, keeps_the_mean_and_the_shape) {
  for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kRgb24, PixelFormat::kYuv420,
                                   PixelFormat::kYuv422, PixelFormat::kYuv444, PixelFormat::kNv12}) {
    auto frame = std::make_shared<Frame>();
    frame->Allocate(format, {641, 361});
    for (int i = 0; i < PlaneCount(format); ++i) {
      const Size plane = PlaneSize(format, frame->size, i);
      for (int y = 0; y < plane.height; ++y)
        for (int x = 0; x < plane.width; ++x)
          frame->mutable_plane(i)[y * frame->planes[static_cast<size_t>(i)].stride + x] =
              static_cast<uint8_t>(format == PixelFormat::kNv12 && i == 1 ? 100 + 50 * (x % 2) : 80 + i);
    }
    const FramePtr small = Shrunk(frame, 200);
    EXPECT_LE(small->size.width, 200);
    EXPECT_EQ(small->size, (Size{160, 90}));
    EXPECT_EQ(small->source_size, (Size{641, 361}));
    const int last = PlaneCount(format) - 1;
    const Size plane = PlaneSize(format, small->size, last);
    const uint8_t* row = small->planes[static_cast<size_t>(last)].data +
                         (plane.height - 1) * small->planes[static_cast<size_t>(last)].stride;
    EXPECT_EQ(row[plane.width - 1], format == PixelFormat::kNv12 ? 150 : 80 + last);
  }
}

}  // namespace
}  // namespace sightline::serving
