#include "serving/node_api.h"

#include <atomic>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/escaping.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "serving/builtin_page.h"
#include "serving/event_routes.h"
#include "serving/live_streams.h"
#include "serving/node_json.h"

namespace sightline::serving {
namespace {

constexpr int kTestsMax = 2;
constexpr double kTestSecondsMax = 8;
constexpr int kTestPictureWidth = 640;
constexpr size_t kTopicMax = 64, kTopicValueMax = 256;

Response JsonResponse(const Json& json, int status = 200) {
  Response response;
  response.status = status;
  response.body = Dumped(json);
  return response;
}

Response TextResponse(std::string body, std::string_view type = "text/plain; charset=utf-8",
                      int status = 200) {
  Response response;
  response.status = status;
  response.type = type;
  response.body = std::move(body);
  return response;
}

// What a configuration gets wrong is 422, with a line each.
Response ConfigProblem(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status)) return Problem(status);
  return Problem(422, "The configuration is wrong", MessageOf(status));
}

double NumberOf(const Request& request, const std::string& name, double otherwise, double min, double max) {
  const auto found = request.query.find(name);
  const auto value = found == request.query.end() ? std::nullopt : ParseNumber(found->second);
  return std::clamp(value.value_or(otherwise), min, max);
}

// The routes' common state; it lives as long as the server.
class NodeApi : public std::enable_shared_from_this<NodeApi> {
 public:
  NodeApi(cameras::Node* node, Server* server) : node_(*node), server_(*server), viewers_(node, &pictures_) {}
  void AddRoutes();

 private:
  using Method = Response (NodeApi::*)(const Request&);
  void Add(const char* method, const char* path, Method handler) {
    server_.Route(method, path, [self = shared_from_this(), handler](const Request& request) {
      return (*self.*handler)(request);
    });
  }

  Response Ready(const Request&) {
    const bool ready = node_.info().ready;
    return TextResponse(ready ? "ready\n" : "not ready\n", "text/plain; charset=utf-8", ready ? 200 : 503);
  }
  Response Metrics(const Request&) {
    return TextResponse(node_.Metrics() + server_.Metrics(), "text/plain; version=0.0.4; charset=utf-8");
  }
  Response Status(const Request&) { return JsonResponse(StatusJson(node_.info(), node_.cameras())); }
  Response Sinks(const Request&) { return JsonResponse(SinksJson(node_.sinks())); }

  Response Cameras(const Request&) {
    Json list = Json::array();
    for (const cameras::CameraInfo& camera : node_.cameras()) list.push_back(CameraJson(camera));
    return JsonResponse({{"cameras", std::move(list)}});
  }
  Response Camera(const Request& request) { return ShowCamera(request.parts.at("name"), 200); }
  Response ShowCamera(const std::string& name, int status) {
    const auto camera = node_.camera(name);
    return camera.ok() ? JsonResponse(CameraDetails(*camera), status) : Problem(camera.status());
  }
  Response AddCamera(const Request& request);
  Response ReplaceCamera(const Request& request) {
    const std::string& name = request.parts.at("name");
    const absl::Status status = node_.ReplaceCamera(name, request.body);
    return status.ok() ? ShowCamera(name, 200) : ConfigProblem(status);
  }
  Response RemoveCamera(const Request& request) {
    const absl::Status status = node_.RemoveCamera(request.parts.at("name"));
    return status.ok() ? TextResponse("", "", 204) : Problem(status);
  }
  Response Pause(const Request& request) { return SetPaused(request, true); }
  Response Resume(const Request& request) { return SetPaused(request, false); }
  Response SetPaused(const Request& request, bool paused) {
    const absl::Status status = node_.SetPaused(request.parts.at("name"), paused);
    return status.ok() ? ShowCamera(request.parts.at("name"), 200) : Problem(status);
  }
  Response TestCamera(const Request& request) {
    return Test(request, [&](double seconds) { return node_.TestCamera(request.body, seconds); });
  }
  Response TestStoredCamera(const Request& request) {
    const std::string& name = request.parts.at("name");
    if (const auto camera = node_.camera(name); !camera.ok()) return Problem(camera.status());
    return Test(request, [&](double seconds) { return node_.TestStoredCamera(name, seconds); });
  }
  Response Test(const Request& request,
                absl::FunctionRef<absl::StatusOr<cameras::StreamProbe>(double seconds)> probe_for);
  Response SetTopic(const Request& request);
  Response Picture(const Request& request);
  Response LivePicture(const Request& request);

