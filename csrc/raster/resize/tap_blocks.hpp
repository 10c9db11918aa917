// The taps of a PilAxis in the shape that a SIMD kernel over packed three-channel rows reads them: blocks of four
// pixels, weights split into 16-bit halves. Owns the rule that no load leaves the row; knows no instruction set.
#pragma once

#include "raster/resize/resample_table.hpp"

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Four taps; each weight is high * 2^15 + low with 0 <= low < 2^15, so that a 16-bit multiply-add takes either half.
struct TapBlock {
  static constexpr int kTaps = 4;
  static constexpr int kLowBits = 15;
  static constexpr int kBytes = 3 * kTaps;  ///< of packed pixels under the taps; a kernel loads 16 to get them

  std::int16_t low[kTaps];
  std::int16_t high[kTaps];
};

/// The blocks under one output. Block b's pixels are in the 16 bytes from `load_byte` + 12 * b of the row.
struct TapWindow {
  std::int64_t load_byte;
  std::int32_t first_block;  ///< index into TapBlocks::blocks
  std::int32_t block_count;  ///< >= 1
  bool ends_row;             ///< the pixels are the last 12 of the 16 bytes, not the first, to stay within the row
};

struct TapBlocks {
  std::vector<TapWindow> windows;  ///< [out]; empty when the row is too short to be loaded 16 bytes at a time
  std::vector<TapBlock> blocks;
};

TapBlocks make_tap_blocks(const PilAxis& axis);

}  // namespace rfseg::raster
