// Compares the resize with the contract's formula written out naively, on frames in heap blocks of their exact size, so
// that the address sanitizer sees any read beyond a frame. Knows nothing of kernels.
#include "doctest.h"

#include "raster/frame_geometry.hpp"
#include "raster/resize/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace rfseg;
using namespace rfseg::raster;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Picture {
  ImageSize size;
  Bytes pixels;  // [height, width, 3]
};

int draw(std::mt19937& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

Picture random_picture(std::mt19937& random, ImageSize size) {
  Picture picture{size, Bytes(static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width) * 3)};
  for (std::uint8_t& byte : picture.pixels) byte = static_cast<std::uint8_t>(draw(random, 0, 255));
  return picture;
}

ImageView view_of(const Picture& picture) {
  return {picture.pixels.data(), picture.size.height, picture.size.width, std::ptrdiff_t{3} * picture.size.width};
}

std::uint8_t byte_at(const ImageView& view, int y, int x, int channel) {
  return view.data[y * view.row_bytes + x * view.pixel_bytes + channel * view.channel_bytes];
}

// Contract 2.1 for one output of one axis; `sample(i)` is the byte at position i.
template <typename Sample>
std::uint8_t naive_output(int in, int out, int o, const Sample& sample) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(1.0, scale);
  const double centre = (o + 0.5) * scale;
  const int low = std::max(0, static_cast<int>(centre - support + 0.5));
  const int high = std::min(in, static_cast<int>(centre + support + 0.5));
  std::vector<double> weights;
  double sum = 0;
  for (int i = low; i < high; ++i) {
    weights.push_back(std::max(0.0, 1 - std::fabs((i - centre + 0.5) * (1 / support))));
    sum += weights.back();
  }
  std::int64_t total = 1 << 21;
  for (int i = low; i < high; ++i) {
    const double weight = weights[static_cast<std::size_t>(i - low)] / sum;
    total += static_cast<std::int64_t>(0.5 + weight * (1 << 22)) * sample(i);
  }
  return static_cast<std::uint8_t>(std::min<std::int64_t>(total >> 22, 255));
}

Picture naive_pass(const ImageView& view, ImageSize size) {
  Picture result{size, {}};
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto in_row = [&](int i) { return byte_at(view, y, i, c); };
        const auto in_column = [&](int i) { return byte_at(view, i, x, c); };
        result.pixels.push_back(view.width != size.width     ? naive_output(view.width, size.width, x, in_row)
                                : view.height != size.height ? naive_output(view.height, size.height, y, in_column)
                                                             : byte_at(view, y, x, c));
      }
    }
  }
  return result;
}

Bytes naive_resize(const ImageView& view, ImageSize size, bool vertical_first) {
  const ImageSize between = vertical_first ? ImageSize{size.height, view.width} : ImageSize{view.height, size.width};
  return naive_pass(view_of(naive_pass(view, between)), size).pixels;
}

Bytes resized(const ImageView& view, const FrameGeometry& geometry) {
  ResizeScratch scratch;
  resize_pil(view, geometry, scratch);
  return scratch.resized;
}

FrameGeometry geometry_of(const ImageView& view, ImageSize network, Resize resize = Resize::pil) {
  return FrameGeometry({view.height, view.width}, network, {2, 2}, resize);
}

// The same pixels' rectangle seen upside down, mirrored, with reversed channels, or with every other pixel left out.
ImageView strided(ImageView view, int kind) {
  if ((kind & 1) != 0) {
    view.data += (view.height - 1) * view.row_bytes;
    view.row_bytes = -view.row_bytes;
  }
  if ((kind & 2) != 0) {
    view.data += (view.width - 1) * view.pixel_bytes;
    view.pixel_bytes = -view.pixel_bytes;
  }
  if ((kind & 4) != 0) {
    view.data += 2 * view.channel_bytes;
    view.channel_bytes = -view.channel_bytes;
  }
  if ((kind & 8) != 0) {
    view.width = (view.width + 1) / 2;
    view.pixel_bytes *= 2;
  }
  return view;
}

}  // namespace

TEST_CASE("resize: equals the contract on random shapes, views and both orders of passes") {
  std::mt19937 random(1);
  int vertical_first = 0;
  for (int round = 0; round < 400; ++round) {
    const Picture picture = random_picture(random, {draw(random, 1, 90), draw(random, 1, 90)});
    const ImageView view = strided(view_of(picture), draw(random, 0, 1) * draw(random, 0, 15));
    ImageSize network{draw(random, 1, 60), draw(random, 1, 60)};
    if (round % 5 == 0) network.width = view.width;
    if (round % 7 == 0) network.height = view.height;
    const FrameGeometry geometry = geometry_of(view, network);
    vertical_first += geometry.passes().first_down ? 1 : 0;
    REQUIRE(resized(view, geometry) == naive_resize(view, network, geometry.passes().first_down));
  }
  CHECK(vertical_first > 40);
  CHECK(vertical_first < 360);
}

