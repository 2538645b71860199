#include "base/text.h"
#include "cameras/node/camera_declaration.h"

namespace sightline::cameras {
namespace {

using pipeline::Boolean;
using pipeline::Choice;
using pipeline::Integer;
using pipeline::ListOf;
using pipeline::Object;
using pipeline::Of;
using pipeline::Text;
using pipeline::Typed;
using pipeline::WideNumber;

Object<SinkConfig>* NewSink(std::string_view kind, std::string doc) {
  auto* o = new Object<SinkConfig>(fmt::format("{} sink", kind), std::move(doc));
  using S = SinkConfig;
  o->Add("kind", &S::kind,
         Choice<SinkKind>({{"webhook", SinkKind::kWebhook, ""},
                           {"mqtt", SinkKind::kMqtt, ""},
                           {"nats", SinkKind::kNats, ""},
                           {"jsonl", SinkKind::kJsonLines, ""}}),
         "What it is.")
      .Required()
      .Example(std::string(kind));
  o->Add("name", &S::name, NameText("a name of a-z, 0-9, '_' and '-'"),
         "Name; what waits for a sink is kept under it.")
      .Default("the kind");
  o->Add("kinds", &S::kinds, Names(64), "Only events of these rule kinds.")
      .Default("all")
      .Example("[near_miss]");
  o->Add("cameras", &S::cameras, Names(10'000), "Only events of these cameras.").Default("all");
  return o;
}

void AddRemote(Object<SinkConfig>* o, std::string example) {
  using S = SinkConfig;
  o->Add("url", &S::url, Text(), "Where to. ${NAME} takes an environment variable.")
      .Required()
      .Example(example);
  o->Add("authorities_file", &S::authorities_file, Text(), "PEM of the certificate authorities to trust.")
      .Default("the system's");
  o->Add("timeout_s", &S::timeout_s, WideNumber({.min = 0.1, .max = 120}),
         "Seconds to wait for an acknowledgement.");
}

std::vector<std::pair<std::string, const pipeline::ObjectType*>> Sinks() {
  using S = SinkConfig;
  auto* webhook = NewSink("webhook", "Each event as a CloudEvent in an HTTP POST.");
  AddRemote(webhook, "https://control.example.org/events");
  webhook->Add("secret", &S::secret, Text(), "Key of the HMAC-SHA256 signature.")
      .Default("not signed")
      .Example("${WEBHOOK_SECRET}");
  auto* mqtt = NewSink("mqtt", "Each event as an MQTT message of QoS 1.");
  AddRemote(mqtt, "mqtts://broker.example.org");
  mqtt->Add("topic", &S::topic, Text(), "Topic; {camera} and {kind} are filled in.")
      .Default("sightline/{camera}/{kind}");
  mqtt->Add("client_id", &S::client_id, Text(), "Client's name.").Default("sightline-NODE-SINK");
  mqtt->Add("home_assistant", &S::home_assistant, Boolean(), "Announce the cameras to Home Assistant.");
  auto* nats = NewSink("nats", "Each event as a NATS message.");
  AddRemote(nats, "nats://bus.example.org");
  nats->Add("subject", &S::subject, Text(), "Subject; {camera} and {kind} are filled in.")
      .Default("sightline.{camera}.{kind}");
  nats->Add("jet_stream", &S::jet_stream, Boolean(), "Wait for the acknowledgement of a JetStream stream.");
  auto* lines = NewSink("jsonl", "Events as JSON Lines, rotated at 64 MiB.");
  lines->Add("file", &S::file, Text(), "File; relative ones lie in data_dir.")
      .Required()
      .Example("events.jsonl");
  return {{"webhook", webhook}, {"mqtt", mqtt}, {"nats", nats}, {"jsonl", lines}};
}

Typed<SinkConfig> SinkVariants() {
  static const auto* type = new std::shared_ptr<const pipeline::Type>(pipeline::MakeVariants(
      "kind", Sinks(),
      [](const void* value) { return static_cast<size_t>(static_cast<const SinkConfig*>(value)->kind); }));
  return {*type};
}

const Object<HttpConfig>& HttpDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<HttpConfig>("http", "The node's HTTP door: API, metrics, page.");
    using H = HttpConfig;
    o->Add("listen", &H::listen, Text(),
           "host:port; port 0 takes any. Off loopback a token and TLS are needed.")
        .Always();
    o->Add("token", &H::token, Text(), "Bearer token that requests must carry.")
        .Default("none")
        .Example("${NODE_TOKEN}");
    o->Add("certificate", &H::certificate, Text(), "TLS: PEM file with the certificate chain.")
        .Default("none");
    o->Add("key", &H::key, Text(), "TLS: PEM file with the private key.").Default("none");
    o->Add("connections_max", &H::connections_max, Integer(1, 100'000), "Connections at a time.");
    o->Add("requests_per_second", &H::requests_per_second, WideNumber({.min = 1, .max = 1e6}),
           "Requests a second of one address; more get 429.");
    return o;
  }();
  return *object;
}

const Object<EvidenceConfig>& EvidenceDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<EvidenceConfig>("evidence", "Snapshots and clips of events.");
    using E = EvidenceConfig;
    o->Add("enabled", &E::enabled, Boolean(), "Whether there is any.");
    o->Add("before_s", &E::before_s, WideNumber({.min = 0, .max = 60}),
           "Seconds of the clip before the event.");
    o->Add("after_s", &E::after_s, WideNumber({.min = 0, .max = 60}), "And after it.");
    o->Add("megabytes_max", &E::megabytes_max, WideNumber({.min = 1, .max = 1e8}),
           "Of all evidence together: the oldest goes first.");
    return o;
  }();
  return *object;
}

}  // namespace

const Object<NodeConfig>& NodeDeclaration() {
  static const auto* object = [] {
    auto* o = new Object<NodeConfig>("node", "A node that watches cameras.");
    using N = NodeConfig;
    o->Add("name", &N::name, NameText("a name of a-z, 0-9, '_' and '-'"), "Name of the node, in events.")
        .Default("the machine's");
    o->Add("data_dir", &N::data_dir, Text(), "Folder for cameras, events and evidence.")
        .Default("$XDG_DATA_HOME/sightline/node")
        .Example("/var/lib/sightline");
    o->Add("models", &N::models, Text(), "Folder with models.")
        .Default("as of `sightline model`")
        .Example("models");
    o->Add("pipeline", &N::pipeline, Text(),
           "Pipeline file (or `street`, which is built in) of cameras that name none.");
    o->Add("http", &N::http, Of(HttpDeclaration()), "The HTTP door.");
    o->Add("workers", &N::workers, Integer(0, 1024), "Threads that analyse; 0: one a core.");
    o->Add("evidence", &N::evidence, Of(EvidenceDeclaration()), "Snapshots and clips of events.");
    o->Add("redact", &N::redact, RedactionKinds(),
           "What evidence never shows, unless a camera says otherwise.");
    o->Add("tracks", &N::tracks, Boolean(), "Keep all tracks as Parquet files under data_dir/tracks.");
    o->Add("sinks", &N::sinks, ListOf(SinkVariants(), 0, 32), "Where events go.");
    o->Add("cameras", &N::cameras, ListOf(Of(CameraDeclaration()), 0, 10'000),
           "Cameras that are there from the start; more come and go by `sightline camera`.");
    return o;
  }();
  return *object;
}

}  // namespace sightline::cameras
