// Gathers strided rows one at a time into a ring. Knows nothing of resizing.
#include "raster/packed_rows.hpp"

namespace rfseg::raster {

PackedRows::PackedRows(const ImageView& view, int kept, std::vector<std::uint8_t>& storage) : view_(view), kept_(kept) {
  if (view.pixel_bytes == 3 && view.channel_bytes == 1) return;
  storage.resize(static_cast<std::size_t>(kept) * static_cast<std::size_t>(view.width) * 3);
  copies_ = storage.data();
}

const std::uint8_t* PackedRows::row(int y) {
  const std::uint8_t* source = view_.data + y * view_.row_bytes;
  if (copies_ == nullptr) return source;
  std::uint8_t* const copy = copies_ + static_cast<std::ptrdiff_t>(y % kept_) * view_.width * 3;
  if (y < next_) return copy;
  next_ = y + 1;
  std::uint8_t* packed = copy;
  for (int x = 0; x < view_.width; ++x, source += view_.pixel_bytes, packed += 3) {
    packed[0] = source[0];
    packed[1] = source[view_.channel_bytes];
    packed[2] = source[2 * view_.channel_bytes];
  }
  return copy;
}

}  // namespace rfseg::raster
