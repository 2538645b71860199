// Any bytes as a server's answer: the client ends, within its limits.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/check.h"
#include "base/net/http_client.h"
#include "base/text.h"

namespace sightline {
namespace {

constexpr uint64_t kBodyBytesMax = 4096;

struct Listener {
  Listener() : descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(descriptor, any, length) == 0 && listen(descriptor, 8) == 0) << "no socket to listen on";
    CHECK(getsockname(descriptor, any, &length) == 0) << "no port";
    url = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
  }
  // Answers one client with `bytes`, whatever it asks.
  void Answer(absl::Span<const uint8_t> bytes) const {
    const int client = accept(descriptor, nullptr, nullptr);
    if (client < 0) return;
    (void)send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    char ignored[4096];
    while (recv(client, ignored, sizeof ignored, 0) > 0) {
    }
    close(client);
  }
  int descriptor;
  std::string url;
};

}  // namespace
}  // namespace sightline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sightline;  // NOLINT: the fuzzer's one function
  static const Listener& listener = *new Listener;
  std::jthread server([&] { listener.Answer(absl::MakeSpan(data, size)); });
  HttpOptions options;
  options.redirects_max = 0;  // targets are parsed, not followed
  options.bytes_max = kBodyBytesMax;
  Bytes body;
  const absl::Status status = HttpGet(listener.url, options, &body);
  CHECK(!status.ok() || body.size() <= kBodyBytesMax) << body.size();
  return 0;
}
