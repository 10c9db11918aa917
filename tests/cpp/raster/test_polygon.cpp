// Outlines of masks whose answer is known by hand. Equality with OpenCV on full frames is tested in Python.
#include "doctest.h"
#include "raster/masks/polygon.hpp"
#include "raster/masks/sparse_mask.hpp"

#include <limits>
#include <string>

namespace {

using rfseg::ImageSize;
using rfseg::Outline;
using rfseg::OutlineMode;
using rfseg::Polygon;
using rfseg::Run;
using rfseg::RunsView;
using rfseg::raster::trace_outlines;

/// Outlines of a picture of '#' and '.', placed with its top left at (x, y) of a larger empty image.
std::vector<Polygon> traced(const std::vector<std::string>& picture, OutlineMode mode, int x = 0, int y = 0) {
  const ImageSize size{y + static_cast<int>(picture.size()) + 3, x + static_cast<int>(picture[0].size()) + 2};
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.height * size.width));
  for (std::size_t row = 0; row < picture.size(); ++row) {
    for (std::size_t column = 0; column < picture[row].size(); ++column) {
      const auto at = (row + static_cast<std::size_t>(y)) * static_cast<std::size_t>(size.width) + column;
      pixels[at + static_cast<std::size_t>(x)] = picture[row][column] == '#';
    }
  }
  std::vector<Run> runs;
  rfseg::raster::append_dense_runs(pixels.data(), size, runs);
  return trace_outlines({runs.data(), runs.size()}, size, mode);
}

const std::vector<std::string> kIsland = {
    "#######",  //
    "#.....#",  //
    "#.###.#",  //
    "#.#.#.#",  //
    "#.###.#",  //
    "#.....#",  //
    "#######",
};

constexpr OutlineMode kCentreModes[] = {OutlineMode::external, OutlineMode::tree, OutlineMode::largest};

}  // namespace

TEST_CASE("polygon: no foreground, no polygon") {
  for (const OutlineMode mode : kCentreModes) CHECK(trace_outlines({}, {4, 5}, mode).empty());
}

TEST_CASE("polygon: one pixel is one point, wherever it is") {
  const ImageSize size{4, 5};
  for (const OutlineMode mode : kCentreModes) {
    for (const int position : {0, 3, 6, 16, 19}) {
      const Run run{position, position + 1};
      const std::vector<Polygon> parts = trace_outlines({&run, 1}, size, mode);
      REQUIRE(parts.size() == 1);
      CHECK(parts[0].exterior == Outline{{position / 4, position % 4}});
      CHECK(parts[0].holes.empty());
    }
  }
}

TEST_CASE("polygon: a full frame is its four corners") {
  const Run run{0, 20};
  for (const OutlineMode mode : kCentreModes) {
    const std::vector<Polygon> parts = trace_outlines({&run, 1}, {4, 5}, mode);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].exterior == Outline{{0, 0}, {0, 3}, {4, 3}, {4, 0}});
  }
}

TEST_CASE("polygon: external drops islands in holes, tree gives every part its holes") {
  const Outline outer{{10, 20}, {10, 26}, {16, 26}, {16, 20}}, inner{{12, 22}, {12, 24}, {14, 24}, {14, 22}};

  const std::vector<Polygon> external = traced(kIsland, OutlineMode::external, 10, 20);
  REQUIRE(external.size() == 1);
  CHECK(external[0].exterior == outer);
  CHECK(external[0].holes.empty());

  const std::vector<Polygon> tree = traced(kIsland, OutlineMode::tree, 10, 20);
  REQUIRE(tree.size() == 2);
  const bool outer_first = tree[0].exterior == outer;
  CHECK(tree[outer_first ? 0 : 1].exterior == outer);
  CHECK(tree[outer_first ? 1 : 0].exterior == inner);
  for (const Polygon& part : tree) REQUIRE(part.holes.size() == 1);
  // A hole's outline lies on the foreground around it; the point of an edge of one pixel's length is cut off
  // diagonally.
  CHECK(tree[outer_first ? 0 : 1].holes[0].size() == 8);
  CHECK(tree[outer_first ? 1 : 0].holes[0] == Outline{{12, 23}, {13, 22}, {14, 23}, {13, 24}});
}

TEST_CASE("polygon: largest has the most points, the first of equals") {
  const std::vector<std::string> most_points = {
      "####..#.#",  //
      "####..#.#",  //
      "####..###",  //
      "####.....",  //
  };
  const std::vector<Polygon> external = traced(most_points, OutlineMode::external);
  const std::vector<Polygon> largest = traced(most_points, OutlineMode::largest);
  REQUIRE(external.size() == 2);
  REQUIRE(largest.size() == 1);
  CHECK(largest[0].exterior.size() > 4);
  CHECK(largest[0].exterior[0].x > 4);

  const std::vector<std::string> equals = {"##.##.##", "##.##.##"};
  CHECK(traced(equals, OutlineMode::external).size() == 3);
  CHECK(traced(equals, OutlineMode::largest)[0].exterior == traced(equals, OutlineMode::external)[0].exterior);
}

TEST_CASE("polygon: edges surround the pixels' squares, every part with its holes") {
  const std::vector<Polygon> parts = traced(kIsland, OutlineMode::edge, 10, 20);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].exterior == Outline{{10, 20}, {17, 20}, {17, 27}, {10, 27}});
  REQUIRE(parts[0].holes.size() == 1);
  CHECK(parts[0].holes[0] == Outline{{11, 21}, {11, 26}, {16, 26}, {16, 21}});
  CHECK(parts[1].exterior == Outline{{12, 22}, {15, 22}, {15, 25}, {12, 25}});
  CHECK(parts[1].holes == std::vector<Outline>{{{13, 23}, {13, 24}, {14, 24}, {14, 23}}});
}

TEST_CASE("polygon: edge rings are split where pixels meet at a corner only") {
  const std::vector<Polygon> apart = traced({"#.", ".#"}, OutlineMode::edge);
  REQUIRE(apart.size() == 2);
  CHECK(apart[0].exterior == Outline{{0, 0}, {1, 0}, {1, 1}, {0, 1}});
  CHECK(apart[1].exterior == Outline{{1, 1}, {2, 1}, {2, 2}, {1, 2}});

  // One part that surrounds a background pixel and touches itself at that pixel's corner: a hole, not a ring in eight.
  const std::vector<Polygon> self = traced({"##.", "#.#", "###"}, OutlineMode::edge);
  REQUIRE(self.size() == 1);
  CHECK(self[0].exterior == Outline{{0, 0}, {2, 0}, {2, 1}, {3, 1}, {3, 3}, {0, 3}});
  CHECK(self[0].holes == std::vector<Outline>{{{1, 1}, {1, 2}, {2, 2}, {2, 1}}});
}

TEST_CASE("polygon: a row of the largest image there is costs what its corners cost") {
  const int width = std::numeric_limits<std::int32_t>::max();
  const std::vector<Run> ends{{0, 1}, {width - 1, width}};
  const std::vector<Polygon> parts = trace_outlines({ends.data(), ends.size()}, {1, width}, OutlineMode::edge);
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].exterior == Outline{{width - 1, 0}, {width, 0}, {width, 1}, {width - 1, 1}});
}
