#include "data/tensor.h"

#include "base/check.h"
#include "base/text.h"

namespace sightline {

std::string_view Name(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kUint8:
      return "uint8";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kBool:
      return "bool";
    case ElementType::kFloat64:
      return "float64";
    case ElementType::kOther:
      return "other";
  }
  return "other";
}

size_t BytesOf(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
    case ElementType::kInt8:
    case ElementType::kBool:
      return 1;
    case ElementType::kFloat16:
      return 2;
    case ElementType::kFloat32:
    case ElementType::kInt32:
      return 4;
    case ElementType::kInt64:
    case ElementType::kFloat64:
      return 8;
    case ElementType::kOther:
      return 0;
  }
  return 0;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ",";
    text += shape[i] < 0 ? "?" : fmt::format("{}", shape[i]);
  }
  return text + "]";
}

int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0) return -1;
    if (__builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

void Tensor::Reset(ElementType type, const Shape& shape) {
  const int64_t count = ElementCount(shape);
  CHECK(count >= 0 && BytesOf(type) > 0) << ToString(shape);
  constexpr size_t kAlignment = 64;
  const size_t bytes = static_cast<size_t>(count) * BytesOf(type);
  if (storage_.size() < bytes + kAlignment) storage_.resize(bytes + kAlignment);
  const auto address = reinterpret_cast<uintptr_t>(storage_.data());
  view_.type = type;
  view_.shape = shape;
  view_.data = storage_.data() + ((kAlignment - address % kAlignment) % kAlignment);
}

}  // namespace sightline
