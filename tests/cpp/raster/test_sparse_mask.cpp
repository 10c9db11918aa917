// One mask as runs, against a mask of plain pixels: every answer is counted again pixel by pixel.
#include "doctest.h"
#include "raster/masks/sparse_mask.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <random>
#include <string>

namespace {

using rfseg::ImageSize;
using rfseg::InputError;
using rfseg::PixelBounds;
using rfseg::Run;
using rfseg::RunsView;
namespace raster = rfseg::raster;

using Pixels = std::vector<std::uint8_t>;
using Runs = std::vector<Run>;

RunsView view(const Runs& runs) { return {runs.data(), runs.size()}; }

bool foreground(const Pixels& pixels, ImageSize size, int x, int y) {
  return pixels[static_cast<std::size_t>(y * size.width + x)] != 0;
}

/// The runs of `pixels`, walking down each column.
Runs runs_by_pixel(const Pixels& pixels, ImageSize size) {
  Runs runs;
  for (int x = 0; x < size.width; ++x) {
    for (int y = 0; y < size.height; ++y) {
      if (!foreground(pixels, size, x, y)) continue;
      const int position = x * size.height + y;
      if (runs.empty() || runs.back().end != position) runs.push_back({position, position});
      ++runs.back().end;
    }
  }
  return runs;
}

PixelBounds bounds_by_pixel(const Pixels& pixels, ImageSize size) {
  PixelBounds b{size.width, size.height, 0, 0};
  for (int x = 0; x < size.width; ++x) {
    for (int y = 0; y < size.height; ++y) {
      if (!foreground(pixels, size, x, y)) continue;
      b = {std::min(b.x0, x), std::min(b.y0, y), std::max(b.x1, x + 1), std::max(b.y1, y + 1)};
    }
  }
  return b.x1 == 0 ? PixelBounds{} : b;
}

bool same(PixelBounds a, PixelBounds b) { return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1; }

struct Picture {
  ImageSize size;
  Pixels pixels;
};

/// Noise of any density on a small image; foreground bytes have any value but 0.
Picture random_picture(std::mt19937& random, ImageSize size) {
  std::bernoulli_distribution is_foreground(std::uniform_real_distribution<>(-0.1, 1.1)(random) < 0.5 ? 0.3 : 0.8);
  std::uniform_int_distribution<int> value(1, 255);
  Pixels pixels(static_cast<std::size_t>(size.height * size.width));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(is_foreground(random) ? value(random) : 0);
  return {size, pixels};
}

ImageSize random_size(std::mt19937& random) {
  std::uniform_int_distribution<int> side(1, 70);
  return {side(random), side(random)};
}

std::string refusal(const Runs& runs, ImageSize size) {
  try {
    raster::validate_runs(view(runs), size);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

std::string coco_refusal(const std::string& counts, ImageSize size) {
  Runs runs;
  try {
    raster::append_coco_runs(counts, size, runs);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("sparse mask: runs and pixels agree on random masks") {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const Picture picture = random_picture(random, random_size(random));
    const ImageSize size = picture.size;
    const Runs expected = runs_by_pixel(picture.pixels, size);

    Runs runs{{-7, -3}};
    raster::append_dense_runs(picture.pixels.data(), size, runs);
    REQUIRE(runs.front() == Run{-7, -3});
    runs.erase(runs.begin());
    REQUIRE(runs == expected);
    CHECK(refusal(runs, size).empty());

    Pixels decoded(picture.pixels.size(), 7);
    raster::decode_dense(view(runs), size, decoded.data());
    const auto is_foreground = [](std::uint8_t pixel) { return static_cast<std::uint8_t>(pixel != 0); };
    Pixels ones(decoded.size());
    std::transform(picture.pixels.begin(), picture.pixels.end(), ones.begin(), is_foreground);
    REQUIRE(decoded == ones);

    CHECK(raster::area(view(runs)) == std::count(ones.begin(), ones.end(), 1));
    CHECK(same(raster::bounds(view(runs), size), bounds_by_pixel(picture.pixels, size)));

    Runs again;
    raster::append_coco_runs(raster::encode_coco(view(runs), size), size, again);
    CHECK(again == runs);
  }
}

TEST_CASE("sparse mask: intersection counts the pixels of both") {
  std::mt19937 random(2);
  std::int64_t total = 0;
  for (int i = 0; i < 200; ++i) {
    const ImageSize size = random_size(random);
    const Pixels a = random_picture(random, size).pixels, b = random_picture(random, size).pixels;
    std::int64_t both = 0;
    for (std::size_t p = 0; p < a.size(); ++p) both += a[p] != 0 && b[p] != 0;
    const Runs runs_a = runs_by_pixel(a, size), runs_b = runs_by_pixel(b, size);
    CHECK(raster::intersection_area(view(runs_a), view(runs_b)) == both);
    CHECK(raster::intersection_area(view(runs_b), view(runs_a)) == both);
    CHECK(raster::intersection_area(view(runs_a), {}) == 0);
    total += both;
  }
  CHECK(total > 0);
}

TEST_CASE("sparse mask: a crop is written inside its rectangle only") {
  const ImageSize size{6, 5};
  const Runs runs{{8, 10}, {11, 14}, {15, 16}};  // columns 1 and 2; the second run goes on at the top of column 2
  const PixelBounds crop = raster::bounds(view(runs), size);
  REQUIRE(same(crop, {1, 0, 3, 6}));
  Pixels pixels(9 * 8, 0xEE);
  for (std::size_t y = 0; y < 6; ++y) std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(1 + y) * 8 + 3, 2, 0);
  raster::decode_crop(view(runs), size, crop, pixels.data() + 8 + 3, 8);
  Pixels expected(9 * 8, 0xEE);
  const Pixels inside{0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0};
  for (std::size_t i = 0; i < inside.size(); ++i) expected[(1 + i / 2) * 8 + 3 + i % 2] = inside[i];
  CHECK(pixels == expected);
}

TEST_CASE("sparse mask: positions near 2^31 do not overflow") {
  const ImageSize size{46340, 46340};
  const int pixels = 46340 * 46340;
  const Runs whole{{0, pixels}}, last{{pixels - 1, pixels}}, first{{0, 1}};
  CHECK(refusal(whole, size).empty());
  CHECK(raster::area(view(whole)) == pixels);
  CHECK(same(raster::bounds(view(whole), size), {0, 0, 46340, 46340}));
  CHECK(same(raster::bounds(view(last), size), {46339, 46339, 46340, 46340}));
  CHECK(raster::intersection_area(view(first), view(last)) == 0);
  CHECK(raster::intersection_area(view(whole), view(last)) == 1);
  const Runs both{{0, 1}, {pixels - 1, pixels}};
  CHECK(same(raster::bounds(view(both), size), {0, 0, 46340, 46340}));
  Runs again;
  raster::append_coco_runs(raster::encode_coco(view(both), size), size, again);
  CHECK(again == both);
}

TEST_CASE("sparse mask: flawed runs are refused, and the run is named") {
  const ImageSize size{4, 5};
  CHECK(refusal({}, size).empty());
  CHECK(refusal({{0, 20}}, size).empty());
  CHECK(refusal({{0, 1}, {2, 3}, {19, 20}}, size).empty());
  CHECK(contains(refusal({{0, 1}, {5, 5}}, size), "run 1 [5, 5) is empty or reversed"));
  CHECK(contains(refusal({{6, 5}}, size), "run 0 [6, 5) is empty or reversed"));
  CHECK(contains(refusal({{-1, 5}}, size), "run 0 [-1, 5) leaves the image, which has 20 pixels"));
  CHECK(contains(refusal({{0, 1}, {2, 21}}, size), "run 1 [2, 21) leaves the image"));
  CHECK(contains(refusal({{0, 1}, {2, 21}, {3, 4}}, size), "run 1 [2, 21) leaves the image"));
  CHECK(contains(refusal({{0, 3}, {2, 5}}, size), "run 1 [2, 5) begins before"));
  CHECK(contains(refusal({{7, 9}, {2, 5}}, size), "run 1 [2, 5) begins before"));
  CHECK(contains(refusal({{0, 3}, {3, 5}}, size), "run 1 [3, 5) touches"));
  CHECK(contains(refusal({{0, 1}}, {0, 5}), "leaves the image, which has 0 pixels"));
  CHECK(contains(refusal({}, {-1, 5}), "height -1 and width 5"));
  CHECK(contains(refusal({}, {65536, 32768}), "fewer than 2^31 pixels"));
  CHECK(refusal({}, {65535, 32768}).empty());
}

TEST_CASE("sparse mask: COCO's text is the one pycocotools writes") {
  const auto encoded = [](const Runs& runs, ImageSize size) { return raster::encode_coco(view(runs), size); };
  CHECK(encoded({}, {0, 0}) == "0");
  CHECK(encoded({}, {3, 4}) == "<");
  CHECK(encoded({{0, 12}}, {3, 4}) == "0<");
  CHECK(encoded({{0, 1}}, {3, 4}) == "01;");
  CHECK(encoded({{11, 12}}, {3, 4}) == ";1");
  CHECK(encoded({{5, 6}, {9, 500}, {510, 511}, {4000, 90000}}, {300, 400}) == "513Z?7f@g\\3_oc2_li0");
}

TEST_CASE("sparse mask: bad COCO text is refused with the reason") {
  const ImageSize size{3, 4};
  CHECK(coco_refusal("5114", size).empty());
  CHECK(contains(coco_refusal("57", {3, 5}), "fewer than the 15 pixels"));
  CHECK(contains(coco_refusal("58", size), "more than the 12 pixels"));
  CHECK(contains(coco_refusal("5M:", size), "negative length"));
  CHECK(contains(coco_refusal("5W", size), "end in the middle"));
  CHECK(contains(coco_refusal("5 ", size), "value 32 at position 1"));
  CHECK(contains(coco_refusal("\xff", size), "value 255 at position 0"));
  CHECK(contains(coco_refusal(std::string(9, 'P'), size), "more than 7 characters"));
}
