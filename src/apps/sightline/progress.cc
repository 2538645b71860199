#include "apps/sightline/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "base/text.h"

namespace sightline::app {
namespace {

constexpr int kBarWidth = 24;

ProgressStyle Resolve(ProgressStyle style) {
  if (style != ProgressStyle::kAuto) return style;
  return isatty(STDERR_FILENO) != 0 ? ProgressStyle::kBar : ProgressStyle::kLines;
}

std::string Duration(double seconds) {
  const auto s = std::llround(seconds);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

size_t TerminalWidth() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string Bar(double share) {
  const int filled = static_cast<int>(share * kBarWidth);
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

}  // namespace

Progress::Progress(ProgressStyle style)
    : style_(Resolve(style)),
      begin_(MonotonicClock::now()),
      thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

Progress::~Progress() { Stop(); }

void Progress::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  absl::MutexLock lock(&mutex_);
  Draw(true);
}

void Progress::SetInputsTotal(std::optional<int64_t> total) { total_ = total.value_or(-1); }

void Progress::BeginInput(const std::string& name, std::optional<int64_t> frames_estimate) {
  absl::MutexLock lock(&mutex_);
  name_ = name;
  name_frames_ = frames_estimate;
  input_frames_ = 0;
}

void Progress::CountFrame() {
  frames_.fetch_add(1, std::memory_order_relaxed);
  input_frames_.fetch_add(1, std::memory_order_relaxed);
}

void Progress::CountInput() {
  inputs_.fetch_add(1, std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  name_.clear();
  name_frames_.reset();
}

void Progress::CountFailure() { failures_.fetch_add(1, std::memory_order_relaxed); }

void Progress::Message(const std::string& text) {
  absl::MutexLock lock(&mutex_);
  std::fprintf(stderr, "%s%s\n", drawn_ ? "\r\033[K" : "", text.c_str());
  if (drawn_) Draw(false);
}

void Progress::Loop(const std::stop_token& stop) {
  if (style_ == ProgressStyle::kNone) return;
  const auto period =
      style_ == ProgressStyle::kBar ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000);
  MonotonicTime next = begin_ + period;
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (MonotonicClock::now() < next) continue;
    next += period;
    absl::MutexLock lock(&mutex_);
    Draw(false);
  }
}

// In frames: a long video among many pictures is most of the work. What is not begun yet counts as the mean
// of what has ended.
double Progress::Share() const {
  const auto frames = static_cast<double>(frames_), inputs = static_cast<double>(inputs_),
             total = static_cast<double>(total_);
  if (total <= 0) return -1;
  if (!name_frames_ || *name_frames_ <= 0) return std::min(1.0, inputs / total);
  const double present = static_cast<double>(std::max<int64_t>(*name_frames_, input_frames_));
  const double before = frames - static_cast<double>(input_frames_);
  const double mean = inputs > 0 ? before / inputs : present;
  return frames / std::max(before + present + mean * (total - inputs - 1), frames + 1);
}

std::string Progress::Describe(bool last) const {
  const double seconds = std::chrono::duration<double>(MonotonicClock::now() - begin_).count();
  const int64_t frames = frames_, inputs = inputs_, total = total_;
  const double rate = seconds > 0 ? static_cast<double>(frames) / seconds : 0;
  const double share = Share();
  std::string text;
  if (style_ == ProgressStyle::kBar && share >= 0)
    text += fmt::format("{} {:3.0f}% ", Bar(share), share * 100);
  text += total >= 0 ? fmt::format("{}/{} inputs", inputs, total) : fmt::format("{} inputs", inputs);
  text += fmt::format(", {} frame{}, {:.1f}/s", frames, frames == 1 ? "" : "s", rate);
  if (failures_ > 0) text += fmt::format(", {} failed", failures_.load());
  if (last) {
    text += fmt::format(", {}", Duration(seconds));
  } else if (share > 0) {
    text += fmt::format(", {} left", Duration(seconds * (1 - share) / share));
  }
  if (!last && name_frames_) text += "  " + name_.substr(name_.rfind('/') + 1);
  return text;
}

void Progress::Draw(bool last) {
  if (style_ == ProgressStyle::kNone) return;
  std::string text = Describe(last);
  if (style_ == ProgressStyle::kLines) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  // Cut to the terminal's width; the bar's characters take three bytes each and one column.
  const size_t bar_bytes = text.starts_with("█") || text.starts_with("░") ? size_t{2} * kBarWidth : 0;
  const size_t width = TerminalWidth() - 1 + bar_bytes;
  if (text.size() > width) text = ToValidUtf8(text.substr(0, width - 1)) + "…";
  std::fprintf(stderr, "\r\033[K%s%s", text.c_str(), last ? "\n" : "");
  std::fflush(stderr);
  drawn_ = !last;
}

}  // namespace sightline::app
