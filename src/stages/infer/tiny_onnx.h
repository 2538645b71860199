// For tests only: writes small ONNX files by hand, a protobuf field at a time, so that hostile ones can be
// written too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sightline::infer::tiny_onnx {

inline std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string Number(uint32_t field, uint64_t value) {
  return Varint(uint64_t{field} << 3) + Varint(value);
}
inline std::string Field(uint32_t field, std::string_view payload) {
  return Varint((uint64_t{field} << 3) | 2) + Varint(payload.size()) + std::string(payload);
}

// TensorProto of float32 with `raw` bytes.
inline std::string FloatTensor(std::string_view name, const std::vector<int64_t>& dims,
                               std::string_view raw) {
  std::string out;
  for (const int64_t d : dims) out += Number(1, static_cast<uint64_t>(d));
  return out + Number(2, 1) + Field(8, name) + Field(9, raw);
}
inline std::string ExternalEntry(std::string_view key, std::string_view value) {
  return Field(13, Field(1, key) + Field(2, value));
}
inline std::string ExternalTensor(std::string_view name, const std::vector<int64_t>& dims,
                                  std::string_view location, int64_t offset, int64_t length) {
  std::string out;
  for (const int64_t d : dims) out += Number(1, static_cast<uint64_t>(d));
  return out + Number(2, 1) + Field(8, name) + ExternalEntry("location", location) +
         ExternalEntry("offset", std::to_string(offset)) + ExternalEntry("length", std::to_string(length)) +
         Number(14, 1);
}
// ValueInfoProto of float32; extents below 0 get the symbolic name "n".
inline std::string FloatValue(std::string_view name, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t d : dims) {
    shape += Field(1, d < 0 ? Field(2, "n") : Number(1, static_cast<uint64_t>(d)));
  }
  return Field(1, name) + Field(2, Field(1, Number(1, 1) + Field(2, shape)));
}
inline std::string Node(std::string_view op, const std::vector<std::string>& inputs, std::string_view output,
                        std::string_view domain = "") {
  std::string out;
  for (const std::string& input : inputs) out += Field(1, input);
  out += Field(2, output) + Field(4, op);
  return domain.empty() ? out : out + Field(7, domain);
}
// ModelProto around a serialised GraphProto.
inline std::string Model(std::string_view graph, uint64_t opset = 13) {
  return Number(1, 7) + Field(2, "tiny") + Field(7, graph) + Field(8, Field(1, "") + Number(2, opset));
}

// y[n,3] = x[n,3] * w[3], with w as `tensor` says (a TensorProto named "w").
inline std::string ScaleModel(std::string_view tensor, int64_t rows, uint64_t opset = 13) {
  return Model(Field(1, Node("Mul", {"x", "w"}, "y")) + Field(2, "g") + Field(5, tensor) +
                   Field(11, FloatValue("x", {rows, 3})) + Field(12, FloatValue("y", {rows, 3})),
               opset);
}
inline std::string FloatBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace sightline::infer::tiny_onnx
