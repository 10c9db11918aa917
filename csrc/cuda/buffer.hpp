// Memory that a device works on: its own, and host memory it can reach. Every copy needs a stream; nothing here copies
// behind the caller's back, and nothing grows.
#pragma once

#include "cuda/stream.hpp"

#include <cstddef>
#include <string>

namespace rfseg::cuda {

/// Memory of the device, 256-byte aligned, not cleared.
class DeviceBuffer {
 public:
  /// `name` appears in error messages. Makes the device current itself.
  /// @throws CudaError  out of memory, or `bytes` is 0
  DeviceBuffer(SharedDevice device, std::size_t bytes, std::string name);

  DeviceAddress address() const noexcept { return memory_.get().address; }
  std::size_t bytes() const noexcept { return bytes_; }
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  std::size_t bytes_;
  UniqueDeviceMemory memory_;
};

/// Page-locked host memory that kernels may also address: copies from and to it do not wait, and a kernel can write
/// results straight into it. Not cleared. The host may read what the device wrote once an event behind it is reached.
class PinnedBuffer {
 public:
  /// `name` appears in error messages. Makes the device current itself.
  /// @throws CudaError  out of memory, or `bytes` is 0
  PinnedBuffer(SharedDevice device, std::size_t bytes, std::string name);

  std::byte* data() noexcept { return static_cast<std::byte*>(memory_.get()); }
  const std::byte* data() const noexcept { return static_cast<const std::byte*>(memory_.get()); }
  DeviceAddress address() const noexcept { return address_; }  ///< the same memory, as kernels address it
  std::size_t bytes() const noexcept { return bytes_; }
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  std::size_t bytes_;
  UniquePinned memory_;
  DeviceAddress address_;
};

/// Queues a copy of the first `bytes`; both buffers stay untouched by the host until `stream` has passed it.
/// @throws CudaError  also when `bytes` exceeds a buffer
void enqueue_copy(const Stream& stream, const DeviceBuffer& to, const PinnedBuffer& from, std::size_t bytes);

/// Queues a copy of `bytes` from `from`, from `offset` on, to the start of `to`.
/// @throws CudaError  also when the bytes exceed a buffer
void enqueue_copy(const Stream& stream, PinnedBuffer& to, const DeviceBuffer& from, std::size_t offset,
                  std::size_t bytes);

/// Queues a copy of `bytes` from page-locked memory at `from`, whoever owns it, to `to` from `offset` on. The memory
/// stays untouched until `stream` has passed it.
/// @throws CudaError  also when the bytes exceed `to`
void enqueue_copy(const Stream& stream, const DeviceBuffer& to, std::size_t offset, const void* from,
                  std::size_t bytes);

/// A buffer of the device that holds these bytes. Waits for all work of `stream` so far. `name` appears in error
/// messages. The device is current.
/// @throws CudaError  out of memory, or `bytes` is 0
DeviceBuffer upload(const Stream& stream, const void* data, std::size_t bytes, const std::string& name);

/// Queues the setting of every byte of `buffer`.
/// @throws CudaError
void enqueue_fill(const Stream& stream, const DeviceBuffer& buffer, unsigned char value);

}  // namespace rfseg::cuda
