#include "serving/stream_queue.h"

namespace sightline::serving {

class StreamQueue::Writer final : public BodyStream {
 public:
  explicit Writer(std::shared_ptr<StreamQueue> queue) : queue_(std::move(queue)) {}
  ~Writer() override { queue_->End(); }
  bool Write(std::string chunk) override { return queue_->Write(std::move(chunk)); }
  size_t pending() const override {
    absl::MutexLock lock(&queue_->mutex_);
    return queue_->pending_;
  }
  bool closed() const override {
    absl::MutexLock lock(&queue_->mutex_);
    return queue_->closed_;
  }

 private:
  const std::shared_ptr<StreamQueue> queue_;
};

std::shared_ptr<BodyStream> StreamQueue::NewWriter() { return std::make_shared<Writer>(shared_from_this()); }

bool StreamQueue::Write(std::string chunk) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  if (chunk.empty()) return true;
  // One chunk always fits: a limit below the size of a picture would else show none.
  if (pending_ > 0 && pending_ + chunk.size() > bytes_max_) {
    ++refused_;
    return false;
  }
  pending_ += chunk.size();
  chunks_.push_back(std::move(chunk));
  Wake();
  return true;
}

void StreamQueue::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  Wake();
}

void StreamQueue::Wake() {
  if (closed_ || woken_) return;
  woken_ = true;
  wake_();
}

std::optional<std::string> StreamQueue::Take() {
  absl::MutexLock lock(&mutex_);
  woken_ = false;
  if (chunks_.empty()) return std::nullopt;
  std::string chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

void StreamQueue::Sent(size_t bytes) {
  absl::MutexLock lock(&mutex_);
  pending_ -= bytes;
}

bool StreamQueue::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_ && chunks_.empty();
}

void StreamQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  wake_ = nullptr;
  chunks_.clear();
  pending_ = 0;
}

uint64_t StreamQueue::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

}  // namespace sightline::serving