  // Who is elsewhere gets what evidence would show; on this machine `redact=1` asks for the same.
  static PictureStyle StyleOf(const Request& request) {
    PictureStyle style;
    style.overlay = NumberOf(request, "overlay", 1, 0, 1) != 0;
    style.redact = !request.local || NumberOf(request, "redact", 0, 0, 1) != 0;
    style.width_max = static_cast<int>(NumberOf(request, "width", 0, 0, 16384));
    if (style.width_max > 0) style.width_max = std::max(64, style.width_max);
    return style;
  }

  cameras::Node& node_;
  Server& server_;
  LivePictures pictures_;
  LiveViewers viewers_;
  std::atomic<int> tests_{0};
};

Response NodeApi::AddCamera(const Request& request) {
  auto config = cameras::ParseCameraConfig(request.body, "camera");
  if (!config.ok()) return ConfigProblem(config.status());
  if (config->name.empty())  // an empty document is all defaults
    return Problem(422, "The configuration is wrong",
                   "camera: the body is empty: it must have name and source");
  if (const absl::Status status = node_.AddCamera(request.body); !status.ok()) return ConfigProblem(status);
  Response response = ShowCamera(config->name, 201);
  response.headers["Location"] = "/api/v1/cameras/" + config->name;
  return response;
}

Response NodeApi::Test(const Request& request,
                       absl::FunctionRef<absl::StatusOr<cameras::StreamProbe>(double seconds)> probe_for) {
  const absl::Cleanup done = [this] { --tests_; };
  if (++tests_ > kTestsMax) return Problem(429, "Too Many Requests", "two cameras are being tested already");
  const auto probe = probe_for(NumberOf(request, "seconds", 5, 0.5, kTestSecondsMax));
  if (absl::IsInvalidArgument(probe.status())) return ConfigProblem(probe.status());
  Json json = {{"ok", probe.ok()}};
  if (!probe.ok()) {  // the answer to what was asked: it does not work, and why
    json["error"] = WithoutAnyCredentials(MessageOf(probe.status()));
    return JsonResponse(json);
  }
  json["connect_s"] = probe->connect_s;
  json["state"] = StateJson(probe->status);
  // Nobody has looked for what must be hidden in it.
  if (request.local && probe->picture != nullptr) {
    if (const auto jpeg = EncodePlain(probe->picture, kTestPictureWidth); jpeg.ok())
      json["picture_jpeg"] = absl::Base64Escape(absl::string_view(jpeg->data(), jpeg->size()));
  }
  return JsonResponse(json);
}

Response NodeApi::SetTopic(const Request& request) {
  const std::string& topic = request.parts.at("topic");
  const Json body = Json::parse(request.body, nullptr, false);
  const auto value = body.is_object() ? body.find("value") : body.end();
  if (!body.is_object() || value == body.end() || !value->is_string()) {
    return Problem(400, "Bad Request", "the body must be {\"value\": \"TEXT\"}");
  }
  const auto& text = value->get_ref<const std::string&>();
  if (topic.size() > kTopicMax || text.size() > kTopicValueMax) {
    return Problem(400, "Bad Request",
                   fmt::format("a topic has {} bytes at most, its value {}", kTopicMax, kTopicValueMax));
  }
  const absl::Status status = node_.Publish(request.parts.at("name"), {topic, text});
  return status.ok() ? TextResponse("", "", 204) : Problem(status);
}

