// `sightline model pull`: models of the catalogue from where they are published.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "apps/sightline/commands.h"
#include "apps/sightline/model_command.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/net/url.h"
#include "base/status.h"
#include "base/text.h"
#include "registry/catalogue.h"
#include "registry/model_store.h"
#include "registry/pull_model.h"
#include "registry/verify_model.h"

namespace sightline::app {
namespace {

constexpr uint64_t kCatalogueBytesMax = 1 << 20;

struct Options {
  std::string name, models, from, catalogue;
  bool list = false, force = false, quiet = false;
  int attempts = 6;
  double timeout_s = 20, wait_s = 1;
};

int Fail(int code, std::string_view message) {
  fmt::print(stderr, "sightline: {}\n", message);
  return code;
}

absl::StatusOr<std::vector<registry::CatalogueEntry>> ReadCatalogue(const std::string& file) {
  if (file.empty()) return registry::BuiltinCatalogue();
  ASSIGN_OR_RETURN(const std::string yaml, ReadTextFile(file, kCatalogueBytesMax));
  return registry::ParseCatalogue(yaml, file);
}

std::string CatalogueText(const std::vector<registry::CatalogueEntry>& catalogue) {
  size_t licence = 7;
  for (const auto& entry : catalogue) licence = std::max(licence, entry.licence.size());
  std::string text =
      fmt::format("{:<20} {:<15} {:>9}  {:<{}}  {}\n", "NAME", "TASK", "SIZE", "LICENCE", licence, "ORIGIN");
  for (const auto& entry : catalogue) {
    text +=
        fmt::format("{:<20} {:<15} {:>6.1f} MB  {:<{}}  {}\n", entry.name, entry.task,
                    static_cast<double>(entry.bytes) / 1e6, entry.licence, licence, entry.origins.front());
  }
  return text;
}

// A line on a terminal that is drawn over; elsewhere nothing, for a download leaves enough other lines.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO) != 0) {}
  void Draw(uint64_t done, uint64_t bytes) {
    const MonotonicTime now = MonotonicClock::now();
    if (!shown_ || (now < next_ && done < bytes)) return;
    if (first_ == MonotonicTime::max()) {
      first_ = now;
      had_ = done;
    }
    next_ = now + std::chrono::milliseconds(100);
    constexpr uint64_t kBarWidth = 24;
    std::string bar;
    for (uint64_t i = 0; i < kBarWidth; ++i) bar += i * bytes < done * kBarWidth ? "█" : "░";
    const double seconds = std::chrono::duration<double>(now - first_).count();
    const double rate = seconds > 0 && done > had_ ? static_cast<double>(done - had_) / seconds : 0;
    std::string text = fmt::format("{} {:3}%  {:.1f} of {:.1f} MB", bar, done * 100 / bytes,
                                   static_cast<double>(done) / 1e6, static_cast<double>(bytes) / 1e6);
    if (rate > 0) {
      text +=
          fmt::format(", {:.1f} MB/s, {:.0f} s left", rate / 1e6, static_cast<double>(bytes - done) / rate);
    }
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    drawn_ = true;
  }
  void Clear() {
    if (std::exchange(drawn_, false)) std::fprintf(stderr, "\r\033[K");
  }

