// Opens a model for a device: from options to a pipeline that is ready. Runs once per Segmenter.
#pragma once

#include "pipeline/pipeline.hpp"
#include "pipeline/rules.hpp"

#include <rfseg/segmenter.hpp>

#include <memory>
#include <string>

namespace rfseg::pipeline {

struct ReadyPipeline {
  Info info;
  std::shared_ptr<const ClassNames> names;
  Rules rules;
  std::unique_ptr<Pipeline> pipeline;
  LogCallback log = {};  ///< that every thread may call; empty: silent
};

/// Waits until the network is loaded. Says through options.log what "auto" chose and why, and that classes have no
/// names.
/// @throws ModelError, BackendError, CudaError, InputError  as Segmenter's constructor
ReadyPipeline set_up(const std::string& model, const Options& options);

}  // namespace rfseg::pipeline
