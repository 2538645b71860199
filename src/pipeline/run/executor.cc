#include "pipeline/run/executor.h"

#include <thread>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "pipeline/run/picture_input.h"
#include "pipeline/run/step_runner.h"
#include "pipeline/run/video_file.h"
#include "pipeline/run/work_order.h"
#include "stages/decode/picture_decoder.h"
#include "stages/ingest/read_input.h"

namespace sightline::pipeline {
namespace {

constexpr size_t kFirstPieceBytes = size_t{1} << 20;

// Formats whose pages are moments of an animation rather than pictures of their own.
bool IsAnimation(decode::MediaFormat format) {
  using decode::MediaFormat;
  return format == MediaFormat::kGif || format == MediaFormat::kWebp || format == MediaFormat::kPng ||
         format == MediaFormat::kAvif || format == MediaFormat::kJpegXl;
}

// Receives results in order: tracks them, counts them, passes them to the consumer.
class OrderedEnd final : public WorkOrder::Emitter {
 public:
  OrderedEnd(const std::shared_ptr<const Engine>& engine, const RunOptions& options, ResultConsumer* consumer)
      : options_(options), consumer_(consumer), times_(engine->steps()), runner_(engine, &times_) {}

  void set_order(WorkOrder* order) { order_ = order; }

  void EmitFrame(WorkInput& input, FrameResult& result) override {
    if (done_) return;
    if (result.status.ok() && input.summary.video) {
      result.status = runner_.RunOrdered(&input.trackers, &result);
    }
    if (result.status.ok()) ++report_.frames;
    input.failed |= !result.status.ok();
    {
      StageTimer timer(&times_.at(Stage::kWrite));
      Accept(consumer_->OnFrame(input.summary, result));
    }
    if (options_.limit > 0 && report_.frames >= options_.limit) {
      EmitEnd(input);
      Finish();
    }
  }

  void EmitEnd(WorkInput& input) override {
    if (done_) return;
    ++report_.inputs;
    report_.inputs_failed += input.failed ? 1 : 0;
    Accept(consumer_->OnInputEnd(input.summary));
  }

  absl::Status status() const { return status_; }
  RunReport TakeReport() { return std::move(report_); }
  const StageTimes& times() const { return times_; }

 private:
  void Accept(const absl::Status& status) {
    if (status.ok()) return;
    status_ = status;
    Finish();
  }
  void Finish() {
    done_ = true;
    order_->StopClaiming();
  }

  const RunOptions& options_;
  ResultConsumer* consumer_;
  StageTimes times_;
  StepRunner runner_;
  WorkOrder* order_ = nullptr;
  RunReport report_;
  absl::Status status_;
  bool done_ = false;
};

// One worker thread: claims, decodes, runs the steps that need no order.
class Worker {
 public:
  Worker(const std::shared_ptr<const Engine>& engine, const RunOptions& options, WorkOrder* order)
      : engine_(engine),
        options_(options),
        order_(order),
        times_(engine->steps()),
        runner_(engine, &times_),
        decoder_(decode::PictureDecoder::Create(options.limits)) {}

  void Work() {
    while (true) {
      const WorkOrder::Claim claim = order_->Next();
      if (claim.input == nullptr) return;
      if (claim.fresh) {
        Open(claim.input);
      } else {
        RunShared(*claim.input);
      }
      order_->Release(claim);
    }
  }

  const StageTimes& times() const { return times_; }

 private:
  void Open(const std::shared_ptr<WorkInput>& input);
  void OpenVideo(const std::shared_ptr<WorkInput>& input);
  absl::StatusOr<std::unique_ptr<FrameSource>> OpenSource(const ingest::Input& input) const;
  absl::Status OpenPicture(const std::shared_ptr<WorkInput>& input, bool* shared);
  struct Share;
  Share TakeShare(WorkInput& input);
  void RunShared(WorkInput& input);
  void RunPicture(WorkInput& input, absl::Span<const uint8_t> bytes, const decode::PictureHeader& header,
                  int64_t ordinal, int64_t page);
  absl::Status AnalysePicture(absl::Span<const uint8_t> bytes, const decode::PictureHeader& header,
                              int64_t page, FrameResult* result);
  void DeliverFailure(WorkInput& input, int64_t ordinal, int64_t frame, absl::Status status);
  std::unique_ptr<FrameResult> NewResult();
  bool KeepsPixels(bool video) const {
    return options_.keep_pixels || (video && engine_->has_ordered_models());
  }