 private:
  const bool shown_;
  bool drawn_ = false;
  MonotonicTime next_{}, first_ = MonotonicTime::max();
  uint64_t had_ = 0;
};

// What Ctrl-C leaves is in order at any moment: the part grows by whole writes, the folder appears at once,
// and the lock ends with the program. So it ends at once, whatever the network does.
std::string goodbye;  // NOLINT: read by the handler only

void OnSignal(int signal) {
  if (write(STDERR_FILENO, goodbye.data(), goodbye.size()) < 0) _exit(128 + signal);
  _exit(128 + signal);
}

int CodeOf(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || absl::IsInvalidArgument(status) ? kExitUsage : kExitNothingDone;
}

int PrintVerified(const std::filesystem::path& root, const std::string& name) {
  const registry::ModelStore store({root});
  const auto report = registry::VerifyModel(store, name, {.picture = {}, .runs = 3});
  if (!report.ok()) {
    return Fail(kExitNothingDone,
                fmt::format("{} was fetched whole, but does not run: {}", name, MessageOf(report.status())));
  }
  fmt::print("{}", VerifyText(*report));
  return kExitOk;
}

int PullOne(const Options& options, const registry::CatalogueEntry& entry) {
  const auto roots = registry::ModelRoots(options.models);
  if (roots.empty()) return Fail(kExitUsage, "no folder of models is set: give --models");
  registry::PullOptions pull;
  pull.root = roots.front();
  pull.from = options.from;
  pull.replace = options.force;
  pull.attempts = options.attempts;
  pull.wait = std::chrono::milliseconds(static_cast<int64_t>(options.wait_s * 1000));
  pull.http.idle_timeout = std::chrono::milliseconds(static_cast<int64_t>(options.timeout_s * 1000));
  pull.http.connect_timeout = std::min(pull.http.connect_timeout, pull.http.idle_timeout);
  ProgressLine line(options.quiet);
  pull.on_progress = [&](uint64_t done, uint64_t bytes) { line.Draw(done, bytes); };
  pull.on_message = [&](const std::string& text) {
    line.Clear();
    if (!options.quiet) fmt::print(stderr, "{}\n", ToValidUtf8(text));
  };
  goodbye = fmt::format("\ninterrupted; what was fetched stays in {}: the same command goes on from there\n",
                        (pull.root / (entry.name + ".onnx.part")).string());
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
  const auto pulled = registry::PullModel(entry, pull);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  line.Clear();
  if (!pulled.ok()) {
    std::string message(MessageOf(pulled.status()));
    if (absl::IsUnavailable(pulled.status()) || absl::IsDeadlineExceeded(pulled.status())) {
      message += fmt::format(
          "\nWithout a network: fetch the file on another machine, save it as {0}.onnx ({1} bytes), and run\n"
          "  sightline model pull {0} --from FOLDER",
          entry.name, entry.bytes);
    }
    return Fail(CodeOf(pulled.status()), message);
  }
  if (pulled->was_there) {
    fmt::print("{} is there already, with the right checksum, in {}\n", entry.name, pulled->folder.string());
    return kExitOk;
  }
  fmt::print("pulled {} from {}\n{} bytes{}, SHA-256 {} is right, licence {}\nin {}\n\n", entry.name,
             pulled->origin, entry.bytes,
             pulled->resumed_at > 0 ? fmt::format(" ({} of them were there)", pulled->resumed_at) : "",
             entry.sha256, entry.licence, pulled->folder.string());
  return PrintVerified(pull.root, entry.name);
}

int Run(const Options& options) {
  const auto catalogue = ReadCatalogue(options.catalogue);
  if (!catalogue.ok()) return Fail(kExitUsage, MessageOf(catalogue.status()));
  if (options.list) {
    fmt::print("{}", CatalogueText(*catalogue));
    return kExitOk;
  }
  if (options.name.empty())
    return Fail(kExitUsage, "which model? Give its NAME, or --list to see what there is");
  const auto entry = registry::FindInCatalogue(*catalogue, options.name);
  if (!entry.ok()) return Fail(kExitUsage, MessageOf(entry.status()));
  return PullOne(options, **entry);
}

}  // namespace

void AddModelPull(CLI::App& model, int* exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(
      "pull", "Fetch a model of the catalogue, check it against its checksum, add it and verify it");
  command->add_option("NAME", options->name, "The model's name in the catalogue");
  command->add_flag("--list", options->list, "List the catalogue");
  AddModelsOption(*command, &options->models);
  command
      ->add_option("--from", options->from,
                   "Mirror: a folder or address that holds NAME.onnx, or the .onnx file or address itself")
      ->type_name("URL|FOLDER");
  command->add_flag("--force", options->force, "Replace a model of that name");
  command->add_option("--catalogue", options->catalogue, "Another catalogue than the one in the program")
      ->type_name("FILE");
  command->add_option("--attempts", options->attempts, "How often in a row an address may fail")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--timeout", options->timeout_s, "Seconds without a byte until an attempt has failed")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_option("--wait", options->wait_s, "Seconds before the second attempt; doubles with each")
      ->check(CLI::Range(0.0, 30.0))
      ->capture_default_str();
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace sightline::app