Response NodeApi::Picture(const Request& request) {
  const std::string& name = request.parts.at("name");
  const auto view = node_.view(name);
  if (!view.ok()) return Problem(view.status());
  const auto jpeg = pictures_.Encode(name, *view, StyleOf(request));
  if (!jpeg.ok()) return Problem(jpeg.status());
  Response response = TextResponse(**jpeg, "image/jpeg");
  response.headers["X-Captured"] = TimeText(view->captured);
  return response;
}

Response NodeApi::LivePicture(const Request& request) {
  const std::string& name = request.parts.at("name");
  const auto view = node_.view(name);
  if (absl::IsNotFound(view.status())) return Problem(view.status());
  if (viewers_.full()) {
    return Problem(503, "Service Unavailable",
                   fmt::format("{} viewers look on already", LiveViewers::kViewersMax));
  }
  Response response;
  response.type = fmt::format("multipart/x-mixed-replace; boundary={}", LiveViewers::kBoundary);
  response.stream =
      [self = shared_from_this(), name, style = StyleOf(request),
       rate = NumberOf(request, "fps", 5, 0.1, LiveViewers::kRateMax)](std::shared_ptr<BodyStream> stream) {
        if (stream->Write(fmt::format("--{}\r\n", LiveViewers::kBoundary)))
          self->viewers_.Add(name, style, rate, std::move(stream));
      };
  return response;
}

void NodeApi::AddRoutes() {
  server_.Route("GET", "/healthz", [](const Request&) { return TextResponse("ok\n"); });
  Add("GET", "/readyz", &NodeApi::Ready);
  Add("GET", "/metrics", &NodeApi::Metrics);
  Add("GET", "/api/v1/status", &NodeApi::Status);
  Add("GET", "/api/v1/sinks", &NodeApi::Sinks);
  Add("GET", "/api/v1/cameras", &NodeApi::Cameras);
  Add("POST", "/api/v1/cameras", &NodeApi::AddCamera);
  Add("POST", "/api/v1/cameras:test", &NodeApi::TestCamera);
  Add("GET", "/api/v1/cameras/{name}", &NodeApi::Camera);
  Add("PUT", "/api/v1/cameras/{name}", &NodeApi::ReplaceCamera);
  Add("DELETE", "/api/v1/cameras/{name}", &NodeApi::RemoveCamera);
  Add("POST", "/api/v1/cameras/{name}/pause", &NodeApi::Pause);
  Add("POST", "/api/v1/cameras/{name}/resume", &NodeApi::Resume);
  Add("POST", "/api/v1/cameras/{name}/test", &NodeApi::TestStoredCamera);
  Add("PUT", "/api/v1/cameras/{name}/topics/{topic}", &NodeApi::SetTopic);
  Add("GET", "/api/v1/cameras/{name}/picture.jpg", &NodeApi::Picture);
  Add("GET", "/api/v1/cameras/{name}/live.mjpeg", &NodeApi::LivePicture);
}

// The page asks nobody else for anything, runs no script but its own, and is in nobody's frame.
Response PageFile(std::string_view type, std::string_view bytes) {
  Response response = TextResponse(std::string(bytes), type);
  response.headers["Content-Security-Policy"] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' "
      "blob:; "
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  response.headers["X-Frame-Options"] = "DENY";
  response.headers["Cache-Control"] = "no-cache";
  return response;
}

}  // namespace

void AddNodeRoutes(cameras::Node* node, Server* server) {
  std::make_shared<NodeApi>(node, server)->AddRoutes();
  AddEventRoutes(node, server);
  const auto page = [server](const char* path, std::string_view type, std::string_view bytes) {
    server->Route("GET", path, [type, bytes](const Request&) { return PageFile(type, bytes); });
  };
  page("/", "text/html; charset=utf-8", kPageHtml);
  page("/page.css", "text/css; charset=utf-8", kPageStyle);
  page("/page.js", "text/javascript; charset=utf-8", kPageScript);
  page("/openapi.yaml", "application/yaml; charset=utf-8", kOpenApi);
}

}  // namespace sightline::serving
