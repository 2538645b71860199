#include "serving/http_server.h"

#include <thread>
#include <unordered_set>

#include <boost/asio/post.hpp>

#include "base/check.h"
#include "base/log.h"
#include "base/net/address.h"
#include "base/status.h"
#include "base/text.h"
#include "serving/client_connection.h"
#include "serving/http_access.h"
#include "serving/server_core.h"

namespace sightline::serving {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr double kGuessCost = 10;  // requests that a wrong token counts for
constexpr std::chrono::seconds kStopWait{1};

struct Listen {
  std::string host, address;  // as written, numeric
  uint16_t port = 0;
  bool loopback = false;
};

absl::StatusOr<Listen> ParseListen(const std::string& text) {
  Listen listen;
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : ParseInteger(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    return absl::InvalidArgumentError(
        fmt::format("http.listen: '{}' is not host:port (such as 127.0.0.1:8080)", ToValidUtf8(text)));
  }
  listen.port = static_cast<uint16_t>(*port);
  listen.host = HostOf(text);
  if (listen.host.empty()) listen.host = "0.0.0.0";
  auto addresses = LookUpHost(listen.host);
  if (!addresses.ok()) return Annotate(addresses.status(), fmt::format("http.listen: {}", listen.host));
  const auto loopback = [](const std::string& address) { return ZoneOf(address) == AddressZone::kLoopback; };
  listen.loopback = std::all_of(addresses->begin(), addresses->end(), loopback);
  // "localhost" is ::1 too on some machines; people write 127.0.0.1.
  const auto four = std::find_if(addresses->begin(), addresses->end(), [](const std::string& address) {
    return address.find(':') == std::string::npos;
  });
  listen.address = four == addresses->end() ? addresses->front() : *four;
  return listen;
}

class HttpServer final : public Server, public ServerCore {
 public:
  HttpServer(const ServerOptions& options, Listen listen, std::unique_ptr<asio::ssl::context> tls)
      : options_(options),
        listen_(std::move(listen)),
        tls_(std::move(tls)),
        token_(options.token),
        rates_(options.requests_per_second, Clock::Real()),
        acceptor_(io_),
        timer_(io_),
        pool_(options.threads, static_cast<size_t>(std::max(16, options.connections_max / 2))) {
    options_.token.clear();
  }
  ~HttpServer() override { Stop(); }

  void Route(std::string method, std::string path, Handler handler) override {
    CHECK(!thread_.joinable()) << "routes come before Start";
    routes_.push_back({std::move(method), path, PatternSegments(path), std::move(handler)});
  }

  absl::Status Start() override {
    ErrorCode error;
    const tcp::endpoint endpoint(asio::ip::make_address(listen_.address, error), listen_.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error) {
      return absl::UnavailableError(
          fmt::format("http.listen: {}:{}: {}", listen_.host, listen_.port, error.message()));
    }
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  std::string Metrics() const override { return counts_.Text(pool_.waiting()); }

  const ServerOptions& options() const override { return options_; }
  asio::io_context& io() override { return io_; }
  HandlerPool& pool() override { return pool_; }
  ServerCounts& counts() override { return counts_; }
  bool stopping() const override { return stopping_; }
  std::optional<Response> Screen(const std::vector<std::string>& segments, Request* request,
                                 const serving::Route** route) override;
  void OnClosed(const std::shared_ptr<ClientConnection>& connection) override {
    connections_.erase(connection);
    if (const auto found = of_address_.find(connection->peer());
        found != of_address_.end() && --found->second <= 0)
      of_address_.erase(found);
    counts_.connections = static_cast<int>(connections_.size());
    if (stopping_ && connections_.empty()) timer_.cancel();
  }

 private:
  void Accept();
  void Take(tcp::socket socket);
  bool MakeRoom(const std::string& peer);
  std::optional<Response> ScreenClient(const Request& request);
  std::optional<Response> FindRoute(const std::vector<std::string>& segments, Request* request,
                                    const serving::Route** route) const;
  void Stop();
  void BeginStop();

  ServerOptions options_;
  const Listen listen_;
  const std::unique_ptr<asio::ssl::context> tls_;
  const TokenCheck token_;
  std::vector<serving::Route> routes_;
  ServerCounts counts_;
  int port_ = 0;

  // On the server's thread alone.
  asio::io_context io_{1};
  AddressRates rates_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::unordered_set<std::shared_ptr<ClientConnection>> connections_;
  std::map<std::string, int> of_address_;
  bool stopping_ = false;

  HandlerPool pool_;
  std::thread thread_;
};

void HttpServer::Accept() {
  acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
    if (stopping_ || error == asio::error::operation_aborted) return;
    if (!error) {
      Take(std::move(socket));
      return Accept();
    }
    // Out of descriptors, most likely: some will come back.
    counts_.CountRefused("accept");
    timer_.expires_after(std::chrono::milliseconds(100));
    timer_.async_wait([this](ErrorCode cancelled) {
      if (!cancelled) Accept();
    });
  });
}

