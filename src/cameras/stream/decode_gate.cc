#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {
namespace {

constexpr absl::Duration kAsk = absl::Milliseconds(100);

// A turn that becomes free goes to who waits longest, never to who just comes by.
class FairGate final : public DecodeGate {
 public:
  explicit FairGate(int turns) : free_(turns) {}
  ~FairGate() override { CHECK(waiting_.empty()) << "a gate that goes while somebody waits"; }

  bool Enter(absl::FunctionRef<bool()> given_up) override {
    absl::MutexLock lock(&mutex_);
    if (free_ > 0) {
      --free_;
      return true;
    }
    Waiter self;
    waiting_.push_back(&self);
    while (!self.called) {
      if (given_up()) {
        std::erase(waiting_, &self);
        return false;
      }
      self.call.WaitWithTimeout(&mutex_, kAsk);
    }
    return true;
  }
  void Leave() override {
    absl::MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    Waiter* first = waiting_.front();
    waiting_.pop_front();
    first->called = true;
    first->call.Signal();
  }

 private:
  struct Waiter {
    absl::CondVar call;
    bool called = false;
  };
  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiter*> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<DecodeGate> DecodeGate::Create(int turns) {
  CHECK(turns > 0) << "a gate without turns";
  return std::make_shared<FairGate>(turns);
}

}  // namespace sightline::cameras
