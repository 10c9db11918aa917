// How a test steers the CUDA stand-in: a library with the driver's entry points that keeps device memory in host memory
// and runs queued work when someone waits for it. It knows no kernel by itself: a test says what each one does.
#pragma once

#include "cuda/driver.hpp"

#include <dlfcn.h>

#include <cstddef>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace stand_in {

struct Launch {
  std::string entry;
  unsigned grid[3], block[3], shared_bytes;
  std::vector<std::vector<std::byte>> arguments;  ///< the bytes of each parameter
  const void* image = nullptr;                    ///< what the kernel's module was loaded from
};

/// What a kernel does, and the sizes of its parameters.
struct KernelModel {
  std::vector<std::size_t> parameter_bytes;
  std::function<void(const Launch&)> run;
};

class Cuda {
 public:
  virtual ~Cuda() = default;

  /// Forgets everything: objects, failures, counts, kernels; one device of compute capability 9.0 is left.
  virtual void reset() = 0;
  virtual void set_devices(std::vector<std::pair<int, int>> compute_capabilities) = 0;
  virtual void set_kernel(const std::string& entry, KernelModel model) = 0;
  /// cuModuleLoadDataEx refuses images that begin so, with CUDA_ERROR_NO_BINARY_FOR_GPU.
  virtual void refuse_images(const std::string& prefix) = 0;

  /// The n-th call of `symbol` from here on, counted from 1, returns `code`. A function that destroys still destroys:
  /// the driver reports earlier failures there. Several failures may be planned.
  virtual void fail(const std::string& symbol, int nth, int code) = 0;
  virtual bool failures_pending() const = 0;
  /// Every call from here on returns `code` and queued work never runs, as after a sticky error; what destroys still
  /// destroys.
  virtual void lose_context(int code) = 0;
  virtual int calls(const std::string& symbol) const = 0;

  /// Objects that exist, by kind; kinds without objects are absent.
  virtual std::map<std::string, int> live() const = 0;
  /// Calls that a real driver would refuse or crash on: foreign handles, double frees, no current context.
  virtual std::vector<std::string> misuses() const = 0;
  virtual std::vector<Launch> launches() const = 0;     ///< in the order in which they ran
  virtual std::vector<std::string> images() const = 0;  ///< loaded modules' first bytes, in order
  virtual int context_depth() const = 0;                ///< contexts pushed on this thread
  virtual int capture_mode() const = 0;                 ///< of this thread: 0 global, 1 thread-local, 2 relaxed

  /// The next `answers` questions whether work is done are answered with no. Else what is asked about runs at once.
  virtual void keep_busy(int answers) = 0;

  /// Queues work of another library on a stream, or captures it.
  virtual int enqueue(void* stream, std::function<void()> work) = 0;
};

/// The stand-in in the library at `path`, the same one that open_driver(path) gets.
inline Cuda& cuda(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const entry = library == nullptr ? nullptr : dlsym(library, "stand_in_cuda");
  if (entry == nullptr) throw std::runtime_error("no stand-in at " + path);
  return *reinterpret_cast<Cuda* (*)()>(entry)();
}

}  // namespace stand_in
