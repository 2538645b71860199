#include "apps/sightline/node_client.h"

#include <cstdlib>

#include "base/net/http_request.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/node/node_config.h"

namespace sightline::app {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status StatusOf(const HttpResponse& response) {
  std::string words;
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (json.is_object()) {
    for (const char* key : {"title", "detail"}) {
      if (key == std::string_view("title") && json.contains("detail")) continue;
      if (json.contains(key) && json[key].is_string()) words = json[key].get<std::string>();
    }
  }
  if (words.empty()) words = fmt::format("the node answered {}", response.status);
  switch (response.status) {
    case 400:
    case 415:
    case 422:
      return absl::InvalidArgumentError(words);
    case 401:
    case 403:
      return absl::PermissionDeniedError(
          words + " (the token comes from --config or the environment's SIGHTLINE_TOKEN)");
    case 404:
      return absl::NotFoundError(words);
    case 409:
      return absl::AlreadyExistsError(words);
    case 429:
    case 507:
      return absl::ResourceExhaustedError(words);
    default:
      return response.status >= 500 ? absl::UnavailableError(words) : absl::FailedPreconditionError(words);
  }
}

class HttpNodeClient final : public NodeClient {
 public:
  HttpNodeClient(std::string address, std::string token, std::unique_ptr<HttpSession> session)
      : address_(std::move(address)), token_(std::move(token)), session_(std::move(session)) {}

  absl::StatusOr<nlohmann::json> Call(const std::string& method, const std::string& path,
                                      const std::string& body) override {
    HttpRequest request;
    request.method = method;
    request.target = path;
    request.body = body;
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/yaml");
    if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
    auto response = session_->Send(request);
    if (absl::IsUnavailable(response.status())) {
      return absl::UnavailableError(
          fmt::format("{}\nIs a node running there? `sightline serve` starts one; --node names another.",
                      MessageOf(response.status())));
    }
    if (!response.ok()) return response.status();
    if (response->status < 200 || response->status >= 300) return StatusOf(*response);
    if (response->body.empty()) return nlohmann::json();
    if (!response->whole) return absl::DataLossError(fmt::format("{}: the answer was cut", address_));
    auto json = nlohmann::json::parse(response->body, nullptr, false);
    if (json.is_discarded()) return absl::DataLossError(fmt::format("{}: the answer is no JSON", address_));
    return json;
  }
  const std::string& address() const override { return address_; }

 private:
  const std::string address_, token_;
  std::unique_ptr<HttpSession> session_;
};

}  // namespace

void AddNodeOptions(CLI::App& command, NodeClientOptions* options) {
  command
      .add_option("--node", options->node,
                  "Address of the node's API (default: of --config, $SIGHTLINE_NODE, http://127.0.0.1:8080)")
      ->type_name("URL");
  command.add_option("--config", options->config, "The node's configuration, for its address and token")
      ->type_name("FILE");
  command
      .add_option("--authorities", options->authorities,
                  "PEM of the certificate authorities to trust (https)")
      ->type_name("FILE");
}

absl::StatusOr<std::unique_ptr<NodeClient>> NodeClient::Create(const NodeClientOptions& options) {
  std::string address = options.node, token = Environment("SIGHTLINE_TOKEN");
  if (!options.config.empty()) {
    ASSIGN_OR_RETURN(const cameras::NodeConfig config, cameras::ReadNodeConfig(options.config));
    if (address.empty()) {
      std::string listen = config.http.listen;
      // What listens on every address is reached on this machine's own.
      if (listen.starts_with("0.0.0.0:")) listen.replace(0, 7, "127.0.0.1");
      if (listen.starts_with("[::]:")) listen.replace(0, 4, "[::1]");
      address = fmt::format("{}://{}", config.http.certificate.empty() ? "http" : "https", listen);
    }
    if (token.empty() && !config.http.token.empty()) {
      ASSIGN_OR_RETURN(token, cameras::WithEnvironment(config.http.token));
    }
  }
  if (address.empty()) address = Environment("SIGHTLINE_NODE");
  if (address.empty()) address = "http://127.0.0.1:8080";
  HttpSessionOptions session_options;
  session_options.timeout = std::chrono::seconds(60);  // `camera test` watches for a while
  session_options.authorities_file = options.authorities;
  auto session = HttpSession::Create(address, session_options);
  if (!session.ok()) return Annotate(session.status(), "--node");
  return std::make_unique<HttpNodeClient>(WithoutAnyCredentials(address), std::move(token),
                                          *std::move(session));
}

}  // namespace sightline::app
