// The row kernels for AVX2: exact because 22-bit weights are multiplied as two halves that each fit a 16-bit
// multiply-add. Compiled for the baseline processor; only the marked functions use AVX2.
#include "raster/resize/resize_rows.hpp"

#if defined(__x86_64__)

#include <immintrin.h>
#include <cstring>

#define RFSEG_AVX2 __attribute__((target("avx2")))
#define RFSEG_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace rfseg::raster {
namespace {

// Bytes to zero-extended pairs of taps (0,1) and (2,3): first and second channel in the low lane, third in the high.
// The second row is for the blocks of TapWindow::ends_row, whose pixels begin four bytes later.
alignas(32) constexpr std::int8_t kTapPairs[2][32] = {{0, -1, 3, -1, 6, -1, 9,  -1, 1,  -1, 4,  -1, 7,  -1, 10, -1,  //
                                                       2, -1, 5, -1, 8, -1, 11, -1, -1, -1, -1, -1, -1, -1, -1, -1},
                                                      {4, -1, 7, -1, 10, -1, 13, -1, 5,  -1, 8,  -1, 11, -1, 14, -1,  //
                                                       6, -1, 9, -1, 12, -1, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1}};

// Sums of the products with the low and with the high halves of the weights. Neither leaves 32 bits: Pillow's own
// 32-bit sum is an upper bound of the first, and the second is 2^15 times smaller.
struct Sums {
  __m256i low, high;
};

RFSEG_AVX2_INLINE void accumulate(Sums& sums, __m256i pairs, __m256i low, __m256i high) {
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs, low));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs, high));
}

RFSEG_AVX2_INLINE __m256i joined(const Sums& sums) {
  return _mm256_add_epi32(sums.low, _mm256_slli_epi32(sums.high, TapBlock::kLowBits));
}

RFSEG_AVX2_INLINE __m256i rounded(__m256i sum) {
  const __m256i half = _mm256_set1_epi32(1 << (PilAxis::kWeightBits - 1));
  return _mm256_srai_epi32(_mm256_add_epi32(sum, half), PilAxis::kWeightBits);
}

struct BlockWeights {
  __m256i low, high;
};

RFSEG_AVX2_INLINE BlockWeights load_weights(const TapBlock& block) {
  long long halves[2];
  std::memcpy(halves, &block, sizeof halves);
  return {_mm256_set1_epi64x(halves[0]), _mm256_set1_epi64x(halves[1])};
}

RFSEG_AVX2_INLINE __m256i load_pairs(const std::uint8_t* pixels, __m256i tap_pairs) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), tap_pairs);
}

// One output of each row. Adjacent 32-bit lanes of a sum add up to the three channels and a zero.
RFSEG_AVX2_INLINE void across_pixel(const std::uint8_t* const* rows, const TapWindow& window, const TapBlock* block,
                                    __m256i* sum) {
  const __m256i tap_pairs = _mm256_load_si256(reinterpret_cast<const __m256i*>(kTapPairs[window.ends_row]));
  std::int64_t byte = window.load_byte;
  Sums sums[kRowsAcross];
  // The first block sets the sums: adding it to zeros would cost 5 % of the whole pass.
  BlockWeights weights = load_weights(*block);
  for (int row = 0; row < kRowsAcross; ++row) {
    const __m256i pairs = load_pairs(rows[row] + byte, tap_pairs);
    sums[row] = {_mm256_madd_epi16(pairs, weights.low), _mm256_madd_epi16(pairs, weights.high)};
  }
  for (const TapBlock* const end = block + window.block_count; ++block != end;) {
    byte += TapBlock::kBytes;
    weights = load_weights(*block);
    for (int row = 0; row < kRowsAcross; ++row) {
      accumulate(sums[row], load_pairs(rows[row] + byte, tap_pairs), weights.low, weights.high);
    }
  }
  for (int row = 0; row < kRowsAcross; ++row) sum[row] = joined(sums[row]);
}

RFSEG_AVX2_INLINE void store_four_pixels(__m256i a, __m256i b, __m256i c, __m256i d, std::uint8_t* out) {
  const __m256i words = _mm256_packs_epi32(rounded(_mm256_hadd_epi32(a, b)), rounded(_mm256_hadd_epi32(c, d)));
  const __m256i bytes = _mm256_packus_epi16(words, words);
  const __m128i padded = _mm_unpacklo_epi16(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  const __m128i drop_fourth = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m128i packed = _mm_shuffle_epi8(padded, drop_fourth);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), packed);
  const int tail = _mm_extract_epi32(packed, 2);
  std::memcpy(out + 8, &tail, sizeof tail);
}

