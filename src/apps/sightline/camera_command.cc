// sightline camera: the cameras of a running node.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <thread>

#include "apps/sightline/commands.h"
#include "apps/sightline/node_client.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "cameras/node/node_config.h"

namespace sightline::app {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kConfigBytesMax = 4 << 20;
constexpr double kFirstPictureSeconds = 6;

struct CameraArguments {
  NodeClientOptions node;
  std::vector<std::string> names;
  std::string name, source, file, pipeline, attention, transport;
  double rate = -1, weight = -1, seconds = 3;
  bool loop = false, fast = false, replace = false, json = false, wait = true;
};

int Fail(std::string_view command, const absl::Status& status) {
  std::cerr << "sightline camera " << command << ": " << MessageOf(status) << "\n";
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitNothingDone;
}

// Files are named from here; the node may run elsewhere on the machine.
void MakeAbsolute(const std::filesystem::path& folder, std::string* file) {
  if (file->empty() || file->find(':') != std::string::npos || file->find("${") != std::string::npos) return;
  std::error_code error;
  for (const auto& from : {folder, std::filesystem::path(".")}) {
    const auto path = std::filesystem::absolute(from / *file, error).lexically_normal();
    if (error || !std::filesystem::exists(path, error)) continue;
    *file = path.string();
    return;
  }
}

absl::StatusOr<std::string> ReadStandardInput() {
  std::string text(kConfigBytesMax + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::cin.gcount()));
  if (text.size() > kConfigBytesMax) return absl::ResourceExhaustedError("standard input is too long");
  return text;
}

absl::StatusOr<std::string> ReadConfigText(const std::string& file) {
  return file == "-" ? ReadStandardInput() : ReadTextFile(file, kConfigBytesMax);
}

// What the command line says, over what the file says.
absl::Status Override(const CameraArguments& arguments, cameras::CameraConfig* config) {
  if (!arguments.name.empty()) config->name = arguments.name;
  if (!arguments.source.empty()) config->source = arguments.source;
  if (arguments.source == "-") {
    ASSIGN_OR_RETURN(const std::string text, ReadStandardInput());
    config->source = Trim(text);
  }
  if (!arguments.pipeline.empty()) config->pipeline = arguments.pipeline;
  if (!arguments.attention.empty())
    config->attention =
        arguments.attention == "full" ? cameras::AttentionMode::kFull : cameras::AttentionMode::kAuto;
  if (!arguments.transport.empty())
    config->transport =
        arguments.transport == "udp" ? cameras::RtspTransport::kUdp : cameras::RtspTransport::kTcp;
  if (arguments.rate >= 0) config->rate = arguments.rate;
  if (arguments.weight >= 0) config->weight = arguments.weight;
  config->loop |= arguments.loop;
  if (arguments.fast) config->real_time = false;
  return absl::OkStatus();
}

// The configuration as YAML, for the node.
absl::StatusOr<cameras::CameraConfig> ConfigOf(const CameraArguments& arguments) {
  cameras::CameraConfig config;
  std::filesystem::path folder = ".";
  if (!arguments.file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadConfigText(arguments.file));
    ASSIGN_OR_RETURN(
        config, cameras::ParseCameraConfig(text, arguments.file == "-" ? "standard input" : arguments.file));
    if (arguments.file != "-") folder = std::filesystem::path(arguments.file).parent_path();
  }
  RETURN_IF_ERROR(Override(arguments, &config));
  if (config.name.empty() || config.source.empty())
    return absl::InvalidArgumentError("say which: NAME and SOURCE, or --file with a configuration");
  MakeAbsolute(folder, &config.source);
  MakeAbsolute(folder, &config.calibration_file);
  MakeAbsolute(folder, &config.pipeline);
  // Once more as a whole, so that what the command line brought is checked alike.
  const std::string yaml = cameras::PrintCameraConfig(config, false);
  return cameras::ParseCameraConfig(yaml, "camera");
}

std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}
double Number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}
const Json& Part(const Json& json, const char* key) {
  static const auto& none = *new Json(Json::object());
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : none;
}

// "live, 640x360 h264, 25.0 frames/s" or what is wrong.
std::string StateWords(const Json& camera) {
  const Json& state = Part(camera, "state");
  std::string words = Text(state, "state");
  if (words == "live" && Number(state, "width") > 0) {
    words += fmt::format(", {:.0f}x{:.0f} {}, {:.1f} frames/s", Number(state, "width"),
                         Number(state, "height"), Text(state, "codec"), Number(state, "fps"));
  }
  const std::string error = Text(state, "error");
  if (!error.empty() && words != "paused") words += ": " + error;
  return words;
}

