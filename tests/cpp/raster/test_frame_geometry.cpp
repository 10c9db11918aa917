// What FrameGeometry refuses, the order of passes it reads off Pillow's rule, its two-tap axes and its boxes.
#include "doctest.h"

#include "raster/frame_geometry.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

using namespace rfseg;
using namespace rfseg::raster;

namespace {

FrameGeometry geometry(ImageSize source, ImageSize network = {312, 312}, Resize resize = Resize::pil) {
  return FrameGeometry(source, network, {network.height / 4, network.width / 4}, resize);
}

Box box_in_200_x_100(float cx, float cy, float w, float h) {
  const float cxcywh[4] = {cx, cy, w, h};
  return geometry({100, 200}).source_box(cxcywh);
}

bool same(Box a, Box b) { return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1; }

}  // namespace

TEST_CASE("frame geometry: refuses sizes that are not positive or beyond 2^31 pixels") {
  CHECK_THROWS_AS(geometry({0, 5}), InputError);
  CHECK_THROWS_AS(geometry({5, 0}), InputError);
  CHECK_THROWS_AS(geometry({-1, -1}), InputError);
  CHECK_THROWS_AS(geometry({1 << 16, 1 << 15}), InputError);
  CHECK_THROWS_AS(FrameGeometry({5, 5}, {0, 8}, {2, 2}, Resize::pil), InputError);
  CHECK_THROWS_AS(FrameGeometry({5, 5}, {8, 8}, {2, 0}, Resize::pil), InputError);
  CHECK_NOTHROW(geometry({1, 1}));
  try {
    geometry({0, 5});
    FAIL("accepted");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()).find("0 x 5") != std::string::npos);
  }
}

TEST_CASE("frame geometry: the vertical pass is first only by Pillow's rule") {
  CHECK_FALSE(geometry({480, 640}).passes().first_down);
  CHECK(geometry({640, 480}).passes().first_down == (640 - 312 > 2 * (480 - 312)));
  CHECK(geometry({640, 427}).passes().first_down);
  CHECK_FALSE(geometry({1080, 1920}).passes().first_down);
  CHECK(geometry({1920, 1080}).passes().first_down);
  CHECK_FALSE(geometry({314, 313}).passes().first_down);  // 2 rows fewer is not more than 2 * 1
  CHECK(geometry({315, 313}).passes().first_down);
  CHECK(geometry({313, 100}).passes().first_down);
  CHECK_FALSE(geometry({312, 100}).passes().first_down);
  CHECK_FALSE(geometry({1000, 312}).passes().first_down);  // one pass only
}

TEST_CASE("frame geometry: holds the axes of the resize in use") {
  const FrameGeometry pil = geometry({100, 200});
  CHECK(pil.pil_x().in == 200);
  CHECK(pil.pil_y().in == 100);
  CHECK(pil.pil_x().out == 312);
  CHECK(pil.bilinear_x().i0.empty());
  const FrameGeometry bilinear = geometry({100, 200}, {312, 312}, Resize::bilinear);
  CHECK(bilinear.pil_x().first.empty());
  CHECK(bilinear.pil_x_blocks().windows.empty());
  CHECK(bilinear.bilinear_x().i0.size() == 312);
  CHECK(bilinear.mask_x().in == 78);
  CHECK(bilinear.mask_x().out == 200);
  CHECK(bilinear.mask_y().out == 100);
}

TEST_CASE("resample table: Pillow's taps of known axes") {
  const PilAxis identity = make_pil_axis(5, 5);
  CHECK(identity.identity());
  for (std::size_t o = 0; o < 5; ++o) {
    std::int32_t centre = -1;
    for (int k = 0; k < identity.count[o]; ++k) {
      const std::int32_t weight =
          identity.weight[o * static_cast<std::size_t>(identity.taps) + static_cast<std::size_t>(k)];
      if (weight == 1 << 22) centre = identity.first[o] + k;
    }
    CHECK(centre == static_cast<int>(o));
  }
  const PilAxis halved = make_pil_axis(4, 2);  // triangle of half-width 2 around 1 and 3, cut off at the border
  CHECK(halved.taps == 5);
  CHECK(halved.first[0] == 0);
  CHECK(halved.count[0] == 3);
  CHECK(halved.weight[0] == 1797559);  // 3/7 of 2^22
  CHECK(halved.weight[2] == 599186);   // 1/7
  CHECK(halved.weight[3] == 0);
}

TEST_CASE("resample table: two taps, half-pixel centres, clamped to the edges") {
  const BilinearAxis axis = make_bilinear_axis(2, 4);
  CHECK(axis.i0 == std::vector<std::int32_t>{0, 0, 0, 1});
  CHECK(axis.i1 == std::vector<std::int32_t>{1, 1, 1, 1});
  CHECK(axis.l1 == std::vector<float>{0.0F, 0.25F, 0.75F, 0.25F});
  CHECK(axis.l0 == std::vector<float>{1.0F, 0.75F, 0.25F, 0.75F});
  const BilinearAxis one = make_bilinear_axis(1, 3);
  CHECK(one.i0 == std::vector<std::int32_t>{0, 0, 0});
  CHECK(one.i1 == std::vector<std::int32_t>{0, 0, 0});
}

TEST_CASE("resample table: indices stay on the axis where float32 cannot count it") {
  const int longest = std::numeric_limits<std::int32_t>::max();  // float32 rounds it, and positions near it, to 2^31
  for (const auto& [in, out] : {std::pair{(1 << 25) + 3, (1 << 25) + 3}, std::pair{longest, (1 << 24) + 3}}) {
    const BilinearAxis axis = make_bilinear_axis(in, out);
    CHECK(std::is_sorted(axis.i0.begin(), axis.i0.end()));
    CHECK(axis.i0.front() >= 0);
    CHECK(axis.i0.back() <= in - 1);
    CHECK(axis.i1.back() <= in - 1);
  }
}

TEST_CASE("frame geometry: boxes are clamped corners in source pixels") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(same(box_in_200_x_100(0.5F, 0.5F, 0.5F, 0.25F), {50, 37.5F, 150, 62.5F}));
  CHECK(same(box_in_200_x_100(0.0F, 1.0F, 1.0F, 1.0F), {0, 50, 100, 100}));
  CHECK(same(box_in_200_x_100(0.5F, 0.5F, -1.0F, -0.0F), {100, 50, 100, 50}));
  CHECK(same(box_in_200_x_100(-3.0F, 7.0F, 1.0F, 1.0F), {0, 100, 0, 100}));
  CHECK(same(box_in_200_x_100(0.5F, 0.5F, infinity, infinity), {0, 0, 200, 100}));
  CHECK(same(box_in_200_x_100(nan, 0.5F, 0.5F, nan), {0, 0, 0, 0}));
  CHECK(same(box_in_200_x_100(infinity, -infinity, infinity, infinity), {0, 0, 200, 0}));
}
