// Compiled kernels made callable. A kernel's C++ type lists its arguments; whether the image takes exactly those is
// checked when it is loaded, so a launch checks nothing. Knows no kernel's meaning.
#pragma once

#include "cuda/handle.hpp"
#include "cuda/kernel_blob.hpp"
#include "cuda/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rfseg::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

/// A loaded kernel without its argument types.
class LoadedKernel {
 public:
  const std::string& name() const noexcept { return name_; }

  /// Which image runs, and why a better one does not: "PTX for 8.0 (cubin for 9.0 refused: ...)".
  const std::string& image() const noexcept { return image_; }

  /// `parameters`: one pointer for each of the image's parameters, read before this returns. Device is current.
  void enqueue(const Stream& stream, Grid grid, void** parameters) const;

 private:
  friend class KernelImages;
  LoadedKernel() = default;

  std::string name_;
  std::string image_;
  unsigned threads_ = 0;
  unsigned shared_bytes_ = 0;
  UniqueModule module_;
  FunctionHandle function_ = nullptr;  // ends with the module
};

/// A kernel that takes `Args...`: pointers as DeviceAddress, everything else as the kernel declares it. Immutable;
/// every thread may launch it.
template <class... Args>
class Kernel {
  static_assert((std::is_trivially_copyable_v<Args> && ...), "arguments are copied byte by byte");

 public:
  explicit Kernel(LoadedKernel kernel) : kernel_(std::move(kernel)) {}

  const std::string& name() const noexcept { return kernel_.name(); }
  const std::string& image() const noexcept { return kernel_.image(); }

  /// Queues one launch. Does not wait. The arguments are copied; what they point to stays until the launch is done. The
  /// device is current.
  /// @throws CudaError
  void enqueue(const Stream& stream, Grid grid, Args... args) const {
    DeviceAddress global_scratch = 0;  // Triton's two hidden parameters, behind the kernel's own
    DeviceAddress profile_scratch = 0;
    void* parameters[] = {static_cast<void*>(&args)..., &global_scratch, &profile_scratch};
    kernel_.enqueue(stream, grid, parameters);
  }

 private:
  LoadedKernel kernel_;
};

/// The kernels of a file, for one device.
class KernelImages {
 public:
  /// The bytes of `blob` outlive every load().
  KernelImages(SharedDevice device, KernelBlob blob);

  /// Loads kernel number `kernel`. A cubin that the driver refuses is replaced by the PTX image, which the driver
  /// compiles: that can take seconds, once for each machine. Makes the device current itself.
  /// @throws BackendError  no image runs on this device, or the image takes other arguments
  /// @throws CudaError     the driver refuses every image; says why for each
  template <class... Args>
  Kernel<Args...> load(std::uint32_t kernel) const {
    return Kernel<Args...>(load_untyped(kernel, {sizeof(Args)..., sizeof(DeviceAddress), sizeof(DeviceAddress)}));
  }

 private:
  LoadedKernel load_untyped(std::uint32_t kernel, const std::vector<std::size_t>& argument_bytes) const;
  LoadedKernel load_image(const KernelImage& image) const;

  SharedDevice device_;
  KernelBlob blob_;
};

}  // namespace rfseg::cuda