bool IsSettled(const Json& camera) {
  const Json& state = Part(camera, "state");
  const std::string word = Text(state, "state");
  return !Text(state, "error").empty() || word == "paused" || word == "ended" ||
         (word == "live" && Number(Part(camera, "counts"), "frames") > 0);
}

int Add(const CameraArguments& arguments) {
  auto config = ConfigOf(arguments);
  if (!config.ok()) return Fail("add", config.status());
  auto client = NodeClient::Create(arguments.node);
  if (!client.ok()) return Fail("add", client.status());
  const std::string yaml = cameras::PrintCameraConfig(*config, false);
  const std::string path = "/api/v1/cameras/" + config->name;
  auto answer = (*client)->Call("POST", "/api/v1/cameras", yaml);
  const bool replaced = absl::IsAlreadyExists(answer.status()) && arguments.replace;
  if (replaced) answer = (*client)->Call("PUT", path, yaml);
  if (!answer.ok()) {
    if (absl::IsAlreadyExists(answer.status()))
      return Fail("add", absl::AlreadyExistsError(
                             fmt::format("{} (--replace changes it)", MessageOf(answer.status()))));
    return Fail("add", answer.status());
  }
  std::cout << fmt::format("{} {}", replaced ? "replaced" : "added", config->name) << std::flush;
  if (!arguments.wait) {
    std::cout << "\n";
    return kExitOk;
  }
  // What becomes of it, as soon as that is known.
  const MonotonicTime end =
      MonotonicClock::now() + std::chrono::milliseconds(static_cast<int64_t>(kFirstPictureSeconds * 1e3));
  absl::StatusOr<Json> camera = Json::object();
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    camera = (*client)->Call("GET", path);
  } while (camera.ok() && !IsSettled(*camera) && MonotonicClock::now() < end);
  std::cout << ": " << (camera.ok() ? StateWords(*camera) : std::string(MessageOf(camera.status()))) << "\n";
  return kExitOk;
}

// A table whose columns are as wide as they need to be.
void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += fmt::format("{:<{}}  ", row[i], i + 1 < row.size() ? widths[i] : 0);
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << "\n";
  }
}

