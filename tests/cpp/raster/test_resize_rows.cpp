// Compares the row kernels of this machine with the portable ones, on rows in heap blocks of their exact size, and the
// tap blocks with the axis they were made from. Knows no frames.
#include "doctest.h"

#include "raster/resize/resize_rows.hpp"
#include "raster/resize/tap_blocks.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace rfseg::raster;

namespace {

using Bytes = std::vector<std::uint8_t>;

int draw(std::mt19937& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

Bytes random_bytes(std::mt19937& random, std::size_t count) {
  Bytes bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(draw(random, 0, 255));
  return bytes;
}

// The weight at every pixel of the row that a window's blocks amount to.
std::vector<std::int32_t> weights_along_row(const TapBlocks& table, const TapWindow& window, int in) {
  std::vector<std::int32_t> weights(static_cast<std::size_t>(in), 0);
  const auto start = static_cast<std::size_t>(window.load_byte + (window.ends_row ? 4 : 0)) / 3;
  for (int tap = 0; tap < window.block_count * TapBlock::kTaps; ++tap) {
    const TapBlock& block = table.blocks[static_cast<std::size_t>(window.first_block + tap / TapBlock::kTaps)];
    const int k = tap % TapBlock::kTaps;
    weights[start + static_cast<std::size_t>(tap)] = block.high[k] * (1 << TapBlock::kLowBits) + block.low[k];
  }
  return weights;
}

std::vector<std::int32_t> weights_along_row(const PilAxis& axis, std::size_t output) {
  std::vector<std::int32_t> weights(static_cast<std::size_t>(axis.in), 0);
  const std::int32_t* begin = axis.weight.data() + output * static_cast<std::size_t>(axis.taps);
  std::copy(begin, begin + axis.count[output], weights.begin() + axis.first[output]);
  return weights;
}

}  // namespace

TEST_CASE("row kernels: those of this machine equal the portable ones") {
  std::mt19937 random(3);
  const RowKernels fast = row_kernels();
  const RowKernels plain = portable_row_kernels();
  for (int round = 0; round < 300; ++round) {
    const int in = draw(random, 1, 300);
    const PilAxis axis = make_pil_axis(in, draw(random, 1, 100));
    const auto row_bytes = static_cast<std::size_t>(in) * 3;
    std::vector<Bytes> source;
    std::vector<const std::uint8_t*> rows;
    for (int y = 0; y < std::max(kRowsAcross, axis.taps); ++y) source.push_back(random_bytes(random, row_bytes));
    for (const Bytes& row : source) rows.push_back(row.data());
    const auto result_bytes = static_cast<std::size_t>(axis.out) * 3;
    std::vector<Bytes> results(2 * kRowsAcross, Bytes(result_bytes));
    std::vector<std::uint8_t*> out;
    for (Bytes& result : results) out.push_back(result.data());
    fast.across(rows.data(), axis, make_tap_blocks(axis), out.data());
    plain.across(rows.data(), axis, make_tap_blocks(axis), out.data() + kRowsAcross);
    for (std::size_t row = 0; row < kRowsAcross; ++row) REQUIRE(results[row] == results[row + kRowsAcross]);

    Bytes blended[2] = {Bytes(row_bytes), Bytes(row_bytes)};
    fast.down(rows.data(), axis.weight.data(), axis.count[0], row_bytes, blended[0].data());
    plain.down(rows.data(), axis.weight.data(), axis.count[0], row_bytes, blended[1].data());
    REQUIRE(blended[0] == blended[1]);
  }
}

TEST_CASE("tap blocks: hold the weights and stay within the row") {
  int axes = 0;
  for (int in = 1; in < 120; ++in) {
    for (int out = 1; out < 40; ++out) {
      const PilAxis axis = make_pil_axis(in, out);
      const TapBlocks table = make_tap_blocks(axis);
      if (table.windows.empty()) continue;
      ++axes;
      for (std::size_t o = 0; o < table.windows.size(); ++o) {
        const TapWindow& window = table.windows[o];
        REQUIRE(window.load_byte >= 0);
        REQUIRE(window.load_byte + (window.block_count - 1) * TapBlock::kBytes + 16 <= 3 * in);
        REQUIRE(weights_along_row(table, window, in) == weights_along_row(axis, o));
      }
    }
  }
  CHECK(axes > 3000);
}
