// Mask runs against the formula of contract.md 3.4, pixel by pixel.
#include "doctest.h"
#include "raster/masks/mask_runs.hpp"

#include <cmath>
#include <limits>
#include <random>

namespace {

using rfseg::ImageSize;
using rfseg::Resize;
using rfseg::Run;
using rfseg::raster::append_mask_runs;
using rfseg::raster::BilinearAxis;
using rfseg::raster::FrameGeometry;
using rfseg::raster::MaskRunScratch;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

FrameGeometry geometry_of(ImageSize source, ImageSize grid) {
  return {source, {grid.height * 4, grid.width * 4}, grid, Resize::bilinear};
}

bool is_foreground(const std::vector<float>& logits, const FrameGeometry& geometry, int x, int y) {
  const BilinearAxis& axis_x = geometry.mask_x();
  const BilinearAxis& axis_y = geometry.mask_y();
  const auto column = static_cast<std::size_t>(x);
  const auto row = static_cast<std::size_t>(y);
  const auto between = [&](std::int32_t grid_row) {
    const float* nodes = logits.data() + static_cast<std::ptrdiff_t>(grid_row) * geometry.mask().width;
    return axis_x.l0[column] * nodes[axis_x.i0[column]] + axis_x.l1[column] * nodes[axis_x.i1[column]];
  };
  return axis_y.l0[row] * between(axis_y.i0[row]) + axis_y.l1[row] * between(axis_y.i1[row]) > 0;
}

std::vector<Run> runs_by_the_formula(const std::vector<float>& logits, const FrameGeometry& geometry) {
  std::vector<Run> runs;
  std::int32_t index = 0;
  bool inside = false;
  for (int x = 0; x < geometry.source().width; ++x) {
    for (int y = 0; y < geometry.source().height; ++y, ++index) {
      const bool foreground = is_foreground(logits, geometry, x, y);
      if (foreground && !inside) runs.push_back({index, index});
      if (foreground) runs.back().end = index + 1;
      inside = foreground;
    }
  }
  return runs;
}

std::vector<Run> runs_of(const std::vector<float>& logits, const FrameGeometry& geometry) {
  MaskRunScratch scratch;
  std::vector<Run> runs;
  append_mask_runs(logits.data(), geometry, scratch, runs);
  return runs;
}

enum class Kind { smooth, noise, quantised, sparse, magnitudes, hostile, checkerboard, count };

std::vector<float> random_grid(std::mt19937& random, ImageSize grid, Kind kind) {
  constexpr float kHostile[] = {0.0F,   -0.0F,   1.0F,   -1.0F,  kNaN,   kInfinity, -kInfinity,
                                1e-45F, -1e-45F, 1e-40F, 1e-31F, 1e-30F, 3.4e38F,   -3.4e38F};
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform;
  const float centre_x = uniform(random) * static_cast<float>(grid.width);
  const float centre_y = uniform(random) * static_cast<float>(grid.height);
  const float radius = 1.0F + uniform(random) * 10.0F;
  const float magnitude = std::pow(10.0F, uniform(random) * 82.0F - 44.0F);
  std::vector<float> logits;
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) {
      const float value = normal(random);
      switch (kind) {
        case Kind::smooth:
          logits.push_back(radius - std::hypot(static_cast<float>(x) - centre_x, static_cast<float>(y) - centre_y));
          break;
        case Kind::quantised:
          logits.push_back(std::round(value * 2.0F) / 2.0F);
          break;
        case Kind::sparse:
          logits.push_back(random() % 20 == 0 ? value : -1.0F);
          break;
        case Kind::magnitudes:
          logits.push_back(value * magnitude);
          break;
        case Kind::hostile:
          logits.push_back(kHostile[random() % std::size(kHostile)]);
          break;
        case Kind::checkerboard:
          logits.push_back((x + y) % 2 == 0 ? 1.0F : -1.0F);
          break;
        default:
          logits.push_back(value);
          break;
      }
    }
  }
  return logits;
}

}  // namespace

