#include "stages/infer/model_file.h"

#include "base/status.h"
#include "base/text.h"

namespace sightline::infer {
namespace {

struct Lookalike {
  size_t offset;
  std::string_view magic;
  std::string_view what;
};
using std::string_view_literals::operator""sv;
constexpr Lookalike kLookalikes[] = {
    {0, "version https://git-lfs"sv,
     "is a git-lfs pointer, not the model: fetch the real file (git lfs pull)"},
    {0, "PK\x03\x04"sv,
     "is a zip archive (a PyTorch checkpoint?), not an ONNX file: export it to ONNX first"},
    {0, "\x1f\x8b"sv, "is gzip-compressed: unpack it first"},
    {0, "\x89HDF"sv, "is an HDF5 file (Keras?), not an ONNX file: export it to ONNX first"},
    {0, "\x80\x02"sv,
     "is a Python pickle (a PyTorch checkpoint?), not an ONNX file: export it to ONNX first"},
    {4, "TFL3"sv, "is a TensorFlow Lite file, not an ONNX file: export it to ONNX first"},
    {4, "ORTM"sv, "is in ONNX Runtime's own .ort format: give the .onnx file it was made from"},
    {0, "<!DOCTYPE"sv, "is a web page, not a model: the download went wrong"},
    {0, "<!doctype"sv, "is a web page, not a model: the download went wrong"},
    {0, "<html"sv, "is a web page, not a model: the download went wrong"},
    {0, "<?xml"sv, "is an XML file (OpenVINO?), not an ONNX file"},
};

}  // namespace

absl::Status CheckLooksLikeOnnx(absl::Span<const uint8_t> bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("is empty (0 bytes)");
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<size_t>(bytes.size(), 64));
  for (const Lookalike& known : kLookalikes) {
    if (head.size() > known.offset && head.substr(known.offset, known.magic.size()) == known.magic) {
      return absl::InvalidArgumentError(std::string(known.what));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> ReadModelFile(const std::filesystem::path& path, uint64_t bytes_max) {
  Bytes bytes;
  RETURN_IF_ERROR(ReadFile(path, bytes_max, &bytes));
  if (const absl::Status status = CheckLooksLikeOnnx(bytes); !status.ok()) {
    return absl::InvalidArgumentError(fmt::format("{} {}", path.string(), MessageOf(status)));
  }
  return bytes;
}

}  // namespace sightline::infer
