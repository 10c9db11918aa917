// Finds the embedded images and loads them. Knows the kernels' numbers; what they compute is in triton_kernels/.
#include "pipeline/gpu/gpu_kernels.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <cstddef>

extern "C" {
extern const unsigned char rfseg_kernels_begin[];  // kernels.bin, embedded by csrc/cmake/Kernels.cmake
extern const unsigned char rfseg_kernels_end[];
}

namespace rfseg::pipeline {

namespace {

cuda::KernelBlob embedded_kernels() {
  const unsigned char* const begin = rfseg_kernels_begin;
  const auto bytes = static_cast<std::size_t>(rfseg_kernels_end - begin);
  if (bytes == 0)
    throw BackendError(
        "this build of rfseg has no GPU kernels: configure it with -DRFSEG_GPU=ON, which needs the Python package "
        "triton");
  return {begin, bytes};
}

template <class Kernel>
struct Loader;

template <class... Args>
struct Loader<cuda::Kernel<Args...>> {
  static cuda::Kernel<Args...> load(const cuda::KernelImages& images, kernel_abi::Kernel number) {
    return images.load<Args...>(static_cast<std::uint32_t>(number));
  }
};

}  // namespace

GpuKernels::GpuKernels(const cuda::SharedDevice& device) : GpuKernels(cuda::KernelImages(device, embedded_kernels())) {}

GpuKernels::GpuKernels(const cuda::KernelImages& images)
    : resize_first(Loader<ResizeFirst>::load(images, kernel_abi::Kernel::resize_first)),
      resize_last(Loader<ResizeLast>::load(images, kernel_abi::Kernel::resize_last)),
      resize_bilinear(Loader<ResizeBilinear>::load(images, kernel_abi::Kernel::resize_bilinear)),
      select(Loader<Select>::load(images, kernel_abi::Kernel::select)),
      mask_count(Loader<MaskPass>::load(images, kernel_abi::Kernel::mask_count)),
      mask_runs(Loader<MaskPass>::load(images, kernel_abi::Kernel::mask_runs)),
      gather(Loader<Gather>::load(images, kernel_abi::Kernel::gather)),
      gather_rows(Loader<GatherRows>::load(images, kernel_abi::Kernel::gather_rows)) {}

}  // namespace rfseg::pipeline
