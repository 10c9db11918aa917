// Frames of any size and strides, in memory that ends where the view ends: the network's input is that of the same
// pixels packed.
#include "network_input.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <algorithm>
#include <vector>

using namespace rfseg;

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

struct Strides {
  std::ptrdiff_t row, pixel, channel;
};

Strides any_strides(fuzz::Input& in, int width) {
  switch (in.byte() % 6) {
    case 0:
      return {std::ptrdiff_t{3} * width, 3, 1};
    case 1:
      return {std::ptrdiff_t{3} * width, 3, -1};
    case 2:
      return {std::ptrdiff_t{3} * width + in.byte() % 10, -3, 1};
    case 3:
      return {std::ptrdiff_t{-3} * width, 3, 1};
    case 4: {
      const int channel = in.number(-9, 9), pixel = in.number(-40, 40);
      return {in.number(-9000, 9000), pixel, channel};
    }
    default: {
      const std::ptrdiff_t pixel = in.number(3, 8), row = pixel * width + in.byte() % 64;
      return {in.coin() ? row : -row, pixel, 1};
    }
  }
}

/// Offsets of the first and last byte of the pixels.
struct Extent {
  std::ptrdiff_t low = 0, high = 0;
};

Extent extent_of(ImageSize size, Strides strides) {
  Extent extent;
  for (const std::ptrdiff_t end :
       {2 * strides.channel, strides.pixel * (size.width - 1), strides.row * (size.height - 1)})
    (end < 0 ? extent.low : extent.high) += end;
  return extent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const int long_side = in.byte() % 24;  // one of four may be long
  const auto side = [&](int which, int usual, int most) { return in.number(1, which == long_side ? most : usual); };
  ImageSize source{side(0, 60, 5000), 0}, network{0, 0};
  source.width = side(1, 60, 5000);
  network.height = side(2, 40, 700);
  network.width = side(3, 40, 700);
  const std::uint8_t kind = in.byte();
  if (kind % 8 == 0) network.width = source.width;
  if (kind / 8 % 8 == 0) network.height = source.height;
  const Strides strides = any_strides(in, source.width);
  const Extent extent = extent_of(source, strides);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(extent.high - extent.low + 1));
  if (bytes.size() > kMostBytes) return 0;
  fuzz::add_noise(in, bytes);
  const Resize resize = in.coin() ? Resize::pil : Resize::bilinear;
  ImageView view;
  view.data = bytes.data() - extent.low;
  view.height = source.height, view.width = source.width;
  view.row_bytes = strides.row == 0 ? ImageView::kOneRow : strides.row;
  view.pixel_bytes = strides.pixel, view.channel_bytes = strides.channel;
  view.format = in.coin() ? PixelFormat::bgr8 : PixelFormat::rgb8;

  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < source.height; ++y)
    for (int x = 0; x < source.width; ++x)
      for (int c = 0; c < 3; ++c)
        pixels.push_back(view.data[y * strides.row + x * strides.pixel + c * strides.channel]);
  ImageView packed;
  packed.data = pixels.data(), packed.height = source.height, packed.width = source.width, packed.format = view.format;
  fuzz::require_same_input(view, packed, network, resize, "the network's input does not depend on strides");
  return 0;
}
