// What all lanes and places of a GPU share: the device, the kernels, the engine, and the tables that depend on neither
// frame size nor frame. Immutable after construction.
#pragma once

#include "cuda/buffer.hpp"
#include "network/tensorrt/engine.hpp"
#include "pipeline/gpu/gpu_kernels.hpp"
#include "pipeline/pipeline.hpp"

#include <vector>

namespace rfseg::pipeline {

struct GpuModel {
  /// Waits. Makes the device current itself.
  /// @throws BackendError  the network has more queries than the kernels take, or as GpuKernels
  GpuModel(cuda::SharedDevice device, network::TensorRtEngine engine, PipelineSettings settings);

  cuda::SharedDevice device;
  network::TensorRtEngine engine;
  network::ModelContract contract;
  network::TensorBytes bytes;  ///< of one image
  PipelineSettings settings;
  GpuKernels kernels;
  int most_slots = 0;             ///< masks that a frame can need: min(queries, max_detections)
  std::vector<int> batch_sizes;   ///< those that a lane runs, ascending; the last is settings.max_batch
  cuda::DeviceBuffer normalised;  ///< float32 [3][256]

  /// The least of batch_sizes that takes `images` images when it is the only one, else the greatest that they fill.
  int batch_size_for(int images) const;
};

}  // namespace rfseg::pipeline
