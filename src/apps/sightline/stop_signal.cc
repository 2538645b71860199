#include "apps/sightline/stop_signal.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

namespace sightline::app {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<bool> says{false};

void OnSignal(int signal) {
  if (stop_requested.exchange(true)) _exit(128 + signal);
  constexpr std::string_view kSaid =
      "\r\033[Kstopping with what is done; press Ctrl-C again to end at once\n";
  const int error = errno;  // of what was interrupted
  if (says) [[maybe_unused]]
    const auto written = write(STDERR_FILENO, kSaid.data(), kSaid.size());
  errno = error;
}

}  // namespace

std::atomic<bool>& StopRequested() { return stop_requested; }

const std::atomic<bool>& WatchStopSignals(bool say) {
  says = say;
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
  return stop_requested;
}

}  // namespace sightline::app
