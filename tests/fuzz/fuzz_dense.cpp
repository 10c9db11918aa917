// Masks from pixels: any picture of a small size, its outlines along edges, and those with corners left out.
#include "checked_masks.hpp"

#include <rfseg/error.hpp>

using namespace rfseg;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const ImageSize image{in.byte() % 48, in.byte() % 48};
  const int count = in.byte() % 3;
  const bool bits = in.coin();
  const auto tolerance_px = static_cast<double>(in.take<float>());
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * image.height * image.width));
  for (std::size_t i = 0; i < pixels.size() && !in.empty();) {
    const std::uint8_t byte = in.byte();
    // Eight pixels, or a stretch of equal ones: large shapes from few bytes.
    const int stretch = bits ? 8 : 1 + byte / 2;
    for (int k = 0; k < stretch && i < pixels.size(); ++k, ++i)
      pixels[i] = static_cast<std::uint8_t>(bits ? byte & (1 << k) : byte & 1);
  }
  try {
    const Masks masks = Masks::from_dense(image, pixels.data(), count);
    fuzz::check_masks(masks);
    for (int i = 0; i < masks.size(); ++i) fuzz::check_edges(masks, i, tolerance_px);
  } catch (const InputError&) {
  }
  return 0;
}
