// float16 as the network's tensors may hold it, converted by bits so that every machine and compiler agrees.
#pragma once

#include <cstdint>

namespace rfseg::network {

/// The float32 of the same value; NaN stays NaN.
float float_from_half(std::uint16_t half);

/// The nearest float16, ties to even; beyond the range infinity; NaN stays NaN.
std::uint16_t half_from_float(float value);

}  // namespace rfseg::network
