// What an engine says about its inputs and outputs, read through the checked interface and turned into the contract's
// words. Runs nothing.
#pragma once

#include "network/model_contract.hpp"
#include "network/tensorrt/library.hpp"

#include <array>
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

/// The least, best and most images that the first profile of an engine with an open batch takes, in this order.
/// @throws ModelError    the profile fits no batch of such images: names what it takes
std::array<int, 3> profile_batches(const Library& library, void* engine, const ModelContract& contract,
                                   const std::string& file);

/// Gives the input of `context` its shape for `images` images and lets TensorRT infer the rest.
/// @throws BackendError  TensorRT refuses
void set_batch(const Library& library, void* context, const ModelContract& contract, int images,
               const std::string& file);

/// The shape of a tensor at the input shape that `context` was given.
std::vector<std::int64_t> context_shape(const Library& library, void* context, const std::string& tensor);

}  // namespace rfseg::network::tensorrt
