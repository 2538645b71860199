#include "base/text.h"
#include "serving/live_streams.h"

namespace sightline::serving {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(20);

}  // namespace

LiveViewers::~LiveViewers() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

bool LiveViewers::full() const {
  absl::MutexLock lock(&mutex_);
  return count_ >= kViewersMax;
}

bool LiveViewers::Add(std::string camera, const PictureStyle& style, double rate,
                      std::shared_ptr<BodyStream> stream) {
  auto viewer = std::make_unique<Viewer>();
  viewer->camera = std::move(camera);
  viewer->style = style;
  viewer->interval = std::chrono::microseconds(static_cast<int64_t>(1e6 / std::clamp(rate, 0.1, kRateMax)));
  viewer->stream = std::move(stream);
  absl::MutexLock lock(&mutex_);
  if (stop_ || count_ >= kViewersMax) return false;
  ++count_;
  fresh_.push_back(std::move(viewer));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  return true;
}

// Looks every 20 ms while somebody looks on, and sleeps else.
void LiveViewers::Run() {
  std::vector<std::unique_ptr<Viewer>> viewers;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_ || !fresh_.empty(); };
      if (viewers.empty()) {
        mutex_.Await(absl::Condition(&wanted));
      } else {
        mutex_.AwaitWithTimeout(absl::Condition(&wanted), kTick);
      }
      if (stop_) return;
      for (auto& viewer : fresh_) viewers.push_back(std::move(viewer));
      fresh_.clear();
    }
    const MonotonicTime now = MonotonicClock::now();
    const size_t before = viewers.size();
    std::erase_if(viewers, [&](const auto& viewer) { return !Show(viewer.get(), now); });
    absl::MutexLock lock(&mutex_);
    count_ -= before - viewers.size();
  }
}

bool LiveViewers::Show(Viewer* viewer, MonotonicTime now) {
  if (viewer->stream->closed()) return false;
  if (now < viewer->due || viewer->stream->pending() > 0) return true;
  const auto view = node_.view(viewer->camera);
  if (absl::IsNotFound(view.status())) return false;
  if (!view.ok() || (view->captured == viewer->captured && view->stream_s == viewer->stream_s)) return true;
  const auto jpeg = pictures_.Encode(viewer->camera, *view, viewer->style);
  if (!jpeg.ok()) return true;
  viewer->captured = view->captured;
  viewer->stream_s = view->stream_s;
  viewer->due = std::max(now, viewer->due + viewer->interval);
  // The boundary that ends a part goes with it: browsers show a part when they have read what follows.
  return viewer->stream->Write(
      fmt::format("Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", (*jpeg)->size()) + **jpeg +
      fmt::format("\r\n--{}\r\n", kBoundary));
}

}  // namespace sightline::serving