void HttpServer::Take(tcp::socket socket) {
  ErrorCode error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const std::string peer = remote.address().to_string();
  ++counts_.accepted;
  if (!MakeRoom(peer)) {
    counts_.CountRefused("connections");
    if (tls_ == nullptr) {
      const Outgoing full =
          ToOutgoing(Problem(503, ReasonOf(503), "too many connections; try again in a moment"), {});
      auto headers = full.headers;
      headers["Connection"] = "close";
      headers["Content-Length"] = std::to_string(full.body.size());
      socket.non_blocking(true, error);
      socket.write_some(asio::buffer(HeadOf(503, headers) + full.body), error);
    }
    return;
  }
  socket.set_option(tcp::no_delay(true), error);
  auto transport =
      tls_ == nullptr ? NewPlainTransport(std::move(socket)) : NewTlsTransport(std::move(socket), tls_.get());
  auto connection = std::make_shared<ClientConnection>(this, std::move(transport), peer);
  connections_.insert(connection);
  ++of_address_[peer];
  counts_.connections = static_cast<int>(connections_.size());
  connection->Start();
}

// Off this machine one address gets half of the connections at most. Where all are taken, one that waits for
// its next request goes.
bool HttpServer::MakeRoom(const std::string& peer) {
  const auto max = static_cast<size_t>(options_.connections_max);
  const auto found = of_address_.find(peer);
  if (!IsLocalHost(peer) && found != of_address_.end() &&
      static_cast<size_t>(found->second) >= std::max<size_t>(1, max / 2))
    return false;
  if (connections_.size() < max) return true;
  for (const auto& connection : connections_) {
    if (!connection->idle()) continue;
    const auto kept = connection;  // it leaves the set
    kept->Close();
    return true;
  }
  return false;
}

std::optional<Response> HttpServer::ScreenClient(const Request& request) {
  const auto host = request.headers.find("host");
  const std::string name = host == request.headers.end() ? "" : HostOf(host->second);
  // A page elsewhere may have its name lead to this machine: the browser then takes us for that page's
  // server.
  if (listen_.loopback && !token_.required() && host != request.headers.end() && !IsLocalHost(name) &&
      name != listen_.host) {
    counts_.CountRefused("host");
    return Problem(
        421, ReasonOf(421),
        "this node answers to localhost and loopback addresses only; set http.token for other names");
  }
  const bool open = std::find(options_.open_paths.begin(), options_.open_paths.end(), request.path) !=
                        options_.open_paths.end() &&
                    !ChangesSomething(request.method);
  const auto authorization = request.headers.find("authorization");
  const std::string given = authorization == request.headers.end() ? "" : authorization->second;
  if (!open && !token_.Allows(given)) {
    counts_.CountRefused("token");
    if (!given.empty()) rates_.Take(request.peer, kGuessCost);
    Response response = Problem(401, ReasonOf(401),
                                given.empty() ? "this node wants a token: Authorization: Bearer TOKEN"
                                              : "the token is not this node's");
    response.headers["WWW-Authenticate"] =
        given.empty() ? "Bearer realm=\"sightline\"" : "Bearer realm=\"sightline\", error=\"invalid_token\"";
    return response;
  }
  if (ChangesSomething(request.method) && IsCrossOrigin(request)) {
    counts_.CountRefused("origin");
    return Problem(403, ReasonOf(403), "a page of another origin may change nothing here");
  }
  return std::nullopt;
}

