// Rows of a view as packed pixels: the caller's own bytes where they are packed, else copies of the last few rows.
// Knows strides, not what the rows are for.
#pragma once

#include <rfseg/image.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Of packed pixels, three bytes each.
inline std::size_t packed_bytes(ImageSize size) {
  return 3 * static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
}

/// What a caller gave as it is meant: 0 of row_bytes becomes the packed length, kOneRow 0. Once, where it is given.
inline ImageView as_meant(ImageView view) {
  if (view.row_bytes == 0) {
    view.row_bytes = std::ptrdiff_t{3} * view.width;
  } else if (view.row_bytes == ImageView::kOneRow) {
    view.row_bytes = 0;
  }
  return view;
}

/// The same pixels; channels that run backwards become the other format, so that a row of them needs no copy.
ImageView forward_channels(ImageView view);

/// True when a row's pixels lie one behind the other, three bytes each.
inline bool has_packed_rows(const ImageView& view) { return view.pixel_bytes == 3 && view.channel_bytes == 1; }

/// Writes the [width * 3] bytes of row `y`.
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
