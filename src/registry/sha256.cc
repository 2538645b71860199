#include "registry/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace sightline::registry {

std::string Sha256Hex(absl::Span<const uint8_t> bytes) {
  std::array<uint8_t, 32> digest{};
  unsigned length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1 &&
        length == digest.size())
      << "OpenSSL has no SHA-256";
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace sightline::registry
