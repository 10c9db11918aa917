// The integers that turn Y'CbCr into RGB, from the definitions of the matrices (contract.md, section 6), without a
// floating point number. Knows no memory.
#pragma once

#include <rfseg/image.hpp>

#include <cstdint>

namespace rfseg::raster {

/// R = clip((a Y + b Cr + red) >> shift), G = clip((a Y - d Cb - e Cr + green) >> shift),
/// B = clip((a Y + f Cb + blue) >> shift), each to 0..255, of samples as they are; the shift is arithmetic and no sum
/// leaves 32 bits. red = 2^(shift - 1) - a o - b c and so on: the contract's offsets and half, multiplied out.
struct ColorCoefficients {
  std::int32_t a, b, d, e, f;
  std::int32_t red, green, blue;
  std::int32_t shift;
};

/// `bits`: 8 or 10. Matrix and range are stated.
ColorCoefficients color_coefficients(ColorMatrix matrix, ColorRange range, int bits);

/// The matrix of a frame of `height` lines: where nobody states one, bt601 below 720 lines, else bt709.
constexpr ColorMatrix stated(ColorMatrix matrix, int height) {
  if (matrix != ColorMatrix::unstated) return matrix;
  return height < 720 ? ColorMatrix::bt601 : ColorMatrix::bt709;
}

/// Where nobody states a range, limited.
constexpr ColorRange stated(ColorRange range) { return range == ColorRange::unstated ? ColorRange::limited : range; }

}  // namespace rfseg::raster
