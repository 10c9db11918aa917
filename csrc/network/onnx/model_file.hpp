// What an ONNX file says about itself, read without loading it: versions, metadata, tensors, the kind of its weights
// and whether those that lie in other files are there. Source: onnx.proto of ONNX 1.x (Apache-2.0), field numbers only.
#pragma once

#include "network/model_contract.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rfseg::network::onnx {

struct ModelFile {
  std::string path;
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;                       ///< of ONNX's own operators
  std::map<std::string, std::string> metadata;  ///< the keys that may concern rfseg
  std::vector<TensorDescription> inputs;        ///< as declared, without the weights; type_name is not set
  std::vector<TensorDescription> outputs;
  std::string precision;  ///< of the weights: "float32", "float16", "int8", ..., "mixed"; "" when there are none
};

/// Reads `path`. Waits for the disk.
/// @throws ModelError  missing, empty, not an ONNX file (says what it is), damaged, or weights beside it are missing
ModelFile read_model_file(const std::string& path);

}  // namespace rfseg::network::onnx