TEST_CASE("append_mask_runs equals the formula on random grids") {
  std::mt19937 random(34);
  const auto length = [&](int most) { return 1 + static_cast<int>(random() % static_cast<unsigned>(most)); };
  MaskRunScratch scratch;  // shared, as between masks of different sizes
  std::size_t compared = 0;
  for (int round = 0; round < 1500; ++round) {
    const ImageSize grid{length(24), length(24)};
    const ImageSize source{length(round % 3 == 0 ? 20 : 160), length(round % 5 == 0 ? 20 : 160)};
    const auto kind = static_cast<Kind>(round % static_cast<int>(Kind::count));
    const FrameGeometry geometry = geometry_of(source, grid);
    const std::vector<float> logits = random_grid(random, grid, kind);
    std::vector<Run> runs;
    append_mask_runs(logits.data(), geometry, scratch, runs);
    CAPTURE(round);
    REQUIRE(runs == runs_by_the_formula(logits, geometry));
    compared += runs.size();
  }
  CHECK(compared > 100'000);
}

TEST_CASE("append_mask_runs at the contract's resolutions") {
  std::mt19937 random(9);
  for (const ImageSize source : {ImageSize{1080, 1920}, ImageSize{312, 176}, ImageSize{1, 1}, ImageSize{2, 3},
                                 ImageSize{40, 1000}, ImageSize{312, 312}}) {
    for (const Kind kind : {Kind::smooth, Kind::noise}) {
      const FrameGeometry geometry = geometry_of(source, {78, 78});
      const std::vector<float> logits = random_grid(random, {78, 78}, kind);
      CHECK(runs_of(logits, geometry) == runs_by_the_formula(logits, geometry));
    }
  }
}

TEST_CASE("append_mask_runs: an empty mask has no runs and a full one has one") {
  const FrameGeometry geometry = geometry_of({90, 120}, {6, 8});
  CHECK(runs_of(std::vector<float>(48, -1.0F), geometry).empty());
  CHECK(runs_of(std::vector<float>(48, 0.0F), geometry).empty());
  CHECK(runs_of(std::vector<float>(48, -0.0F), geometry).empty());
  CHECK(runs_of(std::vector<float>(48, kNaN), geometry).empty());
  CHECK(runs_of(std::vector<float>(48, 1.0F), geometry) == std::vector<Run>{{0, 90 * 120}});
}

TEST_CASE("append_mask_runs: infinity times weight 0 is NaN, hence background") {
  // At the grid's own size every l1 is 0, and the second tap is the next node, or the last node itself.
  for (const ImageSize line : {ImageSize{2, 1}, ImageSize{1, 2}}) {
    const FrameGeometry geometry = geometry_of(line, line);
    CHECK(runs_of({1, kInfinity}, geometry).empty());
    CHECK(runs_of({kInfinity, 1}, geometry) == std::vector<Run>{{1, 2}});  // across the line it is its own second tap
    CHECK(runs_of({2, 1}, geometry) == std::vector<Run>{{0, 2}});
  }
  // Enlarged, only the first row and the first column of pixels have l1 = 0.
  CHECK(runs_of(std::vector<float>(4, kInfinity), geometry_of({4, 3}, {2, 2})) == std::vector<Run>{{5, 8}, {9, 12}});
}

TEST_CASE("append_mask_runs: both products of two positive nodes may underflow") {
  const float least = std::numeric_limits<float>::denorm_min();  // half of it rounds to 0
  CHECK(runs_of({least, least}, geometry_of({5, 1}, {2, 1})) == std::vector<Run>{{0, 2}, {3, 5}});
  CHECK(runs_of({least, least}, geometry_of({1, 5}, {1, 2})) == std::vector<Run>{{0, 2}, {3, 5}});
}

TEST_CASE("append_mask_runs: one pixel in each corner") {
  // At the grid's own size a pixel is a node.
  const int side = 5;
  const FrameGeometry geometry = geometry_of({side, side}, {side, side});
  for (const int pixel : {0, side - 1, side * (side - 1), side * side - 1}) {
    std::vector<float> logits(static_cast<std::size_t>(side * side), -1.0F);
    logits[static_cast<std::size_t>(pixel)] = 1.0F;
    const std::int32_t start = pixel % side * side + pixel / side;
    CHECK(runs_of(logits, geometry) == std::vector<Run>{{start, start + 1}});
  }
}

TEST_CASE("append_mask_runs: a run at the bottom goes on at the top, but never into the mask before") {
  const FrameGeometry geometry = geometry_of({3, 2}, {3, 2});
  const std::vector<float> touching = {-1, 1, -1, 1, 1, -1};  // column 0: bottom; column 1: top and middle
  CHECK(runs_of(touching, geometry) == std::vector<Run>{{2, 5}});

  MaskRunScratch scratch;
  std::vector<Run> runs{{3, 4}};
  append_mask_runs(std::vector<float>{-1, -1, -1, -1, -1, 1}.data(), geometry, scratch, runs);
  CHECK(runs == std::vector<Run>{{3, 4}, {5, 6}});
  runs = {{0, 4}};  // of another mask, and it ends where this one starts
  append_mask_runs(std::vector<float>{-1, -1, -1, 1, -1, -1}.data(), geometry, scratch, runs);
  CHECK(runs == std::vector<Run>{{0, 4}, {4, 5}});
}
