// The GPUs that the driver offers, and one of them made usable. Owns the reference on a device's primary context: the
// context that TensorRT and every CUDA runtime in this program use too.
#pragma once

#include "cuda/driver.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace rfseg::cuda {

struct ComputeCapability {
  int major = 0;
  int minor = 0;

  std::string text() const;  ///< "9.0"
};

struct DeviceInfo {
  int ordinal = 0;  ///< as in "cuda:0"
  std::string name;
  ComputeCapability compute_capability;
  std::size_t total_memory_bytes = 0;
  int multiprocessors = 0;
  int driver_version = 0;  ///< the newest CUDA that the driver knows: 13000 for 13.0

  /// "NVIDIA H200 (cuda:0, compute capability 9.0)".
  std::string text() const;
};

/// The visible devices in the driver's order; empty when there is none.
/// @throws CudaError
std::vector<DeviceInfo> list_devices(const Driver& driver);

/// One device whose primary context is retained. Everything made on a device shares its Device, so the context outlives
/// all of it. Every thread may use it.
class Device {
 public:
  /// @throws BackendError no device has that ordinal
  /// @throws CudaError
  Device(SharedDriver driver, int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Driver& driver() const noexcept { return *driver_; }
  const DeviceInfo& info() const noexcept { return info_; }
  ContextHandle context() const noexcept { return context_; }

  /// How many device and pinned buffers were ever made on this Device. TensorRT's own memory is not counted.
  std::int64_t allocations() const noexcept { return allocations_.load(std::memory_order_relaxed); }
  void count_allocation() const noexcept { allocations_.fetch_add(1, std::memory_order_relaxed); }

  /// How many kernel images were ever loaded on this Device. TensorRT's own are not counted.
  std::int64_t module_loads() const noexcept { return module_loads_.load(std::memory_order_relaxed); }
  void count_module_load() const noexcept { module_loads_.fetch_add(1, std::memory_order_relaxed); }

  /// How many captures were ever begun on this Device.
  std::int64_t captures() const noexcept { return captures_.load(std::memory_order_relaxed); }
  void count_capture() const noexcept { captures_.fetch_add(1, std::memory_order_relaxed); }

 private:
  SharedDriver driver_;
  DeviceInfo info_;
  DeviceHandle handle_ = 0;
  ContextHandle context_ = nullptr;
  mutable std::atomic<std::int64_t> allocations_{0}, module_loads_{0}, captures_{0};
};

using SharedDevice = std::shared_ptr<const Device>;

/// Which open captures forbid this thread what could disturb them, and are broken by it: allocations, questions to the
/// driver. By default those of every library that captures in the driver's global mode, as torch does.
enum class CaptureRule : int {
  own = 1,   ///< this thread's alone
  none = 2,  ///< what this thread does is no part of any
};

/// Sets the rule for this thread and the guard's life.
class CaptureRuleHere {
 public:
  CaptureRuleHere(const Driver& driver, CaptureRule rule) noexcept;
  ~CaptureRuleHere();
  CaptureRuleHere(const CaptureRuleHere&) = delete;
  CaptureRuleHere& operator=(const CaptureRuleHere&) = delete;

 private:
  const Driver& driver_;
  int before_;
};

/// Makes a device current on this thread, outside all captures, for the guard's life, then restores what was.
/// Constructors and destructors in this folder do it themselves; everything named enqueue_ or wait_ expects the caller
/// to have done it, once for a whole frame.
class CurrentDevice {
 public:
  /// @throws CudaError
  explicit CurrentDevice(const Device& device);
  /// For destructors: a failure leaves the thread's current context as it was.
  CurrentDevice(const Device& device, std::nothrow_t) noexcept;
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  const Driver& driver_;
  const CaptureRuleHere outside_captures_;
  bool pushed_;
};

}  // namespace rfseg::cuda
