// From JPEG files to normalised letterboxed tensors, on one thread: our side of bench/feed.py.
// Reads commands on stdin: "run" decodes every file once and prints {"seconds": wall, "cpu": of the process};
// "dump N FILE" writes the tensor of file N (float32 NCHW). Ends with stdin.
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "data/limits.h"
#include "stages/decode/jpeg_decoder.h"
#include "stages/preprocess/preprocessor.h"

namespace sightline {
namespace {

class Feed {
 public:
  Feed(preprocess::Preprocessor preprocessor, std::vector<std::string> files)
      : preprocessor_(std::move(preprocessor)),
        files_(std::move(files)),
        decoder_(decode::CreateJpegDecoder(limits_)) {}

  size_t count() const { return files_.size(); }

  absl::StatusOr<TensorView> One(size_t index) {
    if (auto read = ReadFile(files_[index], limits_.bytes_max, &bytes_); !read.ok()) return read;
    const auto header = decoder_->ReadHeader(bytes_);
    if (!header.ok()) return header.status();
    const Box region = WholeBox(header->size);
    const InputTransform transform = preprocessor_.Transform(region, header->size);
    const auto frame = decoder_->Decode(bytes_, *header, {.page = 0, .need = preprocessor_.Need(transform)});
    if (!frame.ok()) return frame.status();
    tensor_.Reset(ElementType::kFloat32, preprocessor_.TensorShape(transform.input));
    preprocessor_.Run(**frame, transform, region, tensor_.view().data, &scratch_);
    return tensor_.view();
  }

 private:
  const MediaLimits limits_;
  const preprocess::Preprocessor preprocessor_;
  const std::vector<std::string> files_;
  const std::unique_ptr<decode::PictureDecoder> decoder_;
  Bytes bytes_;
  Tensor tensor_;
  preprocess::Preprocessor::Scratch scratch_;
};

absl::Status Answer(Feed* feed, const std::string& line) {
  std::istringstream words(line);
  std::string command, path;
  size_t index = 0;
  words >> command;
  if (command == "dump" && words >> index >> path && index < feed->count()) {
    const auto tensor = feed->One(index);
    if (!tensor.ok()) return tensor.status();
    std::ofstream(path, std::ios::binary)
        .write(static_cast<const char*>(tensor->data), static_cast<std::streamsize>(tensor->elements() * 4));
    std::cout << "{}" << std::endl;
    return absl::OkStatus();
  }
  if (command != "run") return absl::InvalidArgumentError("unknown command: " + line);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  for (size_t i = 0; i < feed->count(); ++i) {
    if (const auto tensor = feed->One(i); !tensor.ok()) return tensor.status();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  std::cout << nlohmann::json{{"seconds", took.count()}, {"cpu", cpu}} << std::endl;
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: feed_bench SIDE FILE...\n";
    return 2;
  }
  InputCard card;
  card.width = card.height = std::atoi(argv[1]);
  card.anchor = LetterboxAnchor::kTopLeft;
  card.scale = 1.f / 255;
  auto preprocessor = preprocess::Preprocessor::Create(card);
  if (!preprocessor.ok() || card.width == 0) {
    std::cerr << "no such side: " << argv[1] << "\n";
    return 2;
  }
  Feed feed(*std::move(preprocessor), {argv + 2, argv + argc});
  for (std::string line; std::getline(std::cin, line);) {
    if (const absl::Status status = Answer(&feed, line); !status.ok()) {
      std::cerr << status << "\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) { return sightline::Main(argc, argv); }
