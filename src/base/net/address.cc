#include "base/net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/text.h"

namespace sightline {
namespace {

constexpr size_t kAddressesMax = 16;

struct Network4 {
  uint32_t network;
  int bits;
  AddressZone zone;
};
// First match counts. Cloud metadata: Amazon (machines, containers, pods; and most others), Alibaba, Oracle,
// Azure.
constexpr Network4 kNetworks4[] = {
    {0xA9FEA9FE, 32, AddressZone::kMetadata},  // 169.254.169.254
    {0xA9FEAA02, 32, AddressZone::kMetadata},  // 169.254.170.2
    {0xA9FEAA17, 32, AddressZone::kMetadata},  // 169.254.170.23
    {0x646464C8, 32, AddressZone::kMetadata},  // 100.100.100.200
    {0xC00000C0, 32, AddressZone::kMetadata},  // 192.0.0.192
    {0xA83F8110, 32, AddressZone::kMetadata},  // 168.63.129.16
    {0x00000000, 8, AddressZone::kRefused},    // this host
    {0xA9FE0000, 16, AddressZone::kRefused},   // link-local
    {0xE0000000, 3, AddressZone::kRefused},    // multicast, reserved, broadcast
    {0x7F000000, 8, AddressZone::kLoopback},  {0x0A000000, 8, AddressZone::kPrivate},
    {0xAC100000, 12, AddressZone::kPrivate},  {0xC0A80000, 16, AddressZone::kPrivate},
    {0x64400000, 10, AddressZone::kPrivate},  // shared, carrier NAT
    {0xC6120000, 15, AddressZone::kPrivate},  // benchmarking
};

AddressZone ZoneOf4(uint32_t address) {
  for (const Network4& n : kNetworks4) {
    if ((address ^ n.network) >> (32 - n.bits) == 0) return n.zone;
  }
  return AddressZone::kPublic;
}

using Bytes16 = std::array<uint8_t, 16>;

bool StartsWith(const Bytes16& address, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

uint32_t Embedded4(const Bytes16& a, size_t at) {
  return uint32_t{a[at]} << 24 | uint32_t{a[at + 1]} << 16 | uint32_t{a[at + 2]} << 8 | a[at + 3];
}

AddressZone ZoneOf6(const Bytes16& a) {
  constexpr Bytes16 kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr Bytes16 kAmazonMetadata{0xFD, 0x00, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  constexpr Bytes16 kGoogleMetadata{0xFD, 0x20, 0x00, 0xCE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (a == kLoopback) return AddressZone::kLoopback;
  if (a == kAmazonMetadata || a == kGoogleMetadata) return AddressZone::kMetadata;
  if (StartsWith(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return ZoneOf4(Embedded4(a, 12));
  if (StartsWith(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return ZoneOf4(Embedded4(a, 12));  // holds :: too
  if (StartsWith(a, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return ZoneOf4(Embedded4(a, 12));
  if (StartsWith(a, {0x20, 0x02})) return ZoneOf4(Embedded4(a, 2));
  if (a[0] == 0xFE && (a[1] & 0xC0) == 0x80) return AddressZone::kRefused;
  if (a[0] == 0xFE && (a[1] & 0xC0) == 0xC0) return AddressZone::kPrivate;
  if ((a[0] & 0xFE) == 0xFC) return AddressZone::kPrivate;
  return a[0] == 0xFF ? AddressZone::kRefused : AddressZone::kPublic;
}

// A question to the resolver that may outlive whoever asked it: the resolver cannot be interrupted.
struct Question {
  explicit Question(const std::string& asked) : host(asked) {
    hints.ai_socktype = SOCK_STREAM;
    request.ar_name = host.c_str();
    request.ar_request = &hints;
  }
  ~Question() {
    if (request.ar_result != nullptr) freeaddrinfo(request.ar_result);
  }
  const std::string host;
  addrinfo hints{};
  gaicb request{};
};

// Questions that nobody waits for any more, until they are answered.
struct Abandoned {
  absl::Mutex mutex;
  std::vector<std::unique_ptr<Question>> questions ABSL_GUARDED_BY(mutex);
  static Abandoned& Get() {
    static auto& all = *new Abandoned;
    return all;
  }
  void Add(std::unique_ptr<Question> question) {
    absl::MutexLock lock(&mutex);
    std::erase_if(questions, [](const auto& q) { return gai_error(&q->request) != EAI_INPROGRESS; });
    questions.push_back(std::move(question));
  }
};

// As getaddrinfo; EAI_CANCELED when `cancelled` says so first.
int LookUpUntil(const std::string& host, const std::function<bool()>& cancelled, addrinfo** found) {
  auto question = std::make_unique<Question>(host);
  gaicb* request = &question->request;
  if (const int error = getaddrinfo_a(GAI_NOWAIT, &request, 1, nullptr); error != 0) return error;
  while (gai_error(request) == EAI_INPROGRESS) {
    if (cancelled()) {
      if (gai_cancel(request) == EAI_NOTCANCELED) Abandoned::Get().Add(std::move(question));
      return EAI_CANCELED;
    }
    const gaicb* waited[] = {request};
    const timespec ask{0, 50'000'000};
    gai_suspend(waited, 1, &ask);
  }
  const int error = gai_error(request);
  *found = std::exchange(request->ar_result, nullptr);
  return error;
}

std::string_view Description(AddressZone zone) {
  switch (zone) {
    case AddressZone::kPublic:
      return "a public address";
    case AddressZone::kPrivate:
      return "an address of a private network";
    case AddressZone::kLoopback:
      return "this machine itself";
    case AddressZone::kRefused:
      return "a link-local or reserved address";
    case AddressZone::kMetadata:
      return "where a cloud keeps the credentials of a machine";
  }
  return "";
}

}  // namespace

AddressZone ZoneOf(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return ZoneOf4(ntohl(four.s_addr));
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) != 1) return AddressZone::kRefused;
  Bytes16 bytes;
  std::copy_n(six.s6_addr, 16, bytes.begin());
  return ZoneOf6(bytes);
}

absl::StatusOr<std::vector<std::string>> LookUpHost(const std::string& host,
                                                    const std::function<bool()>& cancelled) {
  addrinfo* found = nullptr;
  int error = 0;
  const bool numeric = ZoneOf(host) != AddressZone::kRefused;  // answered without asking anybody
  if (cancelled && !numeric) {
    error = LookUpUntil(host, cancelled, &found);
    if (error == EAI_CANCELED) return absl::CancelledError("the look-up was given up");
  } else {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  }
  if (error != 0) {
    // RFC 6761 6.3: this name is known also to a machine without a file of hosts.
    if (host == "localhost") return std::vector<std::string>{"127.0.0.1", "::1"};
    return absl::UnavailableError(fmt::format("the host {} can't be found: {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* a = found; a != nullptr && addresses.size() < kAddressesMax; a = a->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    addresses.emplace_back(text);
  }
  return addresses;
}

absl::Status AddressPolicy::Check(const std::string& host, const std::string& address) const {
  const AddressZone zone = ZoneOf(address);
  if (zone == AddressZone::kRefused && host == named_host_ && host == address) return absl::OkStatus();
  if (zone <= innermost_) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "{} leads to {}, {}; {}", host, address, Description(zone),
      zone >= AddressZone::kRefused ? "such addresses are not opened"
                                    : "a redirect may not lead further inside than where it came from"));
}

absl::StatusOr<std::vector<std::string>> AddressPolicy::LookUp(const std::string& host,
                                                               const std::function<bool()>& cancelled) const {
  auto addresses = LookUpHost(host, cancelled);
  if (!addresses.ok()) return addresses;
  std::vector<std::string> allowed;
  absl::Status refused = absl::UnavailableError(fmt::format("the host {} has no address", host));
  for (const std::string& address : *addresses) {
    if (absl::Status status = Check(host, address); status.ok()) {
      allowed.push_back(address);
    } else {
      refused = status;
    }
  }
  if (allowed.empty()) return refused;
  return allowed;
}

void AddressPolicy::Connected(const std::string& address) {
  innermost_ = std::min(innermost_, ZoneOf(address));
}

}  // namespace sightline
