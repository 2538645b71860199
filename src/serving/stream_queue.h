// What waits to be sent to the client of a body that goes on.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "serving/http_server.h"

namespace sightline::serving {

// Between whoever writes (any thread) and the connection (the server's thread). Outlives both: either end may
// go first. Threads: methods from anywhere.
class StreamQueue : public std::enable_shared_from_this<StreamQueue> {
 public:
  // `wake` is called (under the queue's mutex, so it must only post) when there is something to send, or the
  // writer is gone.
  StreamQueue(size_t bytes_max, std::function<void()> wake) : bytes_max_(bytes_max), wake_(std::move(wake)) {}

  // For the writer; the body ends when it goes.
  std::shared_ptr<BodyStream> NewWriter();

  // For the connection. Take: the next chunk, which counts as pending until Sent.
  std::optional<std::string> Take();
  void Sent(size_t bytes);
  bool ended() const;  // the writer is gone and nothing waits
  void Close();        // the client is gone
  uint64_t refused() const;

 private:
  class Writer;
  bool Write(std::string chunk);
  void End();
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t bytes_max_;
  mutable absl::Mutex mutex_;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> chunks_ ABSL_GUARDED_BY(mutex_);
  size_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false, ended_ ABSL_GUARDED_BY(mutex_) = false,
              closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sightline::serving
