// float16 against its definition, for every half, and against the nearest half, for every interval between two.
#include "doctest.h"
#include "network/half.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using rfseg::network::float_from_half;
using rfseg::network::half_from_float;

namespace {

constexpr std::uint16_t kInfinity = 0x7C00;

bool is_nan(std::uint16_t half) { return (half & 0x7FFF) > kInfinity; }

/// The definition, in doubles, which hold every half and every midpoint.
double value_of(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double magnitude = exponent == 0   ? std::ldexp(fraction, -24)
                           : exponent < 31 ? std::ldexp(1024 + fraction, exponent - 25)
                           : fraction == 0 ? std::numeric_limits<double>::infinity()
                                           : std::numeric_limits<double>::quiet_NaN();
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The nearest half by search: the two neighbours, the nearer one, the even one on a tie.
std::uint16_t nearest(float value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  std::uint16_t low = 0, high = kInfinity;  // beyond the last half lies 65536, where the next one would be
  while (high - low > 1) {
    const auto middle = static_cast<std::uint16_t>((low + high) / 2);
    (value_of(middle) <= magnitude ? low : high) = middle;
  }
  const double above = high == kInfinity ? 65536.0 : value_of(high);
  const double down = magnitude - value_of(low), up = above - magnitude;
  const bool is_up = up < down || (up == down && high % 2 == 0);
  return static_cast<std::uint16_t>(sign | (is_up ? high : low));
}

}  // namespace

TEST_CASE("half: every half is the float of its definition, and comes back") {
  int compared = 0, wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_half(half);
    if (is_nan(half)) {
      wrong += std::isnan(value) && is_nan(half_from_float(value)) ? 0 : 1;
    } else {
      const bool same = static_cast<double>(value) == value_of(half) && std::signbit(value) == (half >= 0x8000);
      wrong += same && half_from_float(value) == half ? 0 : 1;
    }
    ++compared;
  }
  CHECK(compared == 65536);
  CHECK(wrong == 0);
}

TEST_CASE("half: midpoints go to the even neighbour, and what is beside them to the nearer one") {
  int wrong = 0;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (std::uint16_t half = 0; half < kInfinity; ++half) {
    const double next = half + 1 == kInfinity ? 65536.0 : value_of(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((value_of(half) + next) / 2);
    const auto above = static_cast<std::uint16_t>(half + 1), even = half % 2 == 0 ? half : above;
    wrong += half_from_float(middle) == even ? 0 : 1;
    wrong += half_from_float(-middle) == (even | 0x8000) ? 0 : 1;
    wrong += half_from_float(std::nextafter(middle, 0.0F)) == half ? 0 : 1;
    wrong += half_from_float(std::nextafter(middle, kInf)) == above ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("half: random floats of every exponent go to the nearest half") {
  std::mt19937 random(5);
  int compared = 0, wrong = 0;
  for (int i = 0; i < 400'000; ++i) {
    // Half of them where halves lie: exponents 2^-26 .. 2^16.
    const auto bits = static_cast<std::uint32_t>(random());
    const std::uint32_t exponent = i % 2 == 0 ? bits >> 23 & 255U : 101 + (bits >> 23 & 255U) % 43;
    const std::uint32_t chosen = (bits & 0x807FFFFFU) | exponent << 23;
    float value = 0;
    std::memcpy(&value, &chosen, sizeof value);
    if (std::isnan(value)) {
      wrong += is_nan(half_from_float(value)) ? 0 : 1;
    } else {
      wrong += half_from_float(value) == (std::isinf(value) ? (std::signbit(value) ? 0xFC00 : 0x7C00) : nearest(value))
                   ? 0
                   : 1;
      ++compared;
    }
  }
  CHECK(compared > 390'000);
  CHECK(wrong == 0);
}

TEST_CASE("half: the edges of the range") {
  CHECK(half_from_float(0.0F) == 0);
  CHECK(half_from_float(-0.0F) == 0x8000);
  CHECK(half_from_float(65504.0F) == 0x7BFF);
  CHECK(half_from_float(std::nextafter(65520.0F, 0.0F)) == 0x7BFF);
  CHECK(half_from_float(65520.0F) == kInfinity);
  CHECK(half_from_float(std::numeric_limits<float>::max()) == kInfinity);
  CHECK(half_from_float(-std::numeric_limits<float>::infinity()) == 0xFC00);
  CHECK(half_from_float(0x1p-24F) == 1);
  CHECK(half_from_float(0x1p-25F) == 0);
  CHECK(half_from_float(0x1.8p-24F) == 2);
  CHECK(half_from_float(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(is_nan(half_from_float(std::numeric_limits<float>::quiet_NaN())));
}
