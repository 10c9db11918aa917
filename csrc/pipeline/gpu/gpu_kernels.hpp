// The kernels of triton_kernels/ as typed functions of one device. Owns the one place where their argument lists are
// written in C++; each is checked against its image when it is loaded.
#pragma once

#include "cuda/kernel.hpp"

#include <cstdint>

namespace rfseg::pipeline {

using cuda::DeviceAddress;

// Argument lists as triton_kernels/signatures.py has them. All but the last two begin with the records of the batch and
// how many there are; Select has a program for each.
using ResizeFirst = cuda::Kernel<DeviceAddress, std::int32_t>;
using ResizeLast = cuda::Kernel<DeviceAddress, std::int32_t, std::int32_t, std::int32_t,      // height, width
                                DeviceAddress, DeviceAddress, std::int32_t>;                  // input, normalised, half
using ResizeBilinear = cuda::Kernel<DeviceAddress, std::int32_t, std::int32_t, std::int32_t,  // height, width
                                    DeviceAddress, std::int32_t>;                             // input, half
using Select = cuda::Kernel<DeviceAddress, DeviceAddress, std::int32_t, DeviceAddress, std::int32_t,  // labels, dets
                            std::int32_t, std::int32_t, DeviceAddress>;                   // queries, columns, selection
using MaskPass = cuda::Kernel<DeviceAddress, std::int32_t, DeviceAddress, std::int32_t,   // masks, half
                              std::int32_t, std::int32_t, std::int32_t,                   // height, width, queries
                              DeviceAddress>;                                             // selection
using Gather = cuda::Kernel<DeviceAddress, std::int64_t, std::int64_t, std::int64_t,      // source and its strides
                            std::int32_t, std::int32_t, DeviceAddress>;                   // height, width, target
using GatherRows = cuda::Kernel<DeviceAddress, std::int64_t, std::int32_t, std::int32_t,  // source, its rows: how far
                                DeviceAddress>;                                           // apart, bytes, count; target

/// Immutable; every thread may launch them.
struct GpuKernels {
  /// Loads the images built into this library. Waits.
  /// @throws BackendError  no image runs on this device: names the oldest GPU that is supported
  /// @throws CudaError     the driver refuses every image of a kernel
  explicit GpuKernels(const cuda::SharedDevice& device);

  ResizeFirst resize_first;
  ResizeLast resize_last;
  ResizeBilinear resize_bilinear;
  Select select;
  MaskPass mask_count, mask_runs;
  Gather gather;
  GatherRows gather_rows;

 private:
  explicit GpuKernels(const cuda::KernelImages& images);
};

}  // namespace rfseg::pipeline
