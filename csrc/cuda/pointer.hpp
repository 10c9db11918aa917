// What the driver knows of an address that someone else allocated.
#pragma once

#include "cuda/driver.hpp"

namespace rfseg::cuda {

enum class AddressKind {
  ordinary,  ///< unknown to the driver: pageable host memory
  pinned,    ///< page-locked host memory, whoever locked it
  device,    ///< memory of a device, or managed memory
};

struct AddressInfo {
  AddressKind kind = AddressKind::ordinary;
  int device = -1;  ///< ordinal, for AddressKind::device
};

/// Asks the driver. A device is current.
/// @throws CudaError
AddressInfo describe_address(const Driver& driver, DeviceAddress address);

}  // namespace rfseg::cuda
