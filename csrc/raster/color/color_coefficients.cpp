// Ratios of integers, rounded once. Everything is known when this is compiled.
#include "raster/color/color_coefficients.hpp"

#include <cstddef>

namespace rfseg::raster {
namespace {

constexpr std::int64_t kUnit = 10000;  // of Kr and Kb, which have four decimals
constexpr int kFractionBits = 16;

/// numerator / denominator * 2^16, half away from zero. No numerator here is negative or above 2^34.
constexpr std::int32_t fixed_point(std::int64_t numerator, std::int64_t denominator) {
  return static_cast<std::int32_t>(((numerator << (kFractionBits + 1)) + denominator) / (2 * denominator));
}

struct Scale {
  std::int64_t numerator, denominator;
};

constexpr ColorCoefficients make(std::int64_t kr, std::int64_t kb, bool full, int bits) {
  const Scale luma = full ? Scale{1, 1} : Scale{255, 219};
  const Scale chroma = full ? Scale{1, 1} : Scale{255, 224};
  const std::int64_t kg = kUnit - kr - kb;
  const std::int64_t one = chroma.denominator * kUnit, green = one * kg;
  ColorCoefficients of{};
  of.a = fixed_point(luma.numerator, luma.denominator);
  of.b = fixed_point(2 * (kUnit - kr) * chroma.numerator, one);
  of.f = fixed_point(2 * (kUnit - kb) * chroma.numerator, one);
  of.d = fixed_point(2 * kb * (kUnit - kb) * chroma.numerator, green);
  of.e = fixed_point(2 * kr * (kUnit - kr) * chroma.numerator, green);
  of.shift = kFractionBits + bits - 8;
  const std::int32_t o = (full ? 0 : 16) << (bits - 8), c = 128 << (bits - 8), half = 1 << (of.shift - 1);
  of.red = half - of.a * o - of.b * c;
  of.green = half - of.a * o + (of.d + of.e) * c;
  of.blue = half - of.a * o - of.f * c;
  return of;
}

struct Ranges {
  ColorCoefficients of[2][2];  // [full][10 bits]
};

constexpr Ranges make(std::int64_t kr, std::int64_t kb) {
  return {{{make(kr, kb, false, 8), make(kr, kb, false, 10)}, {make(kr, kb, true, 8), make(kr, kb, true, 10)}}};
}

constexpr Ranges kBt601 = make(2990, 1140), kBt709 = make(2126, 722), kBt2020 = make(2627, 593);

}  // namespace

ColorCoefficients color_coefficients(ColorMatrix matrix, ColorRange range, int bits) {
  const Ranges& ranges = matrix == ColorMatrix::bt709 ? kBt709 : matrix == ColorMatrix::bt2020 ? kBt2020 : kBt601;
  return ranges.of[range == ColorRange::full ? 1 : 0][bits > 8 ? 1 : 0];
}

}  // namespace rfseg::raster
