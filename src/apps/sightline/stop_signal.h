// Ctrl-C: the first ends the work cleanly, the second at once.
#pragma once

#include <atomic>

namespace sightline::app {

// Takes over SIGINT and SIGTERM (and ignores SIGPIPE) from now on. True once asked to stop. `say` prints what
// the first one does, on standard error.
const std::atomic<bool>& WatchStopSignals(bool say);
// The same flag, for what is made before the watch begins.
std::atomic<bool>& StopRequested();

}  // namespace sightline::app
