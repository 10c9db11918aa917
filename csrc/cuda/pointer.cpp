#include "cuda/pointer.hpp"

#include "cuda/check.hpp"

namespace rfseg::cuda {

AddressInfo describe_address(const Driver& driver, DeviceAddress address) {
  constexpr int kMemoryType = 2, kDeviceOrdinal = 9;  // CU_POINTER_ATTRIBUTE_...
  constexpr unsigned kHost = 1;                       // CU_MEMORYTYPE_HOST
  constexpr ResultCode kUnknownAddress = 1;           // CUDA_ERROR_INVALID_VALUE: no error here, but the answer
  constexpr char kCall[] = "cuPointerGetAttribute";
  unsigned type = 0;
  const ResultCode code = driver.cuPointerGetAttribute(&type, kMemoryType, address);
  if (code == kUnknownAddress) return {};
  check(driver, code, kCall, "memory type of a frame");
  if (type == 0) return {};
  if (type == kHost) return {AddressKind::pinned, -1};
  int device = -1;
  check(driver, driver.cuPointerGetAttribute(&device, kDeviceOrdinal, address), kCall, "device of a frame");
  return {AddressKind::device, device};
}

}  // namespace rfseg::cuda
