// Rows of a view as packed pixels: the caller's own bytes where they are packed, else copies of the last few rows, or
// what the last few rows of its planes become. Knows strides, not what the rows are for.
#pragma once

#include "raster/color/planar_format.hpp"

#include <rfseg/image.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Of packed pixels, three bytes each.
inline std::size_t packed_bytes(ImageSize size) {
  return 3 * static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
}

/// What a caller gave as it is meant: 0 of row_bytes becomes the packed length, kOneRow 0, and matrix and range of
/// planes are stated. Once, where it is given.
/// @throws InputError  planes that cannot be used
ImageView as_meant(ImageView view);

/// Of the packed rows of a frame: its own, or rgb8 where they are made of planes.
constexpr PixelFormat packed_format(PixelFormat format) { return is_planar(format) ? PixelFormat::rgb8 : format; }

/// The same pixels; channels that run backwards become the other format, so that a row of them needs no copy.
ImageView forward_channels(ImageView view);

/// True when a row's pixels lie one behind the other, three bytes each.
inline bool has_packed_rows(const ImageView& view) {
  return view.pixel_bytes == 3 && view.channel_bytes == 1 && !is_planar(view.format);
}

/// Writes the [width * 3] bytes of row `y`, channels as packed_format says.
void pack_row(const ImageView& view, int y, std::uint8_t* packed);

/// Gives the rows of one view. Must not outlive the view and the storage.
class PackedRows {
 public:
  /// `kept`: rows that stay valid together, >= 1. `storage` holds the copies; it is left alone when none are needed.
  PackedRows(const ImageView& view, int kept, std::vector<std::uint8_t>& storage);

  /// [width * 3] bytes of row `y`. Ask for `kept` consecutive rows at most, then for rows from the first of them on:
  /// a copy lives until the row `kept` below it is asked for.
  const std::uint8_t* row(int y);

 private:
  const ImageView& view_;
  int kept_;
  int next_ = 0;                    ///< rows from here on have not been copied
  std::uint8_t* copies_ = nullptr;  ///< [kept, width, 3], row y at y % kept; null when the view is packed
};

}  // namespace rfseg::raster
