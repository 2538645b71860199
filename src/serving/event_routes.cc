#include "serving/event_routes.h"

#include <ctime>

#include "base/status.h"
#include "base/text.h"
#include "serving/http_message.h"
#include "serving/live_streams.h"
#include "serving/node_json.h"

namespace sightline::serving {
namespace {

constexpr int kLimitDefault = 50, kLimitMax = 1000;

std::string QueryOf(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

absl::StatusOr<store::EventQuery> EventQueryOf(const Request& request) {
  store::EventQuery query;
  query.camera = QueryOf(request, "camera");
  query.kind = QueryOf(request, "kind");
  query.rule = QueryOf(request, "rule");
  query.before_id = QueryOf(request, "before_id");
  query.limit = kLimitDefault;
  if (const std::string text = QueryOf(request, "limit"); !text.empty()) {
    const auto limit = ParseInteger(text);
    if (!limit || *limit < 1 || *limit > kLimitMax)
      return absl::InvalidArgumentError(fmt::format("limit: must be 1 to {}", kLimitMax));
    query.limit = static_cast<int>(*limit);
  }
  for (auto [name, into] : {std::pair{"from", &query.from_us}, {"to", &query.to_us}}) {
    const std::string text = QueryOf(request, name);
    if (text.empty()) continue;
    *into = ParseTime(text);
    if (!*into) {
      return absl::InvalidArgumentError(
          fmt::format("{}: is no time such as 2026-03-01T12:00:00Z, nor seconds since 1970", name));
    }
  }
  return query;
}

Response ListEvents(const cameras::Node& node, const Request& request) {
  auto query = EventQueryOf(request);
  if (!query.ok()) return Problem(query.status());
  const auto events = node.Events(*query);
  if (!events.ok()) return Problem(events.status());
  // Each is JSON already.
  Response response;
  response.body = "{\"events\":[";
  for (size_t i = 0; i < events->size(); ++i) {
    if (i > 0) response.body += ',';
    response.body += (*events)[i].json;
  }
  const bool more = static_cast<int>(events->size()) == query->limit;
  response.body += fmt::format("],\"next_before_id\":{}}}\n", more ? Json(events->back().id).dump() : "null");
  return response;
}

Response ShowEvent(const cameras::Node& node, const Request& request) {
  const auto event = node.FindEvent(request.parts.at("id"));
  if (!event.ok()) return Problem(event.status());
  Response response;
  response.body = event->json + "\n";
  return response;
}

Response Evidence(const cameras::Node& node, const Request& request, const char* what) {
  const auto event = node.FindEvent(request.parts.at("id"));
  if (!event.ok()) return Problem(event.status());
  const Json json = Json::parse(event->json, nullptr, false);
  const Json data = json.is_object() ? json.value("data", Json::object()) : Json::object();
  const std::string name =
      data.is_object() && data.contains(what) && data[what].is_string() ? data[what].get<std::string>() : "";
  if (name.empty()) return Problem(404, "Not Found", fmt::format("this event has no {}", what));
  const auto file = Beneath(node.evidence_folder(), name);
  if (!file) {
    return Problem(404, "Not Found",
                   fmt::format("the {} is not there: it is still being made, or was removed for room", what));
  }
  Response response;
  response.file = *file;
  response.type = TypeOfFile(name);
  response.headers["Cache-Control"] = "private, max-age=3600";
  return response;
}

Response EventStream(const std::shared_ptr<EventFeed>& feed, const Request& request) {
  if (feed->full()) {
    return Problem(503, "Service Unavailable",
                   fmt::format("{} clients listen already", EventFeed::kListenersMax));
  }
  EventFilter filter{QueryOf(request, "camera"), QueryOf(request, "kind"), QueryOf(request, "rule")};
  const auto header = request.headers.find("last-event-id");
  std::string last_id = header == request.headers.end() ? QueryOf(request, "last_event_id") : header->second;
  Response response;
  response.type = "text/event-stream";
  response.stream = [feed, filter, last_id](std::shared_ptr<BodyStream> stream) {
    feed->Add(filter, last_id, std::move(stream));
  };
  return response;
}

// "+02:00" or "Z": seconds.
std::optional<int64_t> OffsetOf(std::string_view text) {
  if (text == "Z" || text == "z" || text.empty()) return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = ParseInteger(text.substr(1, 2)), minutes = ParseInteger(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

}  // namespace

std::optional<std::filesystem::path> Beneath(const std::filesystem::path& folder, std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) return std::nullopt;
  std::error_code error;
  const std::filesystem::path root = std::filesystem::canonical(folder, error);
  if (error) return std::nullopt;
  const std::filesystem::path file = std::filesystem::canonical(root / name, error);
  if (error) return std::nullopt;
  const auto [at, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (at != root.end() || rest == file.end()) return std::nullopt;
  return file;
}

std::optional<int64_t> ParseTime(std::string_view text) {
  if (const auto seconds = ParseNumber(text)) {
    if (std::abs(*seconds) > 1e11) return std::nullopt;
    return static_cast<int64_t>(*seconds * 1e6);
  }
  std::tm parts{};
  const std::string owned(text);
  const char* rest = strptime(owned.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  double fraction = 0;
  std::string_view left(rest);
  if (left.starts_with('.')) {
    size_t end = 1;
    while (end < left.size() && left[end] >= '0' && left[end] <= '9') ++end;
    if (end == 1 || end > 10) return std::nullopt;
    fraction = ParseNumber("0" + std::string(left.substr(0, end))).value_or(0);
    left.remove_prefix(end);
  }
  const auto offset = OffsetOf(left);
  if (!offset) return std::nullopt;
  return (static_cast<int64_t>(timegm(&parts)) - *offset) * 1'000'000 + static_cast<int64_t>(fraction * 1e6);
}

void AddEventRoutes(cameras::Node* node, Server* server) {
  const auto feed = std::make_shared<EventFeed>(node);
  server->Route("GET", "/api/v1/events",
                [node](const Request& request) { return ListEvents(*node, request); });
  server->Route("GET", "/api/v1/events/stream",
                [feed](const Request& request) { return EventStream(feed, request); });
  server->Route("GET", "/api/v1/events/{id}",
                [node](const Request& request) { return ShowEvent(*node, request); });
  server->Route("GET", "/api/v1/events/{id}/snapshot",
                [node](const Request& request) { return Evidence(*node, request, "snapshot"); });
  server->Route("GET", "/api/v1/events/{id}/clip",
                [node](const Request& request) { return Evidence(*node, request, "clip"); });
}

}  // namespace sightline::serving
