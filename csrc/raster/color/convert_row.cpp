#include "raster/color/convert_row.hpp"

#include "raster/color/planes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace rfseg::raster {
namespace {

const std::uint8_t* row_of(const Plane& plane, int y) { return plane.data + y * plane.row_bytes; }

std::int32_t sample(const std::uint8_t* row, std::ptrdiff_t index, const PlanarFormat& format) {
  if (format.sample_bytes == 1) return row[index];
  std::uint16_t word;
  std::memcpy(&word, row + 2 * index, sizeof word);
  return (word >> format.sample_shift) & ((1 << format.bits) - 1);
}

std::uint8_t to_byte(std::int32_t sum, const ColorCoefficients& by) {
  return static_cast<std::uint8_t>(std::clamp(sum >> by.shift, 0, 255));
}

}  // namespace

void convert_row(const ImageView& view, int y, PixelFormat order, std::uint8_t* packed) {
  const PlanarFormat format = planar_format(view.format);
  const ColorCoefficients by = coefficients_of(view);
  const int chroma_y = y >> format.chroma_shift_y, step = format.interleaved ? 2 : 1;
  const std::uint8_t* luma_row = row_of(plane_of(view, 0), y);
  const std::uint8_t* cb_row = row_of(plane_of(view, 1), chroma_y);
  const std::uint8_t* cr_row = format.interleaved ? cb_row + format.sample_bytes : row_of(plane_of(view, 2), chroma_y);
  const int red = order == PixelFormat::rgb8 ? 0 : 2;
  for (int x = 0; x < view.width; ++x, packed += 3) {
    const std::ptrdiff_t pair = std::ptrdiff_t{x >> format.chroma_shift_x} * step;
    const std::int32_t luma = by.a * sample(luma_row, x, format);
    const std::int32_t cb = sample(cb_row, pair, format), cr = sample(cr_row, pair, format);
    packed[red] = to_byte(luma + by.b * cr + by.red, by);
    packed[1] = to_byte(luma - by.d * cb - by.e * cr + by.green, by);
    packed[2 - red] = to_byte(luma + by.f * cb + by.blue, by);
  }
}

}  // namespace rfseg::raster