TEST_CASE("resize: a window on a larger frame reads nothing outside itself") {
  std::mt19937 random(2);
  const Picture whole = random_picture(random, {40, 50});
  const ImageView inner{whole.pixels.data() + 5 * 150 + 30, 35, 40, 150};  // ends where the frame ends
  const FrameGeometry geometry = geometry_of(inner, {16, 17});
  const Bytes before = resized(inner, geometry);
  Picture changed = whole;
  for (int y = 0; y < 40; ++y) {
    for (int i = 0; i < 150; ++i) {
      if (y < 5 || i < 30) changed.pixels[static_cast<std::size_t>(y * 150 + i)] ^= 0xFF;
    }
  }
  ImageView same = inner;
  same.data = changed.pixels.data() + 5 * 150 + 30;
  CHECK(resized(same, geometry) == before);
}

TEST_CASE("resize: very many taps, whose rounded weights do not add up to one, neither overflow nor wrap") {
  // 3,000,000 taps add up to less than one, 1,900,000 to more: the first darkens white, the second must be clipped.
  for (const int length : {1900000, 3000000}) {
    const Picture wide{{1, length}, Bytes(static_cast<std::size_t>(length) * 3, 255)};
    const Picture tall{{length, 1}, wide.pixels};
    const Bytes expected = naive_resize(view_of(wide), {1, 1}, false);
    CHECK((expected[0] == 255) == (length == 1900000));
    CHECK(resized(view_of(wide), geometry_of(view_of(wide), {1, 1})) == expected);
    CHECK(resized(view_of(tall), geometry_of(view_of(tall), {1, 1})) == expected);
  }
}

TEST_CASE("preprocess: planes are RGB, whatever order and strides the frame has") {
  std::mt19937 random(4);
  const Picture picture = random_picture(random, {9, 11});
  int compared = 0;
  for (const Resize resize : {Resize::pil, Resize::bilinear}) {
    for (int kind = 0; kind < 16; ++kind) {
      ImageView view = strided(view_of(picture), kind);
      view.format = (kind & 4) != 0 ? PixelFormat::rgb8 : PixelFormat::bgr8;
      Picture copy{{view.height, view.width}, {}};
      for (int i = 0; i < view.height * view.width * 3; ++i) {
        copy.pixels.push_back(byte_at(view, i / 3 / view.width, i / 3 % view.width, i % 3));
      }
      ImageView packed = view_of(copy);
      packed.format = view.format;
      std::vector<float> answers[2] = {std::vector<float>(105), std::vector<float>(105)};
      ResizeScratch scratch;
      const FrameGeometry geometry = geometry_of(view, {5, 7}, resize);
      preprocess(view, geometry, scratch, answers[0].data());
      preprocess(packed, geometry, scratch, answers[1].data());
      CHECK(answers[0] == answers[1]);
      ++compared;
    }
  }
  CHECK(compared == 32);
}

TEST_CASE("preprocess: every byte of every channel is normalised with IEEE divisions") {
  Picture all{{16, 16}, {}};
  for (int byte = 0; byte < 256; ++byte) all.pixels.insert(all.pixels.end(), 3, static_cast<std::uint8_t>(byte));
  const rfseg::Normalisation imagenet, other{{0.5F, -1.25F, 0.1F}, {0.3F, 1e-3F, 7.0F}};
  for (const Resize resize : {Resize::pil, Resize::bilinear}) {
    for (const auto& by : {imagenet, other}) {
      std::vector<float> chw(768);
      ResizeScratch scratch;
      preprocess(view_of(all), geometry_of(view_of(all), {16, 16}, resize), scratch, chw.data(), by);
      for (std::size_t i = 0; i < 768; ++i) {
        volatile float value = static_cast<float>(i % 256);  // keeps the compiler from folding the expected value
        value = value / 255.0F;
        value = value - by.mean[i / 256];
        value = value / by.deviation[i / 256];
        REQUIRE(chw[i] == value);
        REQUIRE(normalised_bytes(by)[i] == value);
      }
    }
  }
  CHECK(imagenet.mean == std::array<float, 3>{0.485F, 0.456F, 0.406F});
  CHECK(imagenet.deviation == std::array<float, 3>{0.229F, 0.224F, 0.225F});
}

TEST_CASE("preprocess: scratch carries nothing from one frame to the next") {
  std::mt19937 random(5);
  ResizeScratch kept;
  for (const ImageSize size : {ImageSize{90, 70}, ImageSize{3, 200}, ImageSize{64, 64}, ImageSize{1, 1}}) {
    const Picture picture = random_picture(random, size);
    const ImageView view = strided(view_of(picture), 2);
    const FrameGeometry geometry = geometry_of(view, {24, 20});
    resize_pil(view, geometry, kept);
    CHECK(kept.resized == resized(view, geometry));
  }
}
