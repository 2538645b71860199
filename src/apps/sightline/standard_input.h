// Standard input that a stop request ends: whoever waits for the next line of a list must not hold up Ctrl-C.
#pragma once

#include <array>
#include <atomic>
#include <streambuf>

namespace sightline::app {

// Reads file descriptor 0. Ends (as at the end of the file) soon after *stop becomes true. Threads: one.
class StoppableInput final : public std::streambuf {
 public:
  explicit StoppableInput(const std::atomic<bool>* stop) : stop_(stop) {}

 protected:
  int_type underflow() override;

 private:
  const std::atomic<bool>* stop_;
  std::array<char, 4096> buffer_;
};

}  // namespace sightline::app