RFSEG_AVX2_INLINE void across_four_pixels(const std::uint8_t* const* rows, const TapBlocks& table, std::size_t output,
                                          std::uint8_t* const* out) {
  __m256i sum[4][kRowsAcross];
  for (std::size_t i = 0; i < 4; ++i) {
    const TapWindow& window = table.windows[output + i];
    across_pixel(rows, window, table.blocks.data() + window.first_block, sum[i]);
  }
  for (int row = 0; row < kRowsAcross; ++row) {
    store_four_pixels(sum[0][row], sum[1][row], sum[2][row], sum[3][row], out[row] + 3 * output);
  }
}

RFSEG_AVX2 void across(const std::uint8_t* const* rows, const PilAxis& axis, const TapBlocks& table,
                       std::uint8_t* const* out) {
  const std::size_t outputs = table.windows.size();
  if (outputs < 4) return portable_row_kernels().across(rows, axis, table, out);
  for (std::size_t o = 0; o + 4 < outputs; o += 4) across_four_pixels(rows, table, o, out);
  across_four_pixels(rows, table, outputs - 4, out);  // overlaps the four before it instead of leaving the row
}

// Adds two rows of 32 bytes. `weights`: the two weights as int32, repeated.
RFSEG_AVX2_INLINE void add_rows(Sums* sums, __m256i a, __m256i b, __m256i weights) {
  const __m256i low_bits = _mm256_and_si256(weights, _mm256_set1_epi32((1 << TapBlock::kLowBits) - 1));
  const __m256i high_bits = _mm256_srai_epi32(weights, TapBlock::kLowBits);
  const __m256i low = _mm256_packs_epi32(low_bits, low_bits);
  const __m256i high = _mm256_packs_epi32(high_bits, high_bits);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i first = _mm256_unpacklo_epi8(a, b);
  const __m256i second = _mm256_unpackhi_epi8(a, b);
  accumulate(sums[0], _mm256_unpacklo_epi8(first, zero), low, high);
  accumulate(sums[1], _mm256_unpackhi_epi8(first, zero), low, high);
  accumulate(sums[2], _mm256_unpacklo_epi8(second, zero), low, high);
  accumulate(sums[3], _mm256_unpackhi_epi8(second, zero), low, high);
}

RFSEG_AVX2_INLINE __m256i load(const std::uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

RFSEG_AVX2_INLINE void down_strip(const std::uint8_t* const* rows, const std::int32_t* weight, int count,
                                  std::size_t at, std::uint8_t* out) {
  Sums sums[4];
  for (Sums& s : sums) s = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  int k = 0;
  for (; k + 1 < count; k += 2) {
    long long pair;
    std::memcpy(&pair, weight + k, sizeof pair);
    add_rows(sums, load(rows[k] + at), load(rows[k + 1] + at), _mm256_set1_epi64x(pair));
  }
  if (k < count) add_rows(sums, load(rows[k] + at), _mm256_setzero_si256(), _mm256_set1_epi64x(weight[k]));
  const __m256i words01 = _mm256_packs_epi32(rounded(joined(sums[0])), rounded(joined(sums[1])));
  const __m256i words23 = _mm256_packs_epi32(rounded(joined(sums[2])), rounded(joined(sums[3])));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at), _mm256_packus_epi16(words01, words23));
}

RFSEG_AVX2 void down(const std::uint8_t* const* rows, const std::int32_t* weight, int count, std::size_t bytes,
                     std::uint8_t* out) {
  constexpr std::size_t kStrip = sizeof(__m256i);
  if (bytes < kStrip) return portable_row_kernels().down(rows, weight, count, bytes, out);
  for (std::size_t at = 0; at + kStrip < bytes; at += kStrip) down_strip(rows, weight, count, at, out);
  down_strip(rows, weight, count, bytes - kStrip, out);  // overlaps the strip before it instead of leaving the row
}

}  // namespace

RowKernels avx2_row_kernels() { return {across, down}; }

}  // namespace rfseg::raster

#endif
