// Rows of planes become packed pixels: contract.md, section 6. Exists in portable C++ and for AVX2, with the same bytes
// as the answer; knows no frame beyond its rows.
#pragma once

#include "raster/color/color_coefficients.hpp"
#include "raster/color/planar_format.hpp"

#include <rfseg/image.hpp>

#include <cstdint>

namespace rfseg::raster {

/// Writes the [width * 3] bytes of row `y` of `view`, which is planar and as planes_as_meant gives it. `order`: rgb8 or
/// bgr8.
void convert_row(const ImageView& view, int y, PixelFormat order, std::uint8_t* packed);

/// Samples of one row of pixels. Where planes are interleaved, `cr` is the first Cr, behind the first Cb.
struct PlaneRows {
  const std::uint8_t *luma, *cb, *cr;
};

/// Writes [width * 3] bytes to `packed`, red first unless `bgr`.
using RowConverter = void (*)(const PlaneRows& rows, int width, const PlanarFormat& format, const ColorCoefficients& by,
                              bool bgr, std::uint8_t* packed);

void convert_row_portable(const PlaneRows& rows, int width, const PlanarFormat& format, const ColorCoefficients& by,
                          bool bgr, std::uint8_t* packed);

#if defined(__x86_64__)
/// Call only where the processor has AVX2. What is less than a block of pixels goes to the portable one.
void convert_row_avx2(const PlaneRows& rows, int width, const PlanarFormat& format, const ColorCoefficients& by,
                      bool bgr, std::uint8_t* packed);
#endif

/// The fastest that this machine has.
RowConverter row_converter();

}  // namespace rfseg::raster
