// Bit by bit: 1 sign, 5 exponent (bias 15), 10 fraction against 1, 8 (bias 127) and 23.
#include "network/half.hpp"

#include <cstring>

namespace rfseg::network {

namespace {

constexpr std::uint32_t kHalfInfinity = 0x7C00, kFloatInfinity = 0x7F800000;

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16, magnitude = half & 0x7FFFU;
  if (magnitude >= kHalfInfinity) return float_of(sign | kFloatInfinity | (magnitude & 0x3FFU) << 13);
  // Moved up 13 bits the number is 2^112 too small, exactly so for subnormals too.
  return float_of(sign | bits_of(float_of(magnitude << 13) * 0x1p112F));
}

std::uint16_t half_from_float(float value) {
  const std::uint32_t bits = bits_of(value), magnitude = bits & 0x7FFFFFFFU;
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const auto signed_half = [sign](std::uint32_t half) { return static_cast<std::uint16_t>(sign | half); };
  if (magnitude > kFloatInfinity) return signed_half(kHalfInfinity | 0x200U);
  if (magnitude >= 0x477FF000U) return signed_half(kHalfInfinity);  // 65520 and above round up out of the range
  if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 leaves the subnormal's ten bits at the end, rounded
    return signed_half(bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F));
  }
  const std::uint32_t odd = magnitude >> 13 & 1U;
  return signed_half((magnitude - (112U << 23) + 0xFFFU + odd) >> 13);
}

}  // namespace rfseg::network
