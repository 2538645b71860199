// What libav says, kept off stderr: to our log at debug level, without credentials; and to whoever listens on
// a thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sightline::ingest {

// From now on libav's messages go to our log, and no single allocation of libav may exceed 256 MiB. Any
// thread, any number of times; opening a video does it too.
void SetUpLibav();

// Collects the first error that libav speaks of on this thread while it lives; scopes nest, the innermost
// listens.
class LibavWords {
 public:
  LibavWords();
  ~LibavWords();
  LibavWords(const LibavWords&) = delete;
  LibavWords& operator=(const LibavWords&) = delete;
  const std::string& first() const { return first_; }  // line; "" when nothing was said
  bool Heard(std::string_view text) const { return all_.find(text) != std::string::npos; }
  void Add(std::string_view line);

 private:
  std::string first_;
  std::string all_;  // the first 4 KiB
  LibavWords* outer_;
};

// A libav error code (negative) in people's words: `words` are what libav said, "" where it said nothing.
absl::Status LibavStatus(int error, std::string_view words);

}  // namespace sightline::ingest
