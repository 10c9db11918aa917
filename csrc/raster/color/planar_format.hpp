// How the samples of each format of planes lie in memory, said once for host and device. Knows no colour.
#pragma once

#include <rfseg/image.hpp>

#include <cstddef>

namespace rfseg::raster {

/// A sample is (word >> sample_shift) & (2^bits - 1), whatever the other bits hold. Pixel (y, x) has the chroma sample
/// (y >> chroma_shift_y, x >> chroma_shift_x).
struct PlanarFormat {
  int sample_bytes;  ///< of a word, little-endian
  int sample_shift;
  int bits;
  int chroma_shift_x, chroma_shift_y;
  bool interleaved;  ///< one plane of CbCr pairs instead of two planes
};

constexpr bool is_planar(PixelFormat format) { return format != PixelFormat::bgr8 && format != PixelFormat::rgb8; }

/// `format` is planar.
constexpr PlanarFormat planar_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::nv12:
      return {1, 0, 8, 1, 1, true};
    case PixelFormat::i422:
      return {1, 0, 8, 1, 0, false};
    case PixelFormat::i444:
      return {1, 0, 8, 0, 0, false};
    case PixelFormat::p010:
      return {2, 6, 10, 1, 1, true};
    case PixelFormat::i010:
      return {2, 0, 10, 1, 1, false};
    default:
      return {1, 0, 8, 1, 1, false};  // i420
  }
}

/// Y; CbCr or Cb, Cr.
constexpr int plane_count(const PlanarFormat& format) { return format.interleaved ? 2 : 3; }

/// "Y"; "CbCr", or "Cb" and "Cr".
constexpr const char* plane_name(const PlanarFormat& format, int plane) {
  return plane == 0 ? "Y" : format.interleaved ? "CbCr" : plane == 1 ? "Cb" : "Cr";
}

/// Samples, or pairs of them, of a chroma plane of a frame of `size`: rounded up.
constexpr ImageSize chroma_size(const PlanarFormat& format, ImageSize size) {
  return {(size.height >> format.chroma_shift_y) + (size.height & format.chroma_shift_y),
          (size.width >> format.chroma_shift_x) + (size.width & format.chroma_shift_x)};
}

/// Rows of plane `plane` of a frame of `height` px.
constexpr int rows_of(const PlanarFormat& format, int plane, int height) {
  return plane == 0 ? height : chroma_size(format, {height, 1}).height;
}

/// Bytes of a row of plane `plane`, without padding.
constexpr std::ptrdiff_t row_bytes_of(const PlanarFormat& format, int plane, int width) {
  const std::ptrdiff_t samples = plane == 0 ? width : chroma_size(format, {1, width}).width;
  return samples * format.sample_bytes * (plane > 0 && format.interleaved ? 2 : 1);
}

/// Plane `plane` of a view, 0 is Y.
constexpr Plane plane_of(const ImageView& view, int plane) {
  return plane == 0 ? Plane{view.data, view.row_bytes} : view.chroma[static_cast<std::size_t>(plane - 1)];
}

}  // namespace rfseg::raster
