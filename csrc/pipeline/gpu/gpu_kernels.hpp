// The kernels of triton_kernels/ as typed functions of one device. Owns the one place where their argument lists are
// written in C++; each is checked against its image when it is loaded.
#pragma once

#include "cuda/kernel.hpp"

#include <cstdint>

namespace rfseg::pipeline {

using cuda::DeviceAddress;

/// Strides of a frame in device memory; the kernels take any, of any sign.
struct DeviceSource {
  DeviceAddress data = 0;  ///< first channel of the top left pixel
  std::int64_t row_bytes = 0;
  std::int64_t pixel_bytes = 3;
  std::int64_t channel_bytes = 1;
};

// Argument lists as triton_kernels/signatures.py has them.
using ResizePass = cuda::Kernel<DeviceAddress, std::int64_t, std::int64_t, std::int64_t,      // source and its strides
                                DeviceAddress, std::int32_t,                                  // axis, taps
                                std::int32_t, std::int32_t, DeviceAddress,                    // height, width, target
                                DeviceAddress, std::int32_t, std::int32_t>;                   // normalised, bgr, half
using ResizeBilinear = cuda::Kernel<DeviceAddress, std::int64_t, std::int64_t, std::int64_t,  // source and its strides
                                    DeviceAddress, DeviceAddress,                             // axis_x, axis_y
                                    std::int32_t, std::int32_t, DeviceAddress,                // height, width, target
                                    std::int32_t, std::int32_t>;                              // bgr, half
using Select = cuda::Kernel<DeviceAddress, std::int32_t, DeviceAddress, std::int32_t,  // labels, half, dets, half
                            std::int32_t, std::int32_t, DeviceAddress, float,  // queries, columns, cut, least cut
                            std::int32_t, DeviceAddress>;                      // max_detections, selection
using MaskPass = cuda::Kernel<DeviceAddress, std::int32_t, std::int32_t, std::int32_t,  // masks, half, height, width
                              DeviceAddress, DeviceAddress, DeviceAddress,              // axis_x, axis_y, node_row
                              std::int32_t, std::int32_t, DeviceAddress,                // height, width, selection
                              DeviceAddress, DeviceAddress,                             // nodes, column_toggles
                              DeviceAddress, std::int32_t,                              // toggles, capacity
                              DeviceAddress, DeviceAddress>;                            // hand_back, host_toggles

/// Immutable; every thread may launch them.
struct GpuKernels {
  /// Loads the images built into this library. Waits.
  /// @throws BackendError  no image runs on this device: names the oldest GPU that is supported
  /// @throws CudaError     the driver refuses every image of a kernel
  explicit GpuKernels(const cuda::SharedDevice& device);

  ResizePass resize_x, resize_y;              ///< to bytes [height, width, 3]
  ResizePass resize_x_final, resize_y_final;  ///< to the network's input
  ResizeBilinear resize_bilinear;
  Select select;
  MaskPass mask_count, mask_runs;

 private:
  explicit GpuKernels(const cuda::KernelImages& images);
};

}  // namespace rfseg::pipeline
