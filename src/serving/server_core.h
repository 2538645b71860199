// What connections need of their server, and what they tell it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include <boost/asio/io_context.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/file.h"
#include "serving/handler_pool.h"
#include "serving/http_message.h"
#include "serving/http_server.h"

namespace sightline::serving {

struct Route {
  std::string method, pattern;
  std::vector<std::string> segments;
  Server::Handler handler;
};

// Threads: safe.
class ServerCounts {
 public:
  void CountRequest(const std::string& method, const std::string& route, int status, double seconds);
  void CountRefused(const std::string& why);  // a connection or request that reached no handler
  void CountSent(size_t bytes) { sent_bytes_ += bytes; }
  std::string Text(size_t handlers_waiting) const;

  std::atomic<int> connections{0}, streams{0};
  std::atomic<uint64_t> accepted{0}, chunks_dropped{0};

 private:
  struct Key {
    std::string method, route;
    int status = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Value {
    uint64_t count = 0;
    double seconds = 0;
  };
  std::atomic<uint64_t> sent_bytes_{0};
  mutable absl::Mutex mutex_;
  std::map<Key, Value> requests_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> refused_ ABSL_GUARDED_BY(mutex_);
};

// A file to send, open.
class OpenFile {
 public:
  static absl::StatusOr<OpenFile> Open(const std::string& path);
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile();
  uint64_t size() const { return size_; }
  int64_t modified_s() const { return modified_s_; }
  const std::string& tag() const { return tag_; }  // ETag
  // Fewer than asked for at the end; nullopt: it cannot be read.
  std::optional<size_t> ReadAt(uint64_t offset, char* into, size_t count) const;

 private:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  uint64_t size_ = 0;
  int64_t modified_s_ = 0;
  std::string tag_;
};

// A response with its headers filled in and its file open: ready for the wire.
struct Outgoing {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  std::shared_ptr<OpenFile> file;
  ByteRange range;  // of the file
  std::function<void(std::shared_ptr<BodyStream>)> stream;
};
Outgoing ToOutgoing(Response response, const Request& request);

class ClientConnection;

// Threads: the server's, but for `pool` and `counts`.
class ServerCore {
 public:
  virtual ~ServerCore() = default;
  virtual const ServerOptions& options() const = 0;
  virtual boost::asio::io_context& io() = 0;
  virtual HandlerPool& pool() = 0;
  virtual ServerCounts& counts() = 0;
  virtual bool stopping() const = 0;
  // Once the header is there: a refusal, or the route (and request->parts).
  virtual std::optional<Response> Screen(const std::vector<std::string>& segments, Request* request,
                                         const Route** route) = 0;
  virtual void OnClosed(const std::shared_ptr<ClientConnection>& connection) = 0;
};

}  // namespace sightline::serving
