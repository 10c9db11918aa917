// The row kernels in portable C++, and the choice of a kernel. Knows no instruction set beyond its name.
#include "raster/resize/resize_rows.hpp"

#include <algorithm>

namespace rfseg::raster {
namespace {

constexpr std::int32_t kHalf = 1 << (PilAxis::kWeightBits - 1);

// Rounding may double a tiny weight, so that many of them add up to as much as two: hence the upper bound. The sum
// still stays below 2^31.
std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::min(sum >> PilAxis::kWeightBits, 255)); }

void across_row(const std::uint8_t* row, const PilAxis& axis, std::uint8_t* out) {
  const std::int32_t* weight = axis.weight.data();
  for (std::size_t o = 0; o < axis.first.size(); ++o, weight += axis.taps) {
    const std::uint8_t* pixel = row + 3 * static_cast<std::size_t>(axis.first[o]);
    std::int32_t sum[3] = {kHalf, kHalf, kHalf};
    for (int k = 0; k < axis.count[o]; ++k, pixel += 3) {
      for (int c = 0; c < 3; ++c) sum[c] += weight[k] * pixel[c];
    }
    for (int c = 0; c < 3; ++c) *out++ = to_byte(sum[c]);
  }
}

void across(const std::uint8_t* const* rows, const PilAxis& axis, const TapBlocks&, std::uint8_t* const* out) {
  for (int row = 0; row < kRowsAcross; ++row) across_row(rows[row], axis, out[row]);
}

// A strip's sums stay in the first-level cache while the rows pass by.
constexpr std::size_t kStrip = 512;

void down(const std::uint8_t* const* rows, const std::int32_t* weight, int count, std::size_t bytes,
          std::uint8_t* out) {
  std::int32_t sum[kStrip];
  for (std::size_t begin = 0; begin < bytes; begin += kStrip) {
    const std::size_t length = std::min(kStrip, bytes - begin);
    std::fill(sum, sum + length, kHalf);
    for (int k = 0; k < count; ++k) {
      const std::uint8_t* row = rows[k] + begin;
      for (std::size_t i = 0; i < length; ++i) sum[i] += weight[k] * row[i];
    }
    std::transform(sum, sum + length, out + begin, to_byte);
  }
}

}  // namespace

RowKernels portable_row_kernels() { return {across, down}; }

RowKernels row_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return avx2_row_kernels();
#endif
  return portable_row_kernels();
}

}  // namespace rfseg::raster