int List(const CameraArguments& arguments) {
  auto client = NodeClient::Create(arguments.node);
  if (!client.ok()) return Fail("list", client.status());
  auto answer = (*client)->Call("GET", "/api/v1/cameras");
  if (!answer.ok()) return Fail("list", answer.status());
  if (arguments.json) {
    std::cout << answer->dump(2) << "\n";
    return kExitOk;
  }
  const Json cameras = answer->contains("cameras") ? (*answer)["cameras"] : Json::array();
  if (cameras.empty()) {
    std::cout << "no cameras; `sightline camera add NAME SOURCE` adds one\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "STATE", "PICTURE", "FPS", "ANALYSED/S", "AGE P99", "EVENTS", "SOURCE"}};
  for (const Json& camera : cameras) {
    const Json &state = Part(camera, "state"), &analysis = Part(camera, "analysis");
    const double width = Number(state, "width");
    const bool degraded = analysis.value("degraded", false);
    rows.push_back({Text(camera, "name"), Text(state, "state"),
                    width > 0 ? fmt::format("{:.0f}x{:.0f}", width, Number(state, "height")) : "-",
                    fmt::format("{:.1f}", Number(state, "fps")),
                    fmt::format("{:.1f}{}", Number(analysis, "rate"), degraded ? " (degraded)" : ""),
                    fmt::format("{:.0f} ms", 1e3 * Number(analysis, "delay_p99_s")),
                    fmt::format("{:.0f}", Number(Part(camera, "counts"), "events")), Text(camera, "source")});
  }
  PrintTable(rows);
  for (const Json& camera : cameras)
    if (const std::string error = Text(Part(camera, "state"), "error");
        !error.empty() && Text(Part(camera, "state"), "state") != "live")
      std::cout << Text(camera, "name") << ": " << error << "\n";
  return kExitOk;
}

int Show(const CameraArguments& arguments) {
  auto client = NodeClient::Create(arguments.node);
  if (!client.ok()) return Fail("show", client.status());
  auto answer = (*client)->Call("GET", "/api/v1/cameras/" + arguments.name);
  if (!answer.ok()) return Fail("show", answer.status());
  if (arguments.json) {
    std::cout << answer->dump(2) << "\n";
    return kExitOk;
  }
  const Json &counts = Part(*answer, "counts"), &analysis = Part(*answer, "analysis"),
             &looks = Part(*answer, "looks");
  std::vector<std::vector<std::string>> rows = {
      {"state", StateWords(*answer) + (answer->value("paused", false) ? " (paused)" : "")},
      {"analysed", fmt::format("{:.1f}/s of {:.1f}/s{}; age {:.0f} ms (median), {:.0f} ms (p99)",
                               Number(analysis, "rate"), Number(analysis, "wanted_rate"),
                               analysis.value("degraded", false) ? ", degraded" : "",
                               1e3 * Number(analysis, "delay_p50_s"), 1e3 * Number(analysis, "delay_p99_s"))},
      {"looks",
       fmt::format("{:.0f} full, {:.0f} regions, {:.0f} predicted, {:.0f} skipped", Number(looks, "full"),
                   Number(looks, "regions"), Number(looks, "predicted"), Number(looks, "skipped"))},
      {"counts", fmt::format("{:.0f} frames, {:.0f} dropped, {:.0f} events, {:.0f} connects, {:.0f} stalls",
                             Number(counts, "frames"), Number(counts, "dropped"), Number(counts, "events"),
                             Number(counts, "connects"), Number(counts, "stalls"))},
      {"cpu", fmt::format("{:.1f} s decoding, {:.1f} s analysing", Number(analysis, "decode_cpu_s"),
                          Number(analysis, "cpu_s"))}};
  if (const double error = Number(*answer, "calibration_error_px"); error > 0)
    rows.push_back({"calibration", fmt::format("reprojection error {:.2f} pixels", error)});
  PrintTable(rows);
  std::cout << "\n" << Text(*answer, "config");
  return kExitOk;
}

// pause, resume, remove: each name by itself; one that fails does not keep the others from being done.
int ForEach(const CameraArguments& arguments, const std::string& command, const std::string& method,
            const std::string& suffix, std::string_view done) {
  auto client = NodeClient::Create(arguments.node);
  if (!client.ok()) return Fail(command, client.status());
  int failed = 0;
  for (const std::string& name : arguments.names) {
    auto answer = (*client)->Call(method, "/api/v1/cameras/" + name + suffix);
    if (answer.ok()) {
      std::cout << done << " " << name << "\n";
      continue;
    }
    Fail(command, answer.status());
    ++failed;
  }
  if (failed == 0) return kExitOk;
  return failed == static_cast<int>(arguments.names.size()) ? kExitNothingDone : kExitSomeFailed;
}

// Of a source or a configuration; of a camera that the node has, with the credentials that it knows.
absl::StatusOr<Json> Probe(CameraArguments arguments, NodeClient* client) {
  const std::string word = arguments.source;
  const std::string seconds = fmt::format("?seconds={:g}", arguments.seconds);
  const bool may_be_name =
      arguments.file.empty() && word.find_first_of(":/.?%") == std::string::npos && !word.empty();
  if (may_be_name && client->Call("GET", "/api/v1/cameras/" + word).ok())
    return client->Call("POST", "/api/v1/cameras/" + word + "/test" + seconds);
  if (arguments.name.empty()) arguments.name = "test";
  ASSIGN_OR_RETURN(const cameras::CameraConfig config, ConfigOf(arguments));
  return client->Call("POST", "/api/v1/cameras:test" + seconds, cameras::PrintCameraConfig(config, false));
}

int Test(const CameraArguments& arguments) {
  auto client = NodeClient::Create(arguments.node);
  if (!client.ok()) return Fail("test", client.status());
  auto answer = Probe(arguments, client->get());
  if (!answer.ok()) return Fail("test", answer.status());
  const bool good = answer->value("ok", false);
  if (arguments.json) {
    answer->erase("picture_jpeg");
    std::cout << answer->dump(2) << "\n";
    return good ? kExitOk : kExitNothingDone;
  }
  if (!good) return Fail("test", absl::UnavailableError(Text(*answer, "error")));
  const Json& state = Part(*answer, "state");
  std::cout << fmt::format("{:.0f}x{:.0f} {}, {:.1f} frames/s; first picture after {:.2f} s\n",
                           Number(state, "width"), Number(state, "height"), Text(state, "codec"),
                           Number(state, "fps"), Number(*answer, "connect_s"));
  return kExitOk;
}

CLI::App* AddSub(CLI::App& camera, const std::string& name, const std::string& description,
                 const std::shared_ptr<CameraArguments>& arguments) {
  CLI::App* sub = camera.add_subcommand(name, description);
  AddNodeOptions(*sub, &arguments->node);
  return sub;
}

void AddConfigOptions(CLI::App& sub, CameraArguments* arguments) {
  sub.add_option("--file", arguments->file, "The camera's configuration (docs/node.md); - is standard input")
      ->type_name("FILE");
  sub.add_option("--pipeline", arguments->pipeline, "Pipeline file or built-in name (default: the node's)")
      ->type_name("PIPELINE");
  sub.add_option("--rate", arguments->rate, "Analyses a second; 0: each frame (default 5)")
      ->check(CLI::NonNegativeNumber);
  sub.add_option("--attention", arguments->attention, "full or auto (default auto)")
      ->check(CLI::IsMember({"full", "auto"}));
  sub.add_option("--weight", arguments->weight, "Share under overload, relative to others (default 1)")
      ->check(CLI::PositiveNumber);
  sub.add_option("--transport", arguments->transport, "RTSP over tcp or udp (default tcp)")
      ->check(CLI::IsMember({"tcp", "udp"}));
  sub.add_flag("--loop", arguments->loop, "Files: from the begin again at the end");
  sub.add_flag("--fast", arguments->fast, "Files and sim: as fast as they can be analysed");
}

}  // namespace

