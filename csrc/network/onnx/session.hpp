// A model file opened in ONNX Runtime, and what it says about itself. Does not know what the tensors mean.
#pragma once

#include "network/model_contract.hpp"
#include "network/onnx/api.hpp"
#include "network/onnx/model_file.hpp"

#include <rfseg/segmenter.hpp>

#include <string>
#include <vector>

namespace rfseg::network::onnx {

/// Loads `file`. `log` receives the session's warnings and errors and outlives it; so does `env`. Waits.
/// @throws ModelError  the library cannot read or run it; says what to do where the file is newer than the library
Owned<Session> open_session(const Library& library, const Env* env, const ModelFile& file, int threads,
                            LogCallback* log);

std::vector<TensorDescription> describe_inputs(const Api& api, const Session* session);
std::vector<TensorDescription> describe_outputs(const Api& api, const Session* session);

/// Replaces the sizes of `tensor` by those of `value`, which has no open ones.
void update_shape(const Api& api, const Value* value, TensorDescription& tensor);

}  // namespace rfseg::network::onnx
