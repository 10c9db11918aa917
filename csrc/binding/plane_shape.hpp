// Whether an array is a plane of a frame: its dtype, its shape, its strides. Knows no Python object.
#pragma once

#include "binding/foreign_array.hpp"
#include "raster/color/planar_format.hpp"

#include <string>

namespace rfseg::binding {

/// What the planes of a frame must be.
struct PlaneRule {
  std::string word;  ///< of the format
  raster::PlanarFormat format;
  ImageSize size;
  bool may_be_padded;  ///< planes may have more columns and rows than `size` needs, to be left alone
};

/// The view of plane `plane`. `luma_rows`: that the array of Y has.
/// @throws InputError  it is not what `rule` says
Plane plane_from(const ForeignArray& array, int plane, const PlaneRule& rule, std::int64_t luma_rows);

}  // namespace rfseg::binding
