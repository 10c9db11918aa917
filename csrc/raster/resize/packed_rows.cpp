// Gathers strided rows one at a time into a ring. Knows nothing of resizing.
#include "raster/resize/packed_rows.hpp"

#include "raster/color/convert_row.hpp"
#include "raster/color/planes.hpp"

#include <cstring>

namespace rfseg::raster {

ImageView as_meant(ImageView view) {
  if (is_planar(view.format)) return planes_as_meant(view);
  if (view.row_bytes == 0) {
    view.row_bytes = std::ptrdiff_t{3} * view.width;
  } else if (view.row_bytes == ImageView::kOneRow) {
    view.row_bytes = 0;
  }
  return view;
}

ImageView forward_channels(ImageView view) {
  if (view.channel_bytes != -1 || is_planar(view.format)) return view;
  view.data -= 2;
  view.channel_bytes = 1;
  view.format = view.format == PixelFormat::bgr8 ? PixelFormat::rgb8 : PixelFormat::bgr8;
  return view;
}

void pack_row(const ImageView& view, int y, std::uint8_t* packed) {
  if (is_planar(view.format)) return convert_row(view, y, packed_format(view.format), packed);
  const std::uint8_t* source = view.data + y * view.row_bytes;
  if (has_packed_rows(view)) {
    std::memcpy(packed, source, packed_bytes({1, view.width}));
    return;
  }
  for (int x = 0; x < view.width; ++x, source += view.pixel_bytes, packed += 3) {
    packed[0] = source[0];
    packed[1] = source[view.channel_bytes];
    packed[2] = source[2 * view.channel_bytes];
  }
}

PackedRows::PackedRows(const ImageView& view, int kept, std::vector<std::uint8_t>& storage) : view_(view), kept_(kept) {
  if (has_packed_rows(view)) return;
  storage.resize(static_cast<std::size_t>(kept) * static_cast<std::size_t>(view.width) * 3);
  copies_ = storage.data();
}

const std::uint8_t* PackedRows::row(int y) {
  if (copies_ == nullptr) return view_.data + y * view_.row_bytes;
  std::uint8_t* const copy = copies_ + static_cast<std::ptrdiff_t>(y % kept_) * view_.width * 3;
  if (y >= next_) {
    pack_row(view_, y, copy);
    next_ = y + 1;
  }
  return copy;
}

}  // namespace rfseg::raster
