#include "pipeline/run/work_order.h"

#include "base/check.h"

namespace sightline::pipeline {

WorkOrder::WorkOrder(ingest::InputList* inputs, size_t window, Emitter* emitter,
                     const std::atomic<bool>* stop)
    : inputs_(inputs), window_(window), emitter_(emitter), stop_(stop) {}

WorkOrder::Claim WorkOrder::Next() {
  absl::MutexLock lock(&mutex_);
  while (!closed_ && !stop_->load(std::memory_order_relaxed)) {
    // Nobody at work means that whatever is next in order is still unclaimed: then a full window must not
    // hold it up.
    if (waiting_ + claimed_ < window_ || claimed_ == 0) {
      for (Slot& slot : slots_) {
        if (!slot.shared || slot.total >= 0) continue;
        ++claimed_;
        return {slot.input, false};
      }
      if (!list_ended_) {
        if (std::optional<ingest::Input> next = inputs_->Next()) {
          auto input = std::make_shared<WorkInput>();
          input->input = *std::move(next);
          input->summary.name = input->input.name;
          slots_.emplace_back().input = input;
          ++claimed_;
          return {input, true};
        }
        list_ended_ = true;
      }
      // Somebody who is opening an input may yet share it.
      if (claimed_ == 0) return {};
    }
    changed_.WaitWithTimeout(&mutex_, absl::Milliseconds(100));  // `stop` is set without a signal
  }
  return {};
}

void WorkOrder::Share(const std::shared_ptr<WorkInput>& input) {
  absl::MutexLock lock(&mutex_);
  SlotOf(input.get()).shared = true;
  changed_.SignalAll();
}

std::unique_ptr<FrameResult> WorkOrder::NewResult() {
  absl::MutexLock lock(&mutex_);
  if (spare_.empty()) return std::make_unique<FrameResult>();
  std::unique_ptr<FrameResult> result = std::move(spare_.back());
  spare_.pop_back();
  return result;
}

void WorkOrder::Deliver(WorkInput* input, int64_t ordinal, std::unique_ptr<FrameResult> result) {
  absl::MutexLock lock(&mutex_);
  SlotOf(input).ready.emplace_back(ordinal, std::move(result));
  ++waiting_;
  HandOn();
}

void WorkOrder::End(WorkInput* input, int64_t total) {
  absl::MutexLock lock(&mutex_);
  SlotOf(input).total = total;
  HandOn();
}

void WorkOrder::Release(const Claim& claim) {
  CHECK(claim.input != nullptr) << "nothing was claimed";
  absl::MutexLock lock(&mutex_);
  --claimed_;
  changed_.SignalAll();
}

void WorkOrder::StopClaiming() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  changed_.SignalAll();
}

void WorkOrder::Abandon() {
  absl::MutexLock lock(&mutex_);
  CHECK(claimed_ == 0) << "workers are still at it";
  if (!slots_.empty() && slots_.front().next_emit > 0) emitter_->EmitEnd(*slots_.front().input);
  slots_.clear();
}

WorkOrder::Slot& WorkOrder::SlotOf(const WorkInput* input) {
  for (Slot& slot : slots_) {
    if (slot.input.get() == input) return slot;
  }
  CHECK(false) << "an input that has already left";
  return slots_.front();
}

void WorkOrder::HandOn() {
  if (handing_on_) return;  // the one who does will see what was added
  handing_on_ = true;
  while (!slots_.empty()) {
    Slot& front = slots_.front();
    const std::shared_ptr<WorkInput> input = front.input;
    const auto next = std::find_if(front.ready.begin(), front.ready.end(),
                                   [&](const auto& entry) { return entry.first == front.next_emit; });
    if (next != front.ready.end()) {
      std::unique_ptr<FrameResult> result = std::move(next->second);
      front.ready.erase(next);
      ++front.next_emit;
      mutex_.Unlock();
      emitter_->EmitFrame(*input, *result);
      result->pixels.reset();
      mutex_.Lock();
      spare_.push_back(std::move(result));
      --waiting_;
      changed_.SignalAll();
    } else if (front.total >= 0 && front.next_emit >= front.total) {
      mutex_.Unlock();
      emitter_->EmitEnd(*input);
      mutex_.Lock();
      slots_.pop_front();
    } else {
      break;
    }
  }
  handing_on_ = false;
}

}  // namespace sightline::pipeline
