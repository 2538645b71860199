#include "cameras/stream/source_address.h"

#include "base/net/url.h"
#include "base/text.h"

namespace sightline::cameras {
namespace {

constexpr size_t kAddressBytesMax = 8192;

std::string WithoutQueries(std::string_view text) {
  std::string shown;
  while (true) {
    const size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return shown.append(text);
    const size_t end = std::min(text.find_first_of(" \t\n'\"),;", scheme), text.size());
    const size_t query = text.find('?', scheme);
    shown.append(text.substr(0, std::min(query, end)));
    text.remove_prefix(end);
  }
}

void Replace(std::string* text, std::string_view secret) {
  if (secret.size() < 3) return;  // would tear words apart, and guards nothing
  for (size_t at = text->find(secret); at != std::string::npos; at = text->find(secret, at + 3))
    text->replace(at, secret.size(), "***");
}

}  // namespace

absl::StatusOr<ingest::Input> ParseSource(const SourceOptions& options, const StreamContext& context) {
  const std::string& address = options.address;
  if (address.empty()) return absl::InvalidArgumentError("a camera needs a source");
  if (address.size() > kAddressBytesMax || address.find('\0') != std::string::npos)
    return absl::InvalidArgumentError("that is no source of a camera");
  ingest::Input input;
  input.address = address;
  if (address.starts_with("sim:")) {
    if (!context.open_simulated)
      return absl::InvalidArgumentError("simulated cameras are not available here");
    input.kind = ingest::InputKind::kSimulated;
    input.name = ToValidUtf8(address);
    return input;
  }
  if (address.find("://") == std::string::npos) {
    input.kind = ingest::InputKind::kFile;
    input.name = ToValidUtf8(address);
    return input;
  }
  const auto url = ParseUrl(address);
  if (!url.ok()) return WithoutSecrets(absl::InvalidArgumentError(url.status().message()), address);
  input.kind = ingest::InputKind::kUrl;
  input.name = url->Place();
  return input;
}

absl::Status WithoutSecrets(const absl::Status& status, std::string_view address) {
  if (status.ok() || address.find("://") == std::string_view::npos) return status;
  std::string text(status.message());
  const size_t begin = address.find("://") + 3;
  const std::string_view authority = address.substr(begin, address.find_first_of("/?#", begin) - begin);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = authority.substr(0, at);
    const size_t colon = credentials.find(':');
    Replace(&text, credentials);
    if (colon != std::string_view::npos) {
      Replace(&text, credentials.substr(colon + 1));
      Replace(&text, PercentDecoded(credentials.substr(colon + 1)));
    }
  }
  if (const size_t query = address.find('?'); query != std::string_view::npos)
    Replace(&text, address.substr(query + 1));
  // What is left are others' addresses, as in redirections.
  return absl::Status(status.code(), ToValidUtf8(WithoutQueries(WithoutAnyCredentials(text))));
}

}  // namespace sightline::cameras
