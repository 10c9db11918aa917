// The file of compiled kernels, read in place. Owns the reading of its layout, which triton_kernels/abi.py defines;
// knows kernels by number only, and chooses among images without asking a driver.
#pragma once

#include "cuda/device.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rfseg::cuda {

enum class ImageKind : std::uint32_t { cubin = 0, ptx = 1 };

inline constexpr int kMaxKernelParameters = 32;

/// One kernel compiled for one compute capability. Points into the file.
struct KernelImage {
  std::uint32_t kernel = 0;  ///< its number in triton_kernels/signatures.py
  ImageKind kind = ImageKind::cubin;
  ComputeCapability compute_capability;
  unsigned threads = 0;  ///< of a block, in x
  unsigned shared_bytes = 0;
  std::size_t parameters = 0;  ///< the hidden ones included
  std::array<std::uint8_t, kMaxKernelParameters> parameter_bytes{};
  const char* entry = nullptr;
  const void* image = nullptr;

  std::string text() const;  ///< "cubin for 9.0"
};

/// A checked view of the file; the bytes outlive it.
class KernelBlob {
 public:
  /// `data`: the whole file, 8-byte aligned.
  /// @throws BackendError  it is damaged, or of another version than this library
  KernelBlob(const void* data, std::size_t bytes);

  const std::vector<KernelImage>& images() const noexcept { return images_; }

  /// The images of `kernel` that a device can run, best first: the cubin of its major with the highest minor that is
  /// not above its own, then the PTX with the highest capability that is not above.
  /// @throws BackendError  there is none: names the oldest GPU that is supported
  std::vector<const KernelImage*> images_for(std::uint32_t kernel, const DeviceInfo& device) const;

 private:
  std::vector<KernelImage> images_;
};

}  // namespace rfseg::cuda
