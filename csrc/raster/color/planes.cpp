#include "raster/color/planes.hpp"

#include <rfseg/error.hpp>

#include <cstdint>
#include <string>

namespace rfseg::raster {
namespace {

std::string named(const PlanarFormat& format, int plane) {
  return std::string("the frame's ") + plane_name(format, plane) + " plane";
}

Plane plane_as_meant(Plane plane, const PlanarFormat& format, int index, int width) {
  const std::ptrdiff_t packed = row_bytes_of(format, index, width);
  if (plane.data == nullptr)
    throw InputError(named(format, index) + " is missing: a frame of this format has " +
                     std::to_string(plane_count(format)) + " planes");
  if (plane.row_bytes == ImageView::kOneRow) {
    plane.row_bytes = 0;
  } else if (plane.row_bytes == 0) {
    plane.row_bytes = packed;
  } else if (plane.row_bytes > -packed && plane.row_bytes < packed) {
    throw InputError(named(format, index) + " has rows of " + std::to_string(packed) + " bytes that lie " +
                     std::to_string(plane.row_bytes) + " bytes apart: row_bytes counts bytes, padding included");
  }
  // A GPU reads a word at its own address only.
  if ((reinterpret_cast<std::uintptr_t>(plane.data) | static_cast<std::uintptr_t>(plane.row_bytes)) %
      static_cast<std::uintptr_t>(format.sample_bytes))
    throw InputError(named(format, index) + " has samples of two bytes at odd addresses: copy it");
  return plane;
}

}  // namespace

ImageView planes_as_meant(ImageView view) {
  const PlanarFormat format = planar_format(view.format);
  const Plane luma = plane_as_meant(plane_of(view, 0), format, 0, view.width);
  view.row_bytes = luma.row_bytes;
  for (int i = 1; i < plane_count(format); ++i)
    view.chroma[static_cast<std::size_t>(i - 1)] = plane_as_meant(plane_of(view, i), format, i, view.width);
  view.matrix = stated(view.matrix, view.height);
  view.range = stated(view.range);
  return view;
}

}  // namespace rfseg::raster
