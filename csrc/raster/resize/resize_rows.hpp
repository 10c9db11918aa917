// The two inner loops of Pillow's resize: rows of packed three-channel bytes, made narrower or blended into one. Each
// exists in portable C++ and for AVX2, with the same bytes as the answer; knows neither frames nor the order of passes.
#pragma once

#include "raster/resize/resample_table.hpp"
#include "raster/resize/tap_blocks.hpp"

#include <cstddef>
#include <cstdint>

namespace rfseg::raster {

/// Rows that one call of RowKernels::across takes. They share the loads of the weights; three are as many as the
/// sixteen registers of AVX2 have sums for.
constexpr int kRowsAcross = 3;

struct RowKernels {
  /// Resizes `rows` [kRowsAcross][axis.in * 3] along x into `out` [kRowsAcross][axis.out * 3]; a row may be given
  /// more than once with its own result. `blocks` belongs to `axis`.
  void (*across)(const std::uint8_t* const* rows, const PilAxis& axis, const TapBlocks& blocks,
                 std::uint8_t* const* out);

  /// Blends `rows` [count][bytes] with `weight` [count] of a PilAxis into `out` [bytes].
  void (*down)(const std::uint8_t* const* rows, const std::int32_t* weight, int count, std::size_t bytes,
               std::uint8_t* out);
};

RowKernels portable_row_kernels();

/// The fastest that this machine has.
RowKernels row_kernels();

#if defined(__x86_64__)
/// Call only where the processor has AVX2. Rows too short for a vector go to the portable kernels.
RowKernels avx2_row_kernels();
#endif

}  // namespace rfseg::raster
