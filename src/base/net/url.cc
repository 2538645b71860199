#include "base/net/url.h"

#include <algorithm>

#include "base/text.h"

namespace sightline {
namespace {

constexpr size_t kUrlBytesMax = 8192;
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

uint16_t PortOf(std::string_view scheme) {
  if (scheme == "http") return 80;
  if (scheme == "https") return 443;
  if (scheme == "rtsp") return 554;
  if (scheme == "rtsps") return 322;
  return 0;
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string EncodedTarget(std::string_view target) {
  std::string encoded;
  for (const char c : target.substr(0, target.find('#'))) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte > 0x20 && byte < 0x7F) {
      encoded += c;
    } else {
      encoded += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  if (encoded.empty() || encoded.front() != '/') encoded.insert(0, "/");
  return encoded;
}

bool IsHost(std::string_view host, bool bracketed) {
  if (host.empty() || host.size() > 253) return false;
  return std::all_of(host.begin(), host.end(), [&](char c) {
    if (bracketed) return HexValue(c) >= 0 || c == ':' || c == '.';
    return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_';
  });
}

absl::Status Refused(std::string_view text, std::string_view why) {
  // Written so that no credentials can show, even where the URL can't be taken apart.
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no usable URL: {}", WithoutAnyCredentials(text), why));
}

// Removes "." and ".." segments (RFC 3986, 5.2.4) from the path part of a target.
std::string WithoutDotSegments(std::string_view target) {
  const size_t query = std::min(target.find('?'), target.size());
  std::vector<std::string> kept;
  const std::vector<std::string> segments = Split(target.substr(0, query), '/');
  for (size_t i = 1; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.emplace_back();
    } else if (segments[i] == ".") {
      if (last) kept.emplace_back();
    } else {
      kept.push_back(segments[i]);
    }
  }
  return fmt::format("/{}{}", Join(kept, "/"), target.substr(query));
}

}  // namespace

std::string Url::Authority() const {
  const std::string shown = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return port == PortOf(scheme) ? shown : fmt::format("{}:{}", shown, port);
}

std::string Url::Shown() const { return fmt::format("{}://{}{}", scheme, Authority(), target); }

std::string Url::Place() const {
  return fmt::format("{}://{}{}", scheme, Authority(), target.substr(0, target.find('?')));
}

std::string Url::Text() const {
  return credentials.empty() ? Shown()
                             : fmt::format("{}://{}@{}{}", scheme, credentials, Authority(), target);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.size() > kUrlBytesMax) return Refused(text.substr(0, 80), "it is longer than 8 KiB");
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return Refused("", "it holds control characters");
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Refused(text, "it has no scheme://");
  Url url;
  url.scheme = Lower(text.substr(0, colon));
  url.port = PortOf(url.scheme);
  if (url.port == 0) return Refused(text, "only http, https, rtsp and rtsps are allowed");

  const std::string_view rest = text.substr(colon + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  url.target = EncodedTarget(rest.substr(authority_end));
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const bool bracketed = !authority.empty() && authority.front() == '[';
  const size_t host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return Refused(text, "the bracket of its address is not closed");
  url.host = Lower(bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end));
  if (!IsHost(url.host, bracketed))
    return Refused(text, "its host is empty or holds characters that no host has");
  const std::string_view port = authority.substr(host_end + (bracketed ? 1 : 0));
  if (port.size() > 1) {
    const auto number = ParseInteger(port.substr(1));
    if (port.front() != ':' || !number || *number < 1 || *number > 65535)
      return Refused(text, "its port is no port");
    url.port = static_cast<uint16_t>(*number);
  } else if (port.size() == 1 && port.front() != ':') {
    return Refused(text, "its port is no port");
  }
  return url;
}

absl::StatusOr<Url> ResolveReference(const Url& base, std::string_view reference) {
  if (const std::string scheme = SchemeOf(reference); !scheme.empty()) {
    return ParseUrl(reference);
  }
  if (reference.starts_with("//")) return ParseUrl(fmt::format("{}:{}", base.scheme, reference));
  const std::string_view base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  std::string target;
  if (reference.empty() || reference.front() == '#') {
    target = base.target;
  } else if (reference.front() == '?') {
    target = fmt::format("{}{}", base_path, reference);
  } else if (reference.front() == '/') {
    target = reference;
  } else {
    target = fmt::format("{}{}", base_path.substr(0, base_path.rfind('/') + 1), reference);
  }
  Url url = base;
  url.target.clear();
  return ParseUrl(fmt::format("{}{}", url.Text(), WithoutDotSegments(target)));
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string SchemeOf(std::string_view word) {
  size_t length = 0;
  while (length < word.size() &&
         (IsLetterOrDigit(word[length]) ||
          (length > 0 && (word[length] == '+' || word[length] == '-' || word[length] == '.')))) {
    ++length;
  }
  if (length == 0 || length == word.size() || word[length] != ':') return "";
  if (word.front() >= '0' && word.front() <= '9') return "";
  return Lower(word.substr(0, length));
}

std::string WithoutAnyCredentials(std::string_view line) {
  std::string clean;
  while (true) {
    const size_t scheme = line.find("://");
    if (scheme == std::string_view::npos) break;
    const size_t begin = scheme + 3;
    clean += line.substr(0, begin);
    line.remove_prefix(begin);
    const std::string_view authority = line.substr(0, line.find_first_of("/?# \t\r\n'\"<>|"));
    if (const size_t at = authority.rfind('@'); at != std::string_view::npos) line.remove_prefix(at + 1);
  }
  clean += line;
  return clean;
}

}  // namespace sightline
