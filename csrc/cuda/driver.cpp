// Opens libcuda and fills the table of functions. Knows no object that those functions make.
#include "cuda/driver.hpp"

#include "cuda/check.hpp"
#include "host/loader.hpp"

#include <rfseg/error.hpp>

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

namespace rfseg::cuda {

namespace {

std::string driver_path(const std::string& asked_for) {
  if (!asked_for.empty()) return asked_for;
  const char* const from_environment = std::getenv("RFSEG_LIBCUDA");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment : "libcuda.so.1";
}

template <class Function>
void find(void* library, const std::string& path, const char* symbol, Function& function) {
  void* const address = dlsym(library, symbol);
  if (address == nullptr) {
    throw BackendError("the NVIDIA driver " + path + " lacks " + symbol +
                       ": it is too old, or no CUDA driver; rfseg needs driver 525 or later");
  }
  static_assert(sizeof function == sizeof address);
  std::memcpy(&function, &address, sizeof function);
}

}  // namespace

SharedDriver open_driver(const std::string& path) {
  const auto driver = std::make_shared<Driver>();
  driver->path = driver_path(path);
  void* const library = dlopen(driver->path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    throw BackendError("no NVIDIA driver: " + driver->path + ": " + host::loader_reason(driver->path) +
                       "; install NVIDIA's driver, 525 or later, or run the .onnx file on the CPU");
  }
#define RFSEG_CUDA_FIND(symbol, ...) find(library, driver->path, #symbol, driver->symbol);
  RFSEG_CUDA_DRIVER_CALLS(RFSEG_CUDA_FIND)
#undef RFSEG_CUDA_FIND
  check(*driver, driver->cuInit(0), "cuInit", "the NVIDIA driver " + driver->path);
  return driver;
}

}  // namespace rfseg::cuda
