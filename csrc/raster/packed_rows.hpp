// Rows of a view as packed pixels: the caller's own bytes where they are packed, else copies of the last few rows.
// Knows strides, not what the rows are for.
#pragma once

#include <rfseg/image.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rfseg::raster {

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
