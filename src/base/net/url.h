// The few URLs that we take: scheme://[user[:password]@]host[:port][/path][?query].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sightline {

struct Url {
  std::string scheme;       // lower case
  std::string credentials;  // "user:password" as written (percent-encoded); "" for none
  std::string host;         // lower case; an IPv6 address without its brackets
  uint16_t port = 0;        // the scheme's own where none is written
  std::string target;       // path and query, "/" at least; without the fragment; only printable ASCII

  std::string Text() const;       // whole, with credentials
  std::string Shown() const;      // for people: without credentials
  std::string Place() const;      // the same without the query, which may hold keys
  std::string Authority() const;  // host[:port], as the Host header wants it
  bool operator==(const Url&) const = default;
};

// Refuses (InvalidArgument) other shapes, schemes without a known port (http, https, rtsp and rtsps have
// one), control characters, hosts that are not ASCII and more than 8 KiB. Blanks and bytes above ASCII in the
// target are percent-encoded.
absl::StatusOr<Url> ParseUrl(std::string_view text);

// `reference` as found in a document at `base` (RFC 3986, section 5): a whole URL, //host, /path, path or
// ?query.
absl::StatusOr<Url> ResolveReference(const Url& base, std::string_view reference);

// "a%20b" -> "a b"; what is no escape stays.
std::string PercentDecoded(std::string_view text);

// The scheme of a word: letters, digits, + - . before a ":"; "" where the word has none.
std::string SchemeOf(std::string_view word);

// A log line or message without the credentials of any URL in it.
std::string WithoutAnyCredentials(std::string_view line);

}  // namespace sightline
