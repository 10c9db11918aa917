// Lays windows of whole blocks over the taps of an axis, moving those that would read beyond the row. Knows no kernel.
#include "raster/resize/tap_blocks.hpp"

#include <algorithm>
#include <cstddef>

namespace rfseg::raster {
namespace {

TapBlock make_block(const std::int32_t* weight, int count, int first_tap) {
  TapBlock block{};
  for (int k = 0; k < TapBlock::kTaps; ++k) {
    const int tap = first_tap + k;
    if (tap < 0 || tap >= count) continue;
    block.low[k] = static_cast<std::int16_t>(weight[tap] & ((1 << TapBlock::kLowBits) - 1));
    block.high[k] = static_cast<std::int16_t>(weight[tap] >> TapBlock::kLowBits);
  }
  return block;
}

}  // namespace

TapBlocks make_tap_blocks(const PilAxis& axis) {
  constexpr int kSpareBytes = 4;   // that a 16-byte load takes beyond its block
  constexpr int kSparePixels = 2;  // that cover them
  TapBlocks result;
  for (std::size_t o = 0; o < axis.first.size(); ++o) {
    const int count = axis.count[o];
    const int block_count = (count + TapBlock::kTaps - 1) / TapBlock::kTaps;
    const int pixels = block_count * TapBlock::kTaps;
    const int start = std::min(axis.first[o], axis.in - pixels);
    const bool ends_row = axis.in - pixels - start < kSparePixels;
    if (start < (ends_row ? kSparePixels : 0)) return {};

    result.windows.push_back({std::int64_t{3} * start - (ends_row ? kSpareBytes : 0),
                              static_cast<std::int32_t>(result.blocks.size()), block_count, ends_row});
    const std::int32_t* weight = axis.weight.data() + o * static_cast<std::size_t>(axis.taps);
    for (int tap = start - axis.first[o]; tap < start - axis.first[o] + pixels; tap += TapBlock::kTaps) {
      result.blocks.push_back(make_block(weight, count, tap));
    }
  }
  return result;
}

}  // namespace rfseg::raster
