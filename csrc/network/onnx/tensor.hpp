// A tensor that a session reads or writes: the caller's float32 memory itself, or a float16 copy of it.
#pragma once

#include "network/model_contract.hpp"
#include "network/onnx/api.hpp"

#include <cstdint>
#include <vector>

namespace rfseg::network::onnx {

/// One tensor of one run. `memory`: what the library calls host memory.
class HostTensor {
 public:
  /// To be read by the network: `values`, of `shape`, are converted where `type` is float16.
  static HostTensor input(const Api& api, const MemoryInfo* memory, ElementType type, const float* values,
                          const std::vector<std::int64_t>& shape);
  /// To be written by the network, into `values` once to_floats() is called.
  static HostTensor output(const Api& api, const MemoryInfo* memory, ElementType type, float* values,
                           const std::vector<std::int64_t>& shape);

  Value* value() const { return value_.get(); }
  void to_floats() const;  ///< converts what was written, where the network writes float16

 private:
  HostTensor(const Api& api, const MemoryInfo* memory, ElementType type, float* values,
             const std::vector<std::int64_t>& shape, bool read);

  float* values_;
  std::vector<std::uint16_t> halves_;
  Owned<Value> value_;
};

/// True when every number in `value`, of `type`, is finite. @throws BackendError  as check()
bool is_finite(const Api& api, Value* value, const TensorDescription& tensor);

}  // namespace rfseg::network::onnx
