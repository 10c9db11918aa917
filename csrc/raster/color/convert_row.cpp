// The conversion in portable C++, and the choice of a converter. Knows no instruction set beyond its name.
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

void convert_row_portable(const PlaneRows& rows, int width, const PlanarFormat& format, const ColorCoefficients& by,
                          bool bgr, std::uint8_t* packed) {
  const std::ptrdiff_t step = format.interleaved ? 2 : 1;
  const int red = bgr ? 2 : 0;
  for (int x = 0; x < width; ++x, packed += 3) {
    const std::ptrdiff_t at = (x >> format.chroma_shift_x) * step;
    const std::int32_t luma = by.a * sample(rows.luma, x, format);
    const std::int32_t cb = sample(rows.cb, at, format), cr = sample(rows.cr, at, format);
    packed[red] = to_byte(luma + by.b * cr + by.red, by);
    packed[1] = to_byte(luma - by.d * cb - by.e * cr + by.green, by);
    packed[2 - red] = to_byte(luma + by.f * cb + by.blue, by);
  }
}

RowConverter row_converter() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return convert_row_avx2;
#endif
  return convert_row_portable;
}

void convert_row(const ImageView& view, int y, PixelFormat order, std::uint8_t* packed) {
  const PlanarFormat format = planar_format(view.format);
  const int chroma_y = y >> format.chroma_shift_y;
  PlaneRows rows{row_of(plane_of(view, 0), y), row_of(plane_of(view, 1), chroma_y), nullptr};
  rows.cr = format.interleaved ? rows.cb + format.sample_bytes : row_of(plane_of(view, 2), chroma_y);
  row_converter()(rows, view.width, format, coefficients_of(view), order == PixelFormat::bgr8, packed);
}

}  // namespace rfseg::raster
