#include "cuda/pointer.hpp"

#include "cuda/check.hpp"

namespace rfseg::cuda {

AddressInfo describe_address(const Driver& driver, DeviceAddress address) {
  int attributes[] = {2, 9};     // CU_POINTER_ATTRIBUTE_MEMORY_TYPE, ..._DEVICE_ORDINAL
  constexpr unsigned kHost = 1;  // CU_MEMORYTYPE_HOST
  unsigned type = 0;             // stays 0 for memory that the driver does not know
  int device = -1;
  void* values[] = {&type, &device};
  check(driver, driver.cuPointerGetAttributes(2, attributes, values, address), "cuPointerGetAttributes", "a frame");
  if (type == 0) return {};
  if (type == kHost) return {AddressKind::pinned, -1};
  return {AddressKind::device, device};
}

}  // namespace rfseg::cuda
