#include "serving/http_message.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/text.h"

namespace sightline::serving {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> Decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]), low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  if (!IsValidUtf8(out)) return std::nullopt;
  return out;
}

int StatusCodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kResourceExhausted:
      return 507;
    default:
      return 500;
  }
}

std::optional<uint64_t> Digits(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view target) {
  const absl::Status bad = absl::InvalidArgumentError(
      "the request's target is no path (control characters, broken escapes or no UTF-8)");
  if (target.empty() || target.front() != '/') return bad;
  Target out;
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  const std::string_view raw_path = target.substr(0, mark);
  auto path = Decoded(raw_path, false);
  if (!path) return bad;
  out.path = *std::move(path);
  for (const std::string& segment : Split(raw_path.substr(1), '/')) {
    auto decoded = Decoded(segment, false);
    if (!decoded) return bad;
    out.segments.push_back(*std::move(decoded));
  }
  if (mark == std::string_view::npos) return out;
  for (const std::string& pair : Split(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto key = Decoded(std::string_view(pair).substr(0, equals), true);
    auto value = equals == std::string::npos ? std::string()
                                             : Decoded(std::string_view(pair).substr(equals + 1), true);
    if (!key || !value) return bad;
    out.query[*key] = *std::move(value);
  }
  return out;
}

std::vector<std::string> PatternSegments(std::string_view pattern) { return Split(pattern.substr(1), '/'); }

bool MatchSegments(const std::vector<std::string>& pattern, const std::vector<std::string>& segments,
                   std::map<std::string, std::string>* parts) {
  if (pattern.size() != segments.size()) return false;
  parts->clear();
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string& part = pattern[i];
    if (part.size() > 2 && part.front() == '{' && part.back() == '}') {
      if (segments[i].empty()) return false;
      (*parts)[part.substr(1, part.size() - 2)] = segments[i];
    } else if (part != segments[i]) {
      return false;
    }
  }
  return true;
}

std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (Lower(header.substr(0, kUnit.size())) != kUnit) return std::nullopt;
  header = Trim(header.substr(kUnit.size()));
  const size_t dash = header.find('-');
  if (header.find(',') != std::string_view::npos || dash == std::string_view::npos) return std::nullopt;
  const std::string_view from = Trim(header.substr(0, dash)), to = Trim(header.substr(dash + 1));
  const auto first = Digits(from), last = Digits(to);
  if (from.empty()) {  // the last so many
    if (!last) return std::nullopt;
    const uint64_t count = std::min(*last, size);
    return ByteRange{size - count, count};
  }
  if (!first || (!to.empty() && (!last || *last < *first))) return std::nullopt;
  if (*first >= size) return ByteRange{};
  const uint64_t end = to.empty() ? size : std::min(size, *last + 1);
  return ByteRange{*first, end - *first};
}

std::string_view ReasonOf(int status) {
  constexpr std::pair<int, std::string_view> kReasons[] = {{200, "OK"},
                                                           {201, "Created"},
                                                           {204, "No Content"},
                                                           {206, "Partial Content"},
                                                           {304, "Not Modified"},
                                                           {400, "Bad Request"},
                                                           {401, "Unauthorized"},
                                                           {403, "Forbidden"},
                                                           {404, "Not Found"},
                                                           {405, "Method Not Allowed"},
                                                           {408, "Request Timeout"},
                                                           {409, "Conflict"},
                                                           {413, "Content Too Large"},
                                                           {415, "Unsupported Media Type"},
                                                           {416, "Range Not Satisfiable"},
                                                           {417, "Expectation Failed"},
                                                           {421, "Misdirected Request"},
                                                           {422, "Unprocessable Content"},
                                                           {429, "Too Many Requests"},
                                                           {431, "Request Header Fields Too Large"},
                                                           {500, "Internal Server Error"},
                                                           {501, "Not Implemented"},
                                                           {502, "Bad Gateway"},
                                                           {503, "Service Unavailable"},
                                                           {504, "Gateway Timeout"},
                                                           {505, "HTTP Version Not Supported"},
                                                           {507, "Insufficient Storage"}};
  for (const auto& [code, reason] : kReasons)
    if (code == status) return reason;
  return "Status";
}

std::string HttpDate(int64_t unix_s) {
  const time_t time = unix_s;
  std::tm parts{};
  gmtime_r(&time, &parts);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string HeadOf(int status, const std::map<std::string, std::string>& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, ReasonOf(status));
  for (const auto& [name, value] : headers) {
    head += name;
    head += ": ";
    for (const char c : value) head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    head += "\r\n";
  }
  return head + "\r\n";
}

std::string_view TypeOfFile(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".jpg", "image/jpeg"}, {".png", "image/png"}, {".mp4", "video/mp4"}, {".json", "application/json"}};
  for (const auto& [end, type] : kTypes)
    if (name.ends_with(end)) return type;
  return "application/octet-stream";
}

Response Problem(int status, std::string_view title, std::string_view detail) {
  Response response;
  response.status = status;
  response.type = "application/problem+json";
  nlohmann::ordered_json body = {
      {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", ToValidUtf8(detail)}};
  if (detail.find('\n') != std::string_view::npos) {
    for (const std::string& line : Split(detail, '\n'))
      if (!Trim(line).empty()) body["errors"].push_back(ToValidUtf8(Trim(line)));
  }
  response.body = body.dump() + "\n";
  if (status == 503 || status == 429) response.headers["Retry-After"] = "1";
  return response;
}

Response Problem(const absl::Status& status) {
  const int code = StatusCodeOf(status.code());
  return Problem(code, ReasonOf(code), MessageOf(status));
}

}  // namespace sightline::serving
