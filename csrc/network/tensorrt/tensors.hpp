// What an engine says about its inputs and outputs, read through the checked interface and turned into the contract's
// words. Runs nothing.
#pragma once

#include "network/model_contract.hpp"
#include "network/tensorrt/library.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace rfseg::network::tensorrt {

struct EngineTensors {
  std::vector<TensorDescription> inputs;
  std::vector<TensorDescription> outputs;
};

/// The tensors of `engine`, shapes as the file has them.
/// @throws BackendError  TensorRT answers what no engine can mean: it is driven wrongly
/// @throws ModelError    a tensor is not plain device memory; `file` is named
EngineTensors read_tensors(const Library& library, void* engine, const std::string& file);

/// Gives the input of `context` its shape at batch 1, when the file leaves the batch open, and lets TensorRT infer the
/// rest. Does nothing for a fixed batch.
/// @throws ModelError  the engine does not take batch 1
void set_batch_1(const Library& library, void* engine, void* context, const ModelContract& contract,
                 const std::string& file);

/// The shape of a tensor at the input shape that `context` was given.
std::vector<std::int64_t> context_shape(const Library& library, void* context, const std::string& tensor);

}  // namespace rfseg::network::tensorrt
