// Compares the row converter of this machine with the portable one, and that one with the contract's real formula, on
// planes in heap blocks of their exact size, so that the address sanitizer sees any access beyond them.
#include "doctest.h"

#include "raster/color/convert_row.hpp"
#include "raster/color/planes.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace rfseg;
using namespace rfseg::raster;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr PixelFormat kFormats[] = {PixelFormat::nv12, PixelFormat::i420, PixelFormat::i422,
                                    PixelFormat::i444, PixelFormat::p010, PixelFormat::i010};
constexpr ColorMatrix kMatrices[] = {ColorMatrix::bt601, ColorMatrix::bt709, ColorMatrix::bt2020};
constexpr ColorRange kRanges[] = {ColorRange::limited, ColorRange::full};

int draw(std::mt19937& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

Bytes random_bytes(std::mt19937& random, std::size_t count) {
  Bytes bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(draw(random, 0, 255));
  return bytes;
}

/// A frame and its planes, which end with their last sample.
struct Frame {
  std::vector<Bytes> planes;
  ImageView view;
};

Frame random_frame(std::mt19937& random, PixelFormat format, ImageSize size) {
  const PlanarFormat of = planar_format(format);
  Frame frame;
  for (int i = 0; i < plane_count(of); ++i) {
    const int rows = rows_of(of, i, size.height);
    const auto bytes = static_cast<std::size_t>(row_bytes_of(of, i, size.width)) * static_cast<std::size_t>(rows);
    frame.planes.push_back(random_bytes(random, bytes));
  }
  frame.view = {frame.planes[0].data(), size.height, size.width, 0, format};
  for (std::size_t i = 1; i < frame.planes.size(); ++i) frame.view.chroma[i - 1].data = frame.planes[i].data();
  frame.view.matrix = kMatrices[draw(random, 0, 2)];
  frame.view.range = kRanges[draw(random, 0, 1)];
  return frame;
}

/// The contract's formula as it is written, in double.
void real_pixel(ColorMatrix matrix, ColorRange range, double y, double cb, double cr, double* rgb) {
  const double kr = matrix == ColorMatrix::bt601 ? 0.299 : matrix == ColorMatrix::bt709 ? 0.2126 : 0.2627;
  const double kb = matrix == ColorMatrix::bt601 ? 0.114 : matrix == ColorMatrix::bt709 ? 0.0722 : 0.0593;
  const bool full = range == ColorRange::full;
  const double kg = 1 - kr - kb, s = full ? 1 : 255.0 / 224;
  const double luma = (full ? 1 : 255.0 / 219) * (y - (full ? 0 : 16));
  rgb[0] = luma + 2 * (1 - kr) * s * (cr - 128);
  rgb[1] = luma - 2 * kb * (1 - kb) * s / kg * (cb - 128) - 2 * kr * (1 - kr) * s / kg * (cr - 128);
  rgb[2] = luma + 2 * (1 - kb) * s * (cb - 128);
}

std::string refusal(const ImageView& view) {
  try {
    planes_as_meant(view);
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("colour: the converter of this machine equals the portable one, within its bytes") {
  std::mt19937 random(1);
  for (int round = 0; round < 600; ++round) {
    const PixelFormat format = kFormats[round % 6];
    const PlanarFormat of = planar_format(format);
    const Frame frame = random_frame(random, format, {1, draw(random, 1, 100)});
    const ImageView view = planes_as_meant(frame.view);
    PlaneRows rows{view.data, view.chroma[0].data, view.chroma[1].data};
    if (of.interleaved) rows.cr = rows.cb + of.sample_bytes;
    const auto bytes = static_cast<std::size_t>(view.width) * 3;
    Bytes fast(bytes), plain(bytes);
    row_converter()(rows, view.width, of, coefficients_of(view), round % 4 == 0, fast.data());
    convert_row_portable(rows, view.width, of, coefficients_of(view), round % 4 == 0, plain.data());
    REQUIRE(fast == plain);
  }
}

TEST_CASE("colour: every luma and pairs of chroma are within 1 of the real formula") {
  int compared = 0;
  for (const ColorMatrix matrix : kMatrices) {
    for (const ColorRange range : kRanges) {
      const ColorCoefficients by = color_coefficients(matrix, range, 8);
      int worst = 0;
      for (int chroma = 0; chroma < 65536; chroma += 7) {
        std::uint8_t luma[256], cb[256], cr[256], pixels[768];
        for (int y = 0; y < 256; ++y) luma[y] = static_cast<std::uint8_t>(y);
        std::fill_n(cb, 256, static_cast<std::uint8_t>(chroma >> 8));
        std::fill_n(cr, 256, static_cast<std::uint8_t>(chroma & 255));
        convert_row_portable({luma, cb, cr}, 256, planar_format(PixelFormat::i444), by, false, pixels);
        for (int y = 0; y < 256; y += 5) {
          double real[3];
          real_pixel(matrix, range, y, cb[0], cr[0], real);
          for (int c = 0; c < 3; ++c)
            worst = std::max(worst,
                             std::abs(pixels[3 * y + c] - std::clamp(static_cast<int>(std::lround(real[c])), 0, 255)));
          ++compared;
        }
      }
      CHECK(worst <= 1);
    }
  }
  CHECK(compared > 2'000'000);
}

TEST_CASE("colour: rows padded, upwards, or one for all, in both orders") {
  std::mt19937 random(2);
  for (const PixelFormat format : kFormats) {
    const PlanarFormat of = planar_format(format);
    Frame frame = random_frame(random, format, {6, 19});
    Bytes expected(6 * 19 * 3), found(6 * 19 * 3), backwards(6 * 19 * 3);
    ops::convert(frame.view, PixelFormat::rgb8, expected.data());
    ops::convert(frame.view, PixelFormat::bgr8, backwards.data());
    for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(backwards[i] == expected[i / 3 * 3 + 2 - i % 3]);

    ImageView upwards = planes_as_meant(frame.view);
    upwards.data += 5 * upwards.row_bytes, upwards.row_bytes = -upwards.row_bytes;
    for (Plane& plane : upwards.chroma) {
      plane.data =
          plane.data == nullptr ? nullptr : plane.data + (chroma_size(of, {6, 19}).height - 1) * plane.row_bytes;
      plane.row_bytes = -plane.row_bytes;
    }
    ops::convert(upwards, PixelFormat::rgb8, found.data());
    for (std::size_t y = 0; y < 6; ++y)
      REQUIRE(std::equal(found.data() + y * 57, found.data() + y * 57 + 57, expected.data() + (5 - y) * 57));

    frame.view.row_bytes = frame.view.chroma[0].row_bytes = frame.view.chroma[1].row_bytes = ImageView::kOneRow;
    ops::convert(frame.view, PixelFormat::rgb8, found.data());
    for (std::size_t y = 0; y < 6; ++y)
      REQUIRE(std::equal(found.data() + y * 57, found.data() + y * 57 + 57, expected.data()));
  }
}

TEST_CASE("colour: what is unstated, and what is refused") {
  CHECK(stated(ColorMatrix::unstated, 719) == ColorMatrix::bt601);
  CHECK(stated(ColorMatrix::unstated, 720) == ColorMatrix::bt709);
  CHECK(stated(ColorMatrix::bt2020, 10) == ColorMatrix::bt2020);
  CHECK(stated(ColorRange::unstated) == ColorRange::limited);
  std::mt19937 random(3);
  Frame frame = random_frame(random, PixelFormat::p010, {4, 6});
  CHECK(refusal(frame.view) == "taken");
  ImageView view = frame.view;
  view.chroma[0].data = nullptr;
  CHECK(refusal(view).find("the frame's CbCr plane is missing") == 0);
  view = frame.view;
  view.row_bytes = 6;
  CHECK(refusal(view).find("the frame's Y plane has rows of 12 bytes that lie 6 bytes apart") == 0);
  view = frame.view;
  ++view.data;
  CHECK(refusal(view).find("the frame's Y plane has samples of two bytes at odd addresses") == 0);
  Bytes pixels(72);
  CHECK_THROWS_AS(ops::convert({pixels.data(), 4, 6}, PixelFormat::rgb8, pixels.data()), InputError);
  CHECK_THROWS_AS(ops::convert(frame.view, PixelFormat::nv12, pixels.data()), InputError);
  view = frame.view;
  view.memory = MemoryKind::device;
  CHECK_THROWS_AS(ops::convert(view, PixelFormat::rgb8, pixels.data()), InputError);
  view.memory = MemoryKind::host, view.height = 0;
  CHECK_THROWS_AS(ops::convert(view, PixelFormat::rgb8, pixels.data()), InputError);
}
