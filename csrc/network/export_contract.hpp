// What rfdetr 1.12 and later state about a network they export: in the ONNX file's metadata, or in files beside an
// artefact. Facts that nobody states are absent; facts that rfseg does not follow are refused here, in words.
#pragma once

#include "network/engine_build.hpp"
#include "network/json.hpp"
#include "network/model_contract.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace rfseg::network {

struct ExportContract {
  std::string source;    ///< who states it, for messages; "" when nobody states anything
  std::string producer;  ///< "rfdetr 1.12.0, seg-nano"; "" when not stated
  TensorRoles roles;
  std::optional<int> batch;      ///< images a run takes; 0: any number
  std::optional<int> max_batch;  ///< of an open batch
  std::optional<ImageSize> input_size;
  std::optional<std::string> input_type;                ///< "float32", "float16"
  std::optional<std::array<float, 3>> mean, deviation;  ///< RGB; every deviation is above 0
  std::optional<bool> antialias;                        ///< of the resize
  std::optional<int> num_classes;
  std::optional<int> places;         ///< pairs kept before the threshold (K0 of contract.md 3.1)
  std::optional<Value> class_names;  ///< judged when they are needed: an explicit names= overrides them
  std::string precision;             ///< of an engine: "fp16"; "" when not stated
  EngineBuild built;                 ///< of an engine
};

/// Reads the object that rfdetr calls its inference metadata. `format`: "onnx" or "tensorrt", which it must be of.
/// `tensors`: names of the outputs in the file's order, for those that are stated by position; empty when unknown.
/// @throws ModelError  an unknown key, a wrong type, or a fact that rfseg does not follow; names it
ExportContract parse_export_contract(const Value& object, const std::string& source, const std::string& format,
                                     const std::vector<std::string>& outputs);

/// Reads the object of a `.json` beside a `.trt`. `model`: the engine, whose size and digest must be the stated ones.
/// @throws ModelError  as parse_export_contract
ExportContract parse_engine_contract(const Value& object, const std::string& source, const std::string& model);

/// Both together. @throws ModelError  they state different things; names both values
ExportContract merged(ExportContract one, const ExportContract& other);

/// As check_agreement, with what an ONNX file declares, before it is loaded. What the file leaves open agrees.
void check_declared(const ExportContract& contract, const std::vector<TensorDescription>& inputs,
                    const std::vector<TensorDescription>& outputs, const std::string& model);

/// @throws ModelError  `contract` says other sizes or names than `found`, the network itself
void check_agreement(const ExportContract& contract, const ModelContract& found, const std::string& model);

}  // namespace rfseg::network
