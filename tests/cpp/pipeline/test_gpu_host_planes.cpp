// Frames of planes in host memory through the GPU pipeline: what their pixels give.
#include "pipeline/gpu_stand.hpp"
#include "raster/resize/packed_rows.hpp"

#include <rfseg/ops.hpp>

#include <random>
#include <vector>

using namespace rfseg;
using stand_in::GpuStand;

namespace {

struct Planes {
  std::vector<std::uint8_t> luma, chroma;
  ImageView view;
};

Planes random_nv12(ImageSize size, unsigned seed) {
  std::mt19937 random(seed);
  const int across = (size.width + 1) / 2 * 2, down = (size.height + 1) / 2;
  Planes planes;
  for (int i = 0; i < size.height * size.width; ++i) planes.luma.push_back(static_cast<std::uint8_t>(random() >> 24));
  for (int i = 0; i < down * across; ++i) planes.chroma.push_back(static_cast<std::uint8_t>(random() >> 24));
  planes.view = {planes.luma.data(), size.height, size.width, 0, PixelFormat::nv12};
  planes.view.chroma[0].data = planes.chroma.data();
  return planes;
}

}  // namespace

TEST_CASE("gpu pipeline: planes in host memory give what their pixels give") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  unsigned seed = 0;
  for (const ImageSize size : {ImageSize{60, 30}, {41, 99}, {16, 24}, {1, 1}, {900, 1000}}) {
    const Planes planes = random_nv12(size, ++seed);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width) * 3);
    ops::convert(planes.view, PixelFormat::bgr8, pixels.data());
    const ImageView packed = raster::as_meant({pixels.data(), size.height, size.width});
    const ImageView planar = raster::as_meant(planes.view);
    stand.expect_equal(stand.infer(*pipeline, planar), stand.expected(packed));
    stand.expect_equal(stand.infer(*pipeline, packed), stand.expected(planar));
  }
  CHECK(stand.instances > 10);
}
