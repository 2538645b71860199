// Tensors: n-dimensional arrays in row-major order, as models take and give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"

namespace sightline {

enum class ElementType { kFloat32, kFloat16, kUint8, kInt8, kInt32, kInt64, kBool, kFloat64, kOther };
std::string_view Name(ElementType type);
size_t BytesOf(ElementType type);  // 0 for kOther

using Shape = absl::InlinedVector<int64_t, 6>;
std::string ToString(const Shape& shape);  // [1,3,416,416]; unknown extents (-1) as ?
int64_t ElementCount(const Shape& shape);  // product; negative where an extent is unknown

// Borrowed memory: the pointer must outlive the view.
struct TensorView {
  ElementType type = ElementType::kFloat32;
  Shape shape;
  void* data = nullptr;

  float* floats() const { return static_cast<float*>(data); }
  int64_t elements() const { return ElementCount(shape); }
};

// Owned memory, aligned to 64 bytes; Reset reuses it.
class Tensor {
 public:
  void Reset(ElementType type, const Shape& shape);
  const TensorView& view() const { return view_; }

 private:
  std::vector<uint8_t> storage_;
  TensorView view_;
};

// What a graph says of one of its inputs or outputs. Extents that are not fixed are -1, with their symbolic
// name.
struct TensorSpec {
  std::string name;
  ElementType type = ElementType::kFloat32;
  Shape shape;
  std::vector<std::string> dimension_names;  // "" for fixed extents; same length as shape
};

}  // namespace sightline
