// What a caller gave as a frame of planes, checked and completed once, so that nobody below has to.
#pragma once

#include "raster/color/color_coefficients.hpp"
#include "raster/color/planar_format.hpp"

#include <rfseg/image.hpp>

namespace rfseg::raster {

/// The view as it is meant: row_bytes of 0 become the packed length and kOneRow 0, of every plane; matrix and range are
/// stated. `view` is planar and has pixels.
/// @throws InputError  a plane is missing, its rows overlap, or its samples of two bytes lie at odd addresses
ImageView planes_as_meant(ImageView view);

/// Of a frame that is as meant.
inline ColorCoefficients coefficients_of(const ImageView& view) {
  return color_coefficients(view.matrix, view.range, planar_format(view.format).bits);
}

}  // namespace rfseg::raster
