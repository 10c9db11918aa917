// Corners left out of outlines whose answer is known by hand. Validity on random masks is tested in Python with
// shapely.
#include "doctest.h"
#include "raster/masks/edge_outlines.hpp"
#include "raster/masks/simplify.hpp"
#include "raster/masks/sparse_mask.hpp"

#include <rfseg/error.hpp>

#include <limits>
#include <string>

namespace {

using rfseg::ImageSize;
using rfseg::Outline;
using rfseg::Polygon;
using rfseg::Run;

std::vector<Polygon> simplified(const std::vector<std::string>& picture, double tolerance_px) {
  const ImageSize size{static_cast<int>(picture.size()), static_cast<int>(picture[0].size())};
  std::vector<std::uint8_t> pixels;
  for (const std::string& row : picture) {
    for (const char pixel : row) pixels.push_back(pixel == '#');
  }
  std::vector<Run> runs;
  rfseg::raster::append_dense_runs(pixels.data(), size, runs);
  std::vector<Polygon> polygons = rfseg::raster::edge_outlines({runs.data(), runs.size()}, size);
  rfseg::raster::simplify(polygons, tolerance_px);
  return polygons;
}

}  // namespace

TEST_CASE("simplify: a bump within the tolerance goes, one beyond it stays") {
  const std::vector<std::string> bump = {"..........", "....#.....", "##########", "##########"};
  CHECK(simplified(bump, 1.0)[0].exterior == Outline{{0, 2}, {10, 2}, {10, 4}, {0, 4}});
  CHECK(simplified(bump, 0.4)[0].exterior.size() == 8);
}

TEST_CASE("simplify: no ring falls below four corners, and no tolerance of 0 changes anything") {
  CHECK(simplified({"#"}, 100.0)[0].exterior.size() == 4);
  const std::vector<std::string> steps = {"#....", "##...", "###..", "####.", "#####"};
  CHECK(simplified(steps, 0.0)[0].exterior.size() == 12);
  CHECK(simplified(steps, 100.0)[0].exterior.size() == 4);
}

TEST_CASE("simplify: parts and holes stay, however large the tolerance") {
  const std::vector<std::string> hole = {".....", ".###.", ".#.#.", "#####", "#####"};
  const std::vector<Polygon> around = simplified(hole, 100.0);
  REQUIRE(around.size() == 1);
  REQUIRE(around[0].holes.size() == 1);

  const std::vector<Polygon> beside = simplified({"####", "#...", "#.#.", "#..."}, 100.0);
  REQUIRE(beside.size() == 2);
}

TEST_CASE("simplify: a tolerance that is no distance is refused") {
  const std::uint8_t pixel = 1;
  const rfseg::Masks masks = rfseg::Masks::from_dense({1, 1}, &pixel, 1);
  for (const double tolerance :
       {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(masks.simplified(0, tolerance), rfseg::InputError);
  CHECK(masks.simplified(0, 1.0).size() == 1);
  CHECK(masks.crop_lengths(0) == std::vector<std::int32_t>{0, 1});
}
