// What a driver call's result means. Success costs one comparison; failure becomes an exception that names the call and
// the object it was made for. Keeps no state.
#pragma once

#include "cuda/driver.hpp"

#include <rfseg/error.hpp>

#include <string>
#include <string_view>

namespace rfseg::cuda {

inline constexpr ResultCode kSuccess = 0;

/// True when the device's context is lost: every later call fails too, and only a new process helps.
bool is_sticky(ResultCode code) noexcept;

/// A driver call that failed. Callers outside this folder see a CudaError.
class DriverError final : public CudaError {
 public:
  DriverError(const std::string& message, ResultCode code) : CudaError(message), code_(code) {}

  ResultCode code() const noexcept { return code_; }
  bool sticky() const noexcept { return is_sticky(code_); }

 private:
  ResultCode code_;
};

/// "CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered".
std::string describe(const Driver& driver, ResultCode code);

/// @throws DriverError  always
[[noreturn]] void throw_driver_error(const Driver& driver, ResultCode code, const char* call, std::string_view object);

/// Returns when `code` is success. `call`: the driver's function; `object`: what it was called for, in words.
/// @throws DriverError  otherwise
inline void check(const Driver& driver, ResultCode code, const char* call, std::string_view object) {
  if (code != kSuccess) throw_driver_error(driver, code, call, object);
}

}  // namespace rfseg::cuda