void AddCameraCommand(CLI::App& app, int* exit_code) {
  CLI::App* camera = app.add_subcommand("camera", "The cameras of a running node");
  camera->require_subcommand(1);
  camera->footer(
      "A source is rtsp(s)://, http(s):// (MJPEG or HLS), /dev/videoN, a video file, or sim:street?seed=N.\n"
      "Credentials on a command line can be seen by others: write '${NAME}' for a variable of the node's "
      "environment\n"
      "(in single quotes), or give the source on standard input (- for SOURCE).");
  auto arguments = std::make_shared<CameraArguments>();
  CLI::App* add = AddSub(*camera, "add", "Watch a camera from now on, also after a restart", arguments);
  add->add_option("name", arguments->name, "Name: a-z, 0-9, '_' and '-'")->type_name("NAME");
  add->add_option("source", arguments->source, "Where it comes from; - reads it from standard input")
      ->type_name("SOURCE");
  AddConfigOptions(*add, arguments.get());
  add->add_flag("--replace", arguments->replace, "Where there is one of this name: change it");
  add->add_flag("!--no-wait", arguments->wait, "Do not wait for the first picture");
  add->footer(
      "Examples:\n"
      "  sightline camera add north 'rtsp://${NORTH_LOGIN}@10.0.0.5/stream1' --rate 5\n"
      "  sightline camera add demo 'sim:street?seed=7'\n"
      "  sightline camera add --file street7/camera.yaml");
  add->callback([arguments, exit_code] { *exit_code = Add(*arguments); });

  CLI::App* list = AddSub(*camera, "list", "All cameras with their state", arguments);
  list->add_flag("--json", arguments->json, "As the API gives it");
  list->callback([arguments, exit_code] { *exit_code = List(*arguments); });

  CLI::App* show = AddSub(*camera, "show", "One camera: state, counts, configuration", arguments);
  show->add_option("name", arguments->name, "Its name")->required()->type_name("NAME");
  show->add_flag("--json", arguments->json, "As the API gives it");
  show->callback([arguments, exit_code] { *exit_code = Show(*arguments); });

  const auto each = [&](const std::string& command, const std::string& description, const std::string& method,
                        const std::string& suffix, const std::string& done) {
    CLI::App* sub = AddSub(*camera, command, description, arguments);
    sub->add_option("names", arguments->names, "Their names")->required()->type_name("NAME...");
    sub->callback([=] { *exit_code = ForEach(*arguments, command, method, suffix, done); });
  };
  each("pause", "Stop watching for now; the connection is closed", "POST", "/pause", "paused");
  each("resume", "Watch again", "POST", "/resume", "resumed");
  each("remove", "Forget cameras (their events stay)", "DELETE", "", "removed");

  CLI::App* test =
      AddSub(*camera, "test", "Connect, watch for some seconds, say what came; nothing is kept", arguments);
  test->add_option("source", arguments->source, "A source, or the name of a camera")->type_name("SOURCE");
  AddConfigOptions(*test, arguments.get());
  test->add_option("--seconds", arguments->seconds, "How long")
      ->check(CLI::Range(0.5, 8.0))
      ->capture_default_str();
  test->add_flag("--json", arguments->json, "As the API gives it");
  test->callback([arguments, exit_code] { *exit_code = Test(*arguments); });

  AddCameraReplayCommand(*camera, exit_code);
}

}  // namespace sightline::app
