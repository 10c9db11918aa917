// Allocates and copies. Knows no layout of what it holds.
#include "cuda/buffer.hpp"

#include "cuda/check.hpp"

#include <cstring>
#include <utility>

namespace rfseg::cuda {

namespace {

constexpr unsigned kPortable = 1;   // CU_MEMHOSTALLOC_PORTABLE
constexpr unsigned kDeviceMap = 2;  // CU_MEMHOSTALLOC_DEVICEMAP

std::string sized(const std::string& name, std::size_t bytes) {
  return name + " of " + std::to_string(bytes) + " bytes";
}

UniqueDeviceMemory allocate_device(SharedDevice device, std::size_t bytes, const std::string& name) {
  const CurrentDevice current(*device);
  const std::string what = sized(name, bytes);  // before there is something to own
  DeviceAddress address = 0;
  check(device->driver(), device->driver().cuMemAlloc_v2(&address, bytes), "cuMemAlloc_v2", what);
  device->count_allocation();
  return UniqueDeviceMemory(DevicePointer(address), {std::move(device)});
}

UniquePinned allocate_pinned(SharedDevice device, std::size_t bytes, const std::string& name) {
  const CurrentDevice current(*device);
  const std::string what = sized(name, bytes);  // before there is something to own
  void* memory = nullptr;
  check(device->driver(), device->driver().cuMemHostAlloc(&memory, bytes, kPortable | kDeviceMap), "cuMemHostAlloc",
        what);
  device->count_allocation();
  return UniquePinned(memory, {std::move(device)});
}

DeviceAddress mapped_address(const UniquePinned& memory, const std::string& name) {
  const Device& device = *memory.get_deleter().device;
  const CurrentDevice current(device);
  DeviceAddress address = 0;
  check(device.driver(), device.driver().cuMemHostGetDevicePointer_v2(&address, memory.get(), 0),
        "cuMemHostGetDevicePointer_v2", name);
  return address;
}

void expect_room(const std::string& name, std::size_t size, std::size_t bytes) {
  if (bytes > size) throw CudaError("a copy of " + std::to_string(bytes) + " bytes does not fit " + sized(name, size));
}

}  // namespace

DeviceBuffer::DeviceBuffer(SharedDevice device, std::size_t bytes, std::string name)
    : name_(std::move(name)), bytes_(bytes), memory_(allocate_device(std::move(device), bytes, name_)) {}

PinnedBuffer::PinnedBuffer(SharedDevice device, std::size_t bytes, std::string name)
    : name_(std::move(name)),
      bytes_(bytes),
      memory_(allocate_pinned(std::move(device), bytes, name_)),
      address_(mapped_address(memory_, name_)) {}

void enqueue_copy(const Stream& stream, const DeviceBuffer& to, const PinnedBuffer& from, std::size_t bytes) {
  expect_room(to.name(), to.bytes(), bytes);
  expect_room(from.name(), from.bytes(), bytes);
  check(stream.driver(), stream.driver().cuMemcpyHtoDAsync_v2(to.address(), from.data(), bytes, stream.get()),
        "cuMemcpyHtoDAsync_v2", to.name());
}

void enqueue_copy(const Stream& stream, PinnedBuffer& to, const DeviceBuffer& from, std::size_t offset,
                  std::size_t bytes) {
  expect_room(to.name(), to.bytes(), bytes);
  expect_room(from.name(), from.bytes(), offset + bytes);
  check(stream.driver(), stream.driver().cuMemcpyDtoHAsync_v2(to.data(), from.address() + offset, bytes, stream.get()),
        "cuMemcpyDtoHAsync_v2", from.name());
}

void enqueue_copy(const Stream& stream, const DeviceBuffer& to, std::size_t offset, const void* from,
                  std::size_t bytes) {
  expect_room(to.name(), to.bytes(), offset + bytes);
  check(stream.driver(), stream.driver().cuMemcpyHtoDAsync_v2(to.address() + offset, from, bytes, stream.get()),
        "cuMemcpyHtoDAsync_v2", to.name());
}

DeviceBuffer upload(const Stream& stream, const void* data, std::size_t bytes, const std::string& name) {
  PinnedBuffer pinned(stream.device(), bytes, name + " on its way");
  DeviceBuffer buffer(stream.device(), bytes, name);
  std::memcpy(pinned.data(), data, bytes);
  enqueue_copy(stream, buffer, pinned, bytes);
  stream.wait_idle();
  return buffer;
}

void enqueue_fill(const Stream& stream, const DeviceBuffer& buffer, unsigned char value) {
  check(stream.driver(), stream.driver().cuMemsetD8Async(buffer.address(), value, buffer.bytes(), stream.get()),
        "cuMemsetD8Async", buffer.name());
}

}  // namespace rfseg::cuda
