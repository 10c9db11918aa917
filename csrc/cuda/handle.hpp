// Ownership of the driver's objects: a unique_ptr whose deleter calls the driver function that destroys them. Having
// read this, one has read how streams, events, buffers, modules and graphs end.
#pragma once

#include "cuda/device.hpp"

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace rfseg::cuda {

/// Ends a driver object. Shares the device, so that the object's context outlives it, and makes it current, so that the
/// object may end on any thread. A failure is not reported: the driver repeats earlier errors of the context here, and
/// whoever waited for that work has been told.
template <class Pointer, auto Destroy>
struct Destroyer {
  using pointer = Pointer;
  SharedDevice device;

  void operator()(Pointer object) const noexcept {
    const CurrentDevice current(*device, std::nothrow);
    (device->driver().*Destroy)(object);
  }
};

template <class Pointer, auto Destroy>
using Handle = std::unique_ptr<std::remove_pointer_t<Pointer>, Destroyer<Pointer, Destroy>>;

using UniqueStream = Handle<StreamHandle, &Driver::cuStreamDestroy_v2>;
using UniqueEvent = Handle<EventHandle, &Driver::cuEventDestroy_v2>;
using UniqueModule = Handle<ModuleHandle, &Driver::cuModuleUnload>;
using UniqueGraph = Handle<GraphHandle, &Driver::cuGraphDestroy>;
using UniqueGraphExec = Handle<GraphExecHandle, &Driver::cuGraphExecDestroy>;
using UniquePinned = Handle<void*, &Driver::cuMemFreeHost>;

/// Device memory by its address, which is no pointer of this program: it must not be dereferenced here.
struct DevicePointer {
  DeviceAddress address = 0;

  DevicePointer() = default;
  DevicePointer(std::nullptr_t) {}
  explicit DevicePointer(DeviceAddress value) : address(value) {}
  explicit operator bool() const { return address != 0; }
  friend bool operator==(DevicePointer a, DevicePointer b) { return a.address == b.address; }
  friend bool operator!=(DevicePointer a, DevicePointer b) { return a.address != b.address; }
};

struct DeviceMemoryDestroyer {
  using pointer = DevicePointer;
  SharedDevice device;

  void operator()(DevicePointer memory) const noexcept {
    const CurrentDevice current(*device, std::nothrow);
    device->driver().cuMemFree_v2(memory.address);
  }
};

using UniqueDeviceMemory = std::unique_ptr<DevicePointer, DeviceMemoryDestroyer>;

}  // namespace rfseg::cuda
