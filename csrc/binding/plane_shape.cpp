#include "binding/plane_shape.hpp"

#include <rfseg/error.hpp>

namespace rfseg::binding {

namespace {

using raster::PlanarFormat;

/// Rows and samples a row that a frame of that size needs of a plane.
std::vector<std::int64_t> needed(const PlanarFormat& format, int plane, ImageSize size) {
  return {raster::rows_of(format, plane, size.height),
          raster::row_bytes_of(format, plane, size.width) / format.sample_bytes};
}

[[noreturn]] void refuse_shape(const ForeignArray& array, int plane, const PlaneRule& rule) {
  std::vector<std::int64_t> expected = needed(rule.format, plane, rule.size);
  std::string also;
  if (plane > 0 && rule.format.interleaved) {
    also = " or " + shape_text(expected);
    expected = {expected[0], expected[1] / 2, 2};
  }
  throw InputError("the " + std::string(raster::plane_name(rule.format, plane)) + " plane is " +
                   shape_text(array.shape) + ": a frame of " + rule.word + " of " + std::to_string(rule.size.height) +
                   " x " + std::to_string(rule.size.width) + " (height x width) has " + shape_text(expected) + also +
                   (rule.may_be_padded ? " there, or more columns" : "; with padding around it, say size=(H, W)"));
}

void expect_adjacent(const ForeignArray& array, const char* name, std::int64_t sample_bytes) {
  std::int64_t expected = sample_bytes;
  for (std::size_t i = array.shape.size(); i-- > 1; expected *= array.shape[i])
    if (array.shape[i] > 1 && array.strides[i] != expected)
      throw InputError("the samples of a row of the " + std::string(name) +
                       " plane do not lie side by side: only rows may have strides; copy it with "
                       "numpy.ascontiguousarray, and Cb and Cr in pairs are a plane of \"nv12\"");
}

}  // namespace

Plane plane_from(const ForeignArray& array, int plane, const PlaneRule& rule, std::int64_t luma_rows) {
  const char* name = raster::plane_name(rule.format, plane);
  const std::string dtype = rule.format.sample_bytes == 2 ? "uint16" : "uint8";
  if (array.dtype != dtype)
    throw InputError("the " + std::string(name) + " plane is " + array.dtype + ": " + rule.word + " has " + dtype);
  const std::vector<std::int64_t> need = needed(rule.format, plane, rule.size);
  const std::vector<std::int64_t>& shape = array.shape;
  const std::int64_t together = plane > 0 && rule.format.interleaved ? 2 : 1;
  const bool is_plane = shape.size() == 2 || (shape.size() == 3 && shape[2] == together);
  const std::int64_t samples = !is_plane ? 0 : shape.size() == 3 ? shape[1] * shape[2] : shape[1];
  const int down = plane == 0 ? 0 : rule.format.chroma_shift_y;
  const std::int64_t most_rows = (luma_rows + down) >> down;
  if (!is_plane || shape[0] < need[0] || shape[0] > most_rows || samples < need[1] ||
      (samples > need[1] && !rule.may_be_padded))
    refuse_shape(array, plane, rule);
  expect_adjacent(array, name, rule.format.sample_bytes);
  return {array.data, need[0] == 1 ? 0 : row_bytes_of(array)};
}

}  // namespace rfseg::binding
