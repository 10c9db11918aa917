// Turns result codes into words. Knows which codes mean that a context is lost.
#include "cuda/check.hpp"

namespace rfseg::cuda {

bool is_sticky(ResultCode code) noexcept {
  switch (code) {
    case 4:    // DEINITIALIZED
    case 214:  // ECC_UNCORRECTABLE
    case 220:  // NVLINK_UNCORRECTABLE
    case 226:  // CONTAINED
    case 700:  // ILLEGAL_ADDRESS
    case 702:  // LAUNCH_TIMEOUT
    case 709:  // CONTEXT_IS_DESTROYED
    case 710:  // ASSERT
    case 714:  // HARDWARE_STACK_ERROR
    case 715:  // ILLEGAL_INSTRUCTION
    case 716:  // MISALIGNED_ADDRESS
    case 717:  // INVALID_ADDRESS_SPACE
    case 718:  // INVALID_PC
    case 719:  // LAUNCH_FAILED
    case 721:  // TENSOR_MEMORY_LEAK
    case 999:  // UNKNOWN: nothing says that the context survived
      return true;
    default:
      return false;
  }
}

std::string describe(const Driver& driver, ResultCode code) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (driver.cuGetErrorName(code, &name) != kSuccess || name == nullptr) name = "unknown error";
  if (driver.cuGetErrorString(code, &text) != kSuccess || text == nullptr) text = "the driver gives no text";
  return std::string(name) + " (" + std::to_string(code) + "): " + text;
}

void throw_driver_error(const Driver& driver, ResultCode code, const char* call, std::string_view object) {
  std::string message = std::string(call) + " failed for " + std::string(object) + ": " + describe(driver, code);
  if (is_sticky(code)) message += "; the GPU's context is lost, start a new process";
  throw DriverError(message, code);
}

}  // namespace rfseg::cuda