  std::shared_ptr<const Engine> engine_;
  const RunOptions& options_;
  WorkOrder* order_;
  StageTimes times_;
  StepRunner runner_;
  std::unique_ptr<decode::PictureDecoder> decoder_;
  Bytes bytes_;
};

std::unique_ptr<FrameResult> Worker::NewResult() {
  auto result = order_->NewResult();
  result->Clear(static_cast<size_t>(engine_->steps()));
  return result;
}

// Without the name in front, which is said in a place of its own.
absl::Status WithoutName(const absl::Status& status, const std::string& name) {
  const std::string_view message = MessageOf(status);
  if (!message.starts_with(name + ": ")) return status;
  return absl::Status(status.code(), fmt::format("{}", message.substr(name.size() + 2)));
}

void Worker::DeliverFailure(WorkInput& input, int64_t ordinal, int64_t frame, absl::Status status) {
  status = WithoutName(status, input.summary.name);
  auto result = NewResult();
  result->frame = frame;
  result->status = std::move(status);
  order_->Deliver(&input, ordinal, std::move(result));
}

void Worker::Open(const std::shared_ptr<WorkInput>& input) {
  absl::Status status = input->input.status;
  if (status.ok() && ingest::IsStream(input->input)) return OpenVideo(input);
  if (status.ok()) {
    // Most pictures are whole within the first piece; what is larger is read again only when it is a picture.
    StageTimer timer(&times_.at(Stage::kRead));
    status = ingest::ReadHead(input->input, kFirstPieceBytes, &bytes_);
  }
  if (status.ok() && decode::Sniff(absl::MakeConstSpan(bytes_).subspan(0, decode::kSniffBytes)) ==
                         decode::MediaFormat::kVideo) {
    return OpenVideo(input);
  }
  bool shared = false;
  if (status.ok()) status = OpenPicture(input, &shared);
  if (shared) return;
  if (!status.ok()) DeliverFailure(*input, 0, 0, status);
  order_->End(input.get(), 1);
}

absl::StatusOr<std::unique_ptr<FrameSource>> Worker::OpenSource(const ingest::Input& input) const {
  std::unique_ptr<FrameSource> source;
  if (input.kind != ingest::InputKind::kSimulated) {
    ASSIGN_OR_RETURN(source, VideoFile::Open(input, options_.limits));
  } else if (options_.open_simulated) {
    ASSIGN_OR_RETURN(source, options_.open_simulated(input));
  } else {
    return absl::UnimplementedError("simulated inputs are not to be had here");
  }
  return options_.wrap_source ? options_.wrap_source(std::move(source)) : std::move(source);
}

void Worker::OpenVideo(const std::shared_ptr<WorkInput>& input) {
  absl::StatusOr<std::unique_ptr<FrameSource>> source = OpenSource(input->input);
  if (!source.ok()) {
    DeliverFailure(*input, 0, 0, source.status());
    order_->End(input.get(), 1);
    return;
  }
  input->summary.video = true;
  input->summary.frames_estimate = (*source)->format().frames_estimate;
  {
    absl::MutexLock lock(&input->mutex);
    input->video = std::make_unique<VideoInput>(*std::move(source), options_.limits, options_.sampling);
  }
  order_->Share(input);
}

absl::Status Worker::OpenPicture(const std::shared_ptr<WorkInput>& input, bool* shared) {
  if (bytes_.size() >= kFirstPieceBytes) {
    StageTimer timer(&times_.at(Stage::kRead));
    --times_.at(Stage::kRead).calls;
    RETURN_IF_ERROR(ingest::ReadInput(input->input, options_.limits, &bytes_));
  }
  decode::PictureHeader header;
  {
    StageTimer timer(&times_.at(Stage::kDecode));
    ASSIGN_OR_RETURN(header, decoder_->ReadHeader(bytes_));
    --times_.at(Stage::kDecode).calls;  // one call a picture, header and pixels together
  }
  if (header.pages > options_.limits.pages_max) {
    return absl::ResourceExhaustedError(
        fmt::format("has {} pages, more than the limit of {}", header.pages, options_.limits.pages_max));
  }
  if (header.pages > 1 && IsAnimation(header.format) && !options_.animations) header.pages = 1;
  if (header.pages <= 1) {
    RunPicture(*input, bytes_, header, 0, 0);
    return absl::OkStatus();
  }
  *shared = true;
  input->bytes = bytes_;
  input->header = header;
  order_->Share(input);
  return absl::OkStatus();
}

// The next frame or page of an input that several workers share. Nothing picked: it has none left.
struct Worker::Share {
  bool picked = false;
  int64_t ordinal = 0;
  int64_t index = 0;
  FramePtr frame;       // of a video; a page is yet to be decoded
  int64_t total = -1;   // known now: this many results in all
  absl::Status damage;  // of a video at its end, as a last result
};

Worker::Share Worker::TakeShare(WorkInput& input) {
  Share share;
  absl::MutexLock lock(&input.mutex);
  if (input.exhausted) return share;
  share.ordinal = input.next_ordinal++;
  if (input.video == nullptr) {
    const int64_t step = IsAnimation(input.header.format) ? options_.sampling.every : 1;
    share.index = share.ordinal * step;
    share.picked = true;
    input.exhausted = share.index + step >= input.header.pages;
    if (input.exhausted) share.total = share.ordinal + 1;
    return share;
  }
  StageTimer timer(&times_.at(Stage::kDecode));
  absl::StatusOr<SourceFrame> next = input.video->Next();
  if (next.ok()) {
    share.picked = true;
    share.index = next->index;
    share.frame = std::move(next->frame);
    return share;
  }
  --times_.at(Stage::kDecode).calls;
  input.exhausted = true;
  share.damage = absl::IsOutOfRange(next.status()) ? input.video->source().Damage() : next.status();
  share.total = share.damage.ok() ? share.ordinal : share.ordinal + 1;
  return share;
}

void Worker::RunShared(WorkInput& input) {
  Share share = TakeShare(input);
  if (share.total >= 0) order_->End(&input, share.total);
  if (!share.damage.ok()) return DeliverFailure(input, share.ordinal, share.index, share.damage);
  if (!share.picked) return;
  if (share.frame == nullptr) return RunPicture(input, input.bytes, input.header, share.ordinal, share.index);
  auto result = NewResult();
  result->frame = share.index;
  result->time_s = share.frame->time_s;
  if (KeepsPixels(true)) result->pixels = share.frame;
  FixedPixels pixels(std::move(share.frame));
  result->status = runner_.RunUnordered(pixels, result.get());
  order_->Deliver(&input, share.ordinal, std::move(result));
}

void Worker::RunPicture(WorkInput& input, absl::Span<const uint8_t> bytes,
                        const decode::PictureHeader& header, int64_t ordinal, int64_t page) {
  auto result = NewResult();
  result->frame = page;
  result->status = AnalysePicture(bytes, header, page, result.get());
  order_->Deliver(&input, ordinal, std::move(result));
}

absl::Status Worker::AnalysePicture(absl::Span<const uint8_t> bytes, const decode::PictureHeader& header,
                                    int64_t page, FrameResult* result) {
  PictureInput picture(decoder_.get(), bytes, header, page, &times_.at(Stage::kDecode),
                       options_.alter_picture);
  RETURN_IF_ERROR(picture.Decode(KeepsPixels(false) ? Size{} : runner_.WholePictureNeed(header.size)));
  RETURN_IF_ERROR(runner_.RunUnordered(picture, result));
  if (KeepsPixels(false)) {
    ASSIGN_OR_RETURN(result->pixels, picture.AtLeast(picture.source_size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunReport> RunInputs(const std::shared_ptr<const Engine>& engine, ingest::InputList* inputs,
                                    const RunOptions& options, ResultConsumer* consumer,
                                    const std::atomic<bool>* stop) {
  OrderedEnd end(engine, options, consumer);
  const size_t window = static_cast<size_t>(options.workers) * 3 + 2;
  WorkOrder order(inputs, window, &end, stop);
  end.set_order(&order);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < options.workers; ++i)
    workers.push_back(std::make_unique<Worker>(engine, options, &order));
  {
    std::vector<std::jthread> threads;
    for (auto& worker : workers) threads.emplace_back([&worker] { worker->Work(); });
  }
  order.Abandon();
  RETURN_IF_ERROR(end.status());
  RunReport report = end.TakeReport();
  report.stopped = stop->load();
  report.times = end.times();
  for (const auto& worker : workers) report.times.Add(worker->times());
  return report;
}

}  // namespace sightline::pipeline
