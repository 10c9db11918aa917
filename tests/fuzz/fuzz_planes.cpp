// Frames of planes of any format, size and stride, each plane in memory that ends where it ends: the network's input is
// that of the pixels that they convert to.
#include "network_input.hpp"

#include "raster/color/planar_format.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <array>
#include <vector>

using namespace rfseg;

namespace {

/// A plane of noise with rows of `row_bytes` and a stride of `padding` more, from the bottom up when `flipped`.
Plane any_plane(fuzz::Input& in, int rows, std::ptrdiff_t row_bytes, std::ptrdiff_t unit,
                std::vector<std::uint8_t>& bytes) {
  const std::ptrdiff_t stride = row_bytes + in.byte() % 16 * unit;
  const bool flipped = in.coin();
  bytes.resize(static_cast<std::size_t>((rows - 1) * stride + row_bytes));
  fuzz::add_noise(in, bytes);
  return {bytes.data() + (flipped ? (rows - 1) * stride : 0), flipped ? -stride : stride};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  ImageView view;
  view.format = static_cast<PixelFormat>(2 + in.byte() % 6);
  view.matrix = static_cast<ColorMatrix>(in.byte() % 4);
  view.range = static_cast<ColorRange>(in.byte() % 3);
  view.height = 1 + in.byte() % 70, view.width = 1 + in.byte() % 140;
  const ImageSize network{1 + in.byte() % 40, 1 + in.byte() % 40};
  const Resize resize = in.coin() ? Resize::pil : Resize::bilinear;
  const raster::PlanarFormat format = raster::planar_format(view.format);
  std::array<std::vector<std::uint8_t>, 3> bytes;
  for (int plane = 0; plane < raster::plane_count(format); ++plane) {
    const int rows = raster::rows_of(format, plane, view.height);
    const Plane made = any_plane(in, rows, raster::row_bytes_of(format, plane, view.width), format.sample_bytes,
                                 bytes.at(static_cast<std::size_t>(plane)));
    if (plane == 0) view.data = made.data, view.row_bytes = made.row_bytes;
    if (plane > 0) view.chroma.at(static_cast<std::size_t>(plane - 1)) = made;
  }
  Plane& first = view.chroma[0];
  if (in.byte() % 16 == 0) first.row_bytes = first.row_bytes < 0 ? -1 : 1;  // rows that overlap
  const PixelFormat order = in.coin() ? PixelFormat::bgr8 : PixelFormat::rgb8;
  std::vector<std::uint8_t> pixels(3U * static_cast<std::size_t>(view.height) * static_cast<std::size_t>(view.width));
  try {
    ops::convert(view, order, pixels.data());
  } catch (const InputError&) {
    return 0;
  }
  ImageView packed;
  packed.data = pixels.data(), packed.height = view.height, packed.width = view.width, packed.format = order;
  fuzz::require_same_input(view, packed, network, resize, "planes are the pixels that they convert to");
  return 0;
}
