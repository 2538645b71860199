#include "cameras/node/sinks.h"

#include "base/status.h"
#include "base/text.h"

namespace sightline::cameras {
namespace {

using sinks::EventSink;

absl::StatusOr<std::unique_ptr<EventSink>> Make(const SinkConfig& config, const std::string& node,
                                                const std::filesystem::path& data) {
  ASSIGN_OR_RETURN(const std::string url, WithEnvironment(config.url));
  switch (config.kind) {
    case SinkKind::kWebhook: {
      sinks::WebhookOptions options;
      options.url = url;
      ASSIGN_OR_RETURN(options.secret, WithEnvironment(config.secret));
      options.timeout_s = config.timeout_s;
      options.authorities_file = config.authorities_file;
      return sinks::CreateWebhookSink(options);
    }
    case SinkKind::kMqtt: {
      sinks::MqttOptions options;
      options.url = url;
      if (!config.topic.empty()) options.topic = config.topic;
      options.client_id =
          config.client_id.empty() ? fmt::format("sightline-{}-{}", node, config.name) : config.client_id;
      options.authorities_file = config.authorities_file;
      options.home_assistant = config.home_assistant;
      options.timeout_s = config.timeout_s;
      return sinks::CreateMqttSink(options);
    }
    case SinkKind::kNats: {
      sinks::NatsOptions options;
      options.url = url;
      if (!config.subject.empty()) options.subject = config.subject;
      options.jet_stream = config.jet_stream;
      options.authorities_file = config.authorities_file;
      options.timeout_s = config.timeout_s;
      return sinks::CreateNatsSink(options);
    }
    case SinkKind::kJsonLines: {
      sinks::JsonLinesOptions options;
      options.file = data / config.file;
      return sinks::CreateJsonLinesSink(options);
    }
  }
  return absl::InvalidArgumentError("no such kind of sink");
}

}  // namespace

absl::StatusOr<std::vector<NamedSink>> MakeSinks(const std::vector<SinkConfig>& configs,
                                                 const std::string& node, const std::filesystem::path& data) {
  std::vector<NamedSink> sinks;
  for (const SinkConfig& config : configs) {
    auto sink = Make(config, node, data);
    if (!sink.ok()) return Annotate(sink.status(), fmt::format("sink '{}'", config.name));
    sinks.push_back({config.name, *std::move(sink), config.kinds, config.cameras});
  }
  return sinks;
}

}  // namespace sightline::cameras
