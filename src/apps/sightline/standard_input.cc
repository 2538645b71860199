#include "apps/sightline/standard_input.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace sightline::app {
namespace {

constexpr int kLookMilliseconds = 100;  // how often the stop request is looked at

}  // namespace

StoppableInput::int_type StoppableInput::underflow() {
  while (!stop_->load(std::memory_order_relaxed)) {
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&waiting, 1, kLookMilliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) break;
    setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
    return traits_type::to_int_type(buffer_[0]);
  }
  return traits_type::eof();
}

}  // namespace sightline::app