std::optional<Response> HttpServer::FindRoute(const std::vector<std::string>& segments, Request* request,
                                              const serving::Route** route) const {
  const std::string method = request->method == "HEAD" ? "GET" : request->method;
  std::map<std::string, std::string> parts;
  std::string allowed;
  for (const serving::Route& candidate : routes_) {
    if (!MatchSegments(candidate.segments, segments, &parts)) continue;
    if (candidate.method != method) {
      if (allowed.find(candidate.method) == std::string::npos)
        allowed +=
            (allowed.empty() ? "" : ", ") + candidate.method + (candidate.method == "GET" ? ", HEAD" : "");
      continue;
    }
    // What is written out goes before what stands for a name ('{' comes after all letters).
    if (*route != nullptr && (*route)->segments < candidate.segments) continue;
    *route = &candidate;
    request->parts = parts;
  }
  if (*route != nullptr) return std::nullopt;
  if (allowed.empty()) return Problem(404, ReasonOf(404), "there is no such address; see /openapi.yaml");
  Response response = Problem(405, ReasonOf(405), "this address takes other methods: " + allowed);
  response.headers["Allow"] = allowed;
  return response;
}

std::optional<Response> HttpServer::Screen(const std::vector<std::string>& segments, Request* request,
                                           const serving::Route** route) {
  if (const double wait_s = rates_.Take(request->peer); wait_s > 0) {
    counts_.CountRefused("rate");
    Response response = Problem(429, ReasonOf(429), "too many requests from this address");
    response.headers["Retry-After"] = std::to_string(static_cast<int>(std::ceil(wait_s)));
    return response;
  }
  if (auto refusal = ScreenClient(*request)) return refusal;
  return FindRoute(segments, request, route);
}

void HttpServer::BeginStop() {
  stopping_ = true;
  ErrorCode ignored;
  acceptor_.close(ignored);
  const std::vector<std::shared_ptr<ClientConnection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->Stop();
  if (connections_.empty()) return timer_.cancel(), void();
  timer_.expires_after(kStopWait);
  timer_.async_wait([this](ErrorCode error) {
    if (error) return;
    const std::vector<std::shared_ptr<ClientConnection>> left(connections_.begin(), connections_.end());
    for (const auto& connection : left) connection->Close();
  });
}

// Responses that are under way are sent, for a second at most; streams end at once.
void HttpServer::Stop() {
  if (thread_.joinable()) asio::post(io_, [this] { BeginStop(); });
  pool_.Close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Create(const ServerOptions& options) {
  ASSIGN_OR_RETURN(Listen listen, ParseListen(options.listen));
  if (options.certificate.empty() != options.key.empty())
    return absl::InvalidArgumentError("http: certificate and key belong together");
  if (!listen.loopback && (options.token.empty() || options.certificate.empty())) {
    return absl::FailedPreconditionError(
        fmt::format("http.listen: {} can be reached from other machines: that needs http.token and TLS "
                    "(http.certificate, "
                    "http.key); without them listen on 127.0.0.1 and come through a tunnel or a proxy",
                    options.listen));
  }
  if (!options.token.empty() && options.token.size() < 16 && !listen.loopback)
    return absl::FailedPreconditionError("http.token: has fewer than 16 characters and could be guessed");
  std::unique_ptr<asio::ssl::context> tls;
  if (!options.certificate.empty()) {
    ASSIGN_OR_RETURN(tls, NewServerTls(options.certificate, options.key));
  }
  return std::make_unique<HttpServer>(options, std::move(listen), std::move(tls));
}

}  // namespace sightline::serving
