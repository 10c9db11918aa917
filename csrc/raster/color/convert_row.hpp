// Rows of planes become packed pixels: contract.md, section 6. Knows no frame beyond its rows.
#pragma once

#include <rfseg/image.hpp>

#include <cstdint>

namespace rfseg::raster {

/// Writes the [width * 3] bytes of row `y` of `view`, which is planar and as planes_as_meant gives it. `order`: rgb8 or
/// bgr8.
void convert_row(const ImageView& view, int y, PixelFormat order, std::uint8_t* packed);

}  // namespace rfseg::raster
