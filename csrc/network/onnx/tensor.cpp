#include "network/onnx/tensor.hpp"

#include "network/half.hpp"

#include <algorithm>
#include <cmath>

namespace rfseg::network::onnx {

namespace {

std::size_t count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

}  // namespace

HostTensor::HostTensor(const Api& api, const MemoryInfo* memory, ElementType type, float* values,
                       const std::vector<std::int64_t>& shape, bool read)
    : values_(values), value_(nullptr, api.release_value) {
  const std::size_t count = count_of(shape);
  const bool half = type == ElementType::float16;
  if (half) halves_.resize(count);
  if (half && read) std::transform(values, values + count, halves_.begin(), half_from_float);
  void* const data = half ? static_cast<void*>(halves_.data()) : values;
  value_ = make(api, "tensor", api.release_value, api.create_tensor_with_data, memory, data,
                count * (half ? sizeof(std::uint16_t) : sizeof(float)), shape.data(), shape.size(),
                half ? Element::float16 : Element::float32);
}

HostTensor HostTensor::input(const Api& api, const MemoryInfo* memory, ElementType type, const float* values,
                             const std::vector<std::int64_t>& shape) {
  // The interface has no read-only view of memory; the library does not write to its inputs.
  return {api, memory, type, const_cast<float*>(values), shape, true};
}

HostTensor HostTensor::output(const Api& api, const MemoryInfo* memory, ElementType type, float* values,
                              const std::vector<std::int64_t>& shape) {
  return {api, memory, type, values, shape, false};
}

void HostTensor::to_floats() const { std::transform(halves_.begin(), halves_.end(), values_, float_from_half); }

bool is_finite(const Api& api, Value* value, const TensorDescription& tensor) {
  void* data = nullptr;
  check(api, api.get_tensor_mutable_data(value, &data), "numbers of an output");
  const std::size_t count = count_of(tensor.shape);
  if (tensor.type == ElementType::float32) {
    const auto* floats = static_cast<const float*>(data);
    return std::all_of(floats, floats + count, [](float number) { return std::isfinite(number); });
  }
  const auto* halves = static_cast<const std::uint16_t*>(data);
  return std::all_of(halves, halves + count, [](std::uint16_t half) { return (half & 0x7C00U) != 0x7C00U; });
}

}  // namespace rfseg::network::onnx
