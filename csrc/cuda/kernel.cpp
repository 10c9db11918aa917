// Loads modules and launches functions.
#include "cuda/kernel.hpp"

#include "cuda/check.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <array>

namespace rfseg::cuda {

namespace {

constexpr unsigned kSharedWithoutAsking = 48 * 1024;  // bytes a block may have before the attribute is needed
constexpr int kMaxDynamicShared = 8;                  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
constexpr int kErrorLogBuffer = 5;                    // CU_JIT_ERROR_LOG_BUFFER
constexpr int kErrorLogBytes = 6;                     // CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES

/// @throws CudaError  with what the driver's compiler said
UniqueModule load_module(const SharedDevice& device, const KernelImage& image) {
  std::array<char, 2048> log{};
  int names[] = {kErrorLogBuffer, kErrorLogBytes};
  // The driver takes a size where it takes a pointer.
  void* values[] = {log.data(), reinterpret_cast<void*>(static_cast<std::uintptr_t>(log.size() - 1))};
  ModuleHandle handle = nullptr;
  const ResultCode code = device->driver().cuModuleLoadDataEx(&handle, image.image, 2, names, values);
  UniqueModule module(handle, {device});
  const std::string said = log[0] != '\0' ? std::string(" (") + log.data() + ")" : "";
  check(device->driver(), code, "cuModuleLoadDataEx", image.text() + " of " + image.entry + said);
  device->count_module_load();
  return module;
}

void expect_arguments(const KernelImage& image, const std::vector<std::size_t>& expected) {
  const auto* const first = image.parameter_bytes.data();
  if (std::equal(expected.begin(), expected.end(), first, first + image.parameters)) return;
  const auto list = [](const auto& sizes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
    return text;
  };
  throw BackendError(std::string("kernel ") + image.entry + " takes parameters of " +
                     list(image.parameter_bytes, image.parameters) + " bytes, and is called with " +
                     list(expected, expected.size()) + ": kernels and library are of different builds");
}

}  // namespace

void LoadedKernel::enqueue(const Stream& stream, Grid grid, void** parameters) const {
  check(stream.driver(),
        stream.driver().cuLaunchKernel(function_, grid.x, grid.y, grid.z, threads_, 1, 1, shared_bytes_, stream.get(),
                                       parameters, nullptr),
        "cuLaunchKernel", name_);
}

KernelImages::KernelImages(SharedDevice device, KernelBlob blob) : device_(std::move(device)), blob_(std::move(blob)) {}

LoadedKernel KernelImages::load_untyped(std::uint32_t kernel, const std::vector<std::size_t>& argument_bytes) const {
  const std::vector<const KernelImage*> images = blob_.images_for(kernel, device_->info());
  for (const KernelImage* image : images) expect_arguments(*image, argument_bytes);
  const CurrentDevice current(*device_);
  std::string refused;
  for (const KernelImage* image : images) {
    try {
      LoadedKernel loaded = load_image(*image);
      if (!refused.empty()) loaded.image_ += " (" + refused + ")";
      return loaded;
    } catch (const DriverError& error) {
      if (error.sticky()) throw;
      refused += (refused.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  throw CudaError(device_->info().text() + " refuses every image of the kernel: " + refused);
}

LoadedKernel KernelImages::load_image(const KernelImage& image) const {
  const Driver& driver = device_->driver();
  LoadedKernel loaded;
  loaded.name_ = image.entry;
  loaded.image_ = image.text();
  loaded.threads_ = image.threads;
  loaded.shared_bytes_ = image.shared_bytes;
  loaded.module_ = load_module(device_, image);
  check(driver, driver.cuModuleGetFunction(&loaded.function_, loaded.module_.get(), image.entry), "cuModuleGetFunction",
        loaded.name_);
  if (image.shared_bytes > kSharedWithoutAsking) {
    check(driver, driver.cuFuncSetAttribute(loaded.function_, kMaxDynamicShared, static_cast<int>(image.shared_bytes)),
          "cuFuncSetAttribute", loaded.name_);
  }
  return loaded;
}

}  // namespace rfseg::cuda
