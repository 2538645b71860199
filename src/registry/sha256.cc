#include "registry/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace sightline::registry {

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CHECK(state_->context != nullptr && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1)
      << "OpenSSL has no SHA-256";
}

Sha256::~Sha256() = default;

void Sha256::Update(absl::Span<const uint8_t> bytes) {
  CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1) << "SHA-256 failed";
}

std::string Sha256::FinishHex() {
  std::array<uint8_t, 32> digest{};
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) == 1 && length == digest.size())
      << "SHA-256 failed";
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string Sha256Hex(absl::Span<const uint8_t> bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.FinishHex();
}

}  // namespace sightline::registry
