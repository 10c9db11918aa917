// What all frames in flight share on a GPU: the device, the kernels, the engine, and the tables that depend on neither
// frame size nor frame. Immutable after construction.
#pragma once

#include "cuda/buffer.hpp"
#include "network/tensorrt/engine.hpp"
#include "pipeline/gpu/gpu_kernels.hpp"
#include "pipeline/pipeline.hpp"

namespace rfseg::pipeline {

struct GpuModel {
  /// Waits. Makes the device current itself.
  /// @throws BackendError  the network has more queries than the kernels take, or as GpuKernels
  GpuModel(cuda::SharedDevice device, network::TensorRtEngine engine, PipelineSettings settings);

  cuda::SharedDevice device;
  network::TensorRtEngine engine;
  network::ModelContract contract;
  network::TensorBytes bytes;
  PipelineSettings settings;
  GpuKernels kernels;
  int most_slots = 0;             ///< masks that a frame can need: min(queries, max_detections)
  float least_cut = 0;            ///< the least logit cut that is not NaN, or NaN
  cuda::DeviceBuffer logit_cut;   ///< float32 [C]
  cuda::DeviceBuffer normalised;  ///< float32 [3][256]
};

}  // namespace rfseg::pipeline
