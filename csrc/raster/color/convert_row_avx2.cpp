// The row converter for AVX2: sixteen pixels at a time, even and odd ones apart, so that two neighbours find their
// chroma in the same place of a vector without a shuffle. The sums are the portable ones, in 32 bits. Compiled for the
// baseline processor; only the marked functions use AVX2.
#include "raster/color/convert_row.hpp"

#if defined(__x86_64__)

#include <immintrin.h>
#include <cstddef>

#define RFSEG_AVX2 __attribute__((target("avx2")))
#define RFSEG_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace rfseg::raster {
namespace {

constexpr int kPixels = 16;  // of a block

/// Samples 0, 2, .. 14 and 1, 3, .. 15, each in 32 bits.
struct Pair {
  __m256i even, odd;
};

/// What the chroma samples add to each channel of eight pixels.
struct Terms {
  __m256i red, green, blue;
};

RFSEG_AVX2_INLINE __m128i load_16_bytes(const std::uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

/// The low or, after a shift by 16 more, the high sample of each word pair.
RFSEG_AVX2_INLINE __m256i ten_bits(__m256i words, int shift) {
  return _mm256_and_si256(_mm256_srl_epi32(words, _mm_cvtsi32_si128(shift)), _mm256_set1_epi32(1023));
}

template <bool kWide>
RFSEG_AVX2_INLINE Pair load_pair(const std::uint8_t* at, int shift) {
  if constexpr (kWide) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    return {ten_bits(words, shift), ten_bits(words, 16 + shift)};
  } else {
    const __m256i bytes = _mm256_cvtepu16_epi32(load_16_bytes(at));
    return {_mm256_and_si256(bytes, _mm256_set1_epi32(255)), _mm256_srli_epi32(bytes, 8)};
  }
}

template <bool kWide>
RFSEG_AVX2_INLINE __m256i load_eight(const std::uint8_t* at, int shift) {
  if constexpr (kWide) return ten_bits(_mm256_cvtepu16_epi32(load_16_bytes(at)), shift);
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}

RFSEG_AVX2_INLINE __m256i times(__m256i samples, std::int32_t by) {
  return _mm256_mullo_epi32(samples, _mm256_set1_epi32(by));
}

RFSEG_AVX2_INLINE Terms terms_of(__m256i cb, __m256i cr, const ColorCoefficients& by) {
  const __m256i green = _mm256_add_epi32(times(cb, by.d), times(cr, by.e));
  return {_mm256_add_epi32(times(cr, by.b), _mm256_set1_epi32(by.red)),
          _mm256_sub_epi32(_mm256_set1_epi32(by.green), green),
          _mm256_add_epi32(times(cb, by.f), _mm256_set1_epi32(by.blue))};
}

/// One channel of sixteen pixels as int16: the upper halves of the sums, where the contract's shift leaves them.
template <bool kWide>
RFSEG_AVX2_INLINE __m256i channel(const Pair& luma, __m256i even_term, __m256i odd_term) {
  __m256i even = _mm256_add_epi32(luma.even, even_term), odd = _mm256_add_epi32(luma.odd, odd_term);
  if constexpr (kWide) even = _mm256_srai_epi32(even, 2), odd = _mm256_srai_epi32(odd, 2);
  return _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xAA);
}

/// Where bytes 0 to 15, and 16 to 23, of eight packed pixels come from: first and second channel; third channel.
alignas(16) constexpr std::int8_t kFirstTwo[2][16] = {{0, 8, -1, 1, 9, -1, 2, 10, -1, 3, 11, -1, 4, 12, -1, 5},
                                                      {13, -1, 6, 14, -1, 7, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1}};
alignas(16) constexpr std::int8_t kThird[2][16] = {{-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1},
                                                   {-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1, -1, -1, -1, -1}};

RFSEG_AVX2_INLINE __m256i in_both_lanes(const std::int8_t* bytes) {
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
}

/// Saturates to 0..255 and writes 48 bytes.
RFSEG_AVX2_INLINE void store(__m256i first, __m256i second, __m256i third, std::uint8_t* out) {
  const __m256i two = _mm256_packus_epi16(first, second), one = _mm256_packus_epi16(third, third);
  for (int part = 0; part < 2; ++part) {
    const __m256i bytes = _mm256_or_si256(_mm256_shuffle_epi8(two, in_both_lanes(kFirstTwo[part])),
                                          _mm256_shuffle_epi8(one, in_both_lanes(kThird[part])));
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    auto* const at = reinterpret_cast<__m128i*>(out + 16 * part);
    auto* const eight_on = reinterpret_cast<__m128i*>(out + 16 * part + 24);
    if (part == 0) {
      _mm_storeu_si128(at, low);
      _mm_storeu_si128(eight_on, high);
    } else {
      _mm_storel_epi64(at, low);
      _mm_storel_epi64(eight_on, high);
    }
  }
}

template <bool kWide, bool kInterleaved, bool kHalved>
RFSEG_AVX2 void convert_blocks(const PlaneRows& rows, int blocks, int shift, const ColorCoefficients& by, bool bgr,
                               std::uint8_t* packed) {
  constexpr std::ptrdiff_t kBytes = kWide ? 2 * kPixels : kPixels;
  constexpr std::ptrdiff_t kChromaBytes = kHalved && !kInterleaved ? kBytes / 2 : kBytes;
  for (std::ptrdiff_t i = 0; i < blocks; ++i, packed += 3 * kPixels) {
    Pair luma = load_pair<kWide>(rows.luma + i * kBytes, shift);
    luma = {times(luma.even, by.a), times(luma.odd, by.a)};
    const std::uint8_t *const cb_at = rows.cb + i * kChromaBytes, *const cr_at = rows.cr + i * kChromaBytes;
    Terms even, odd;
    if constexpr (!kHalved) {
      const Pair cb = load_pair<kWide>(cb_at, shift), cr = load_pair<kWide>(cr_at, shift);
      even = terms_of(cb.even, cr.even, by), odd = terms_of(cb.odd, cr.odd, by);
    } else if constexpr (kInterleaved) {
      const Pair both = load_pair<kWide>(cb_at, shift);
      even = odd = terms_of(both.even, both.odd, by);
    } else {
      even = odd = terms_of(load_eight<kWide>(cb_at, shift), load_eight<kWide>(cr_at, shift), by);
    }
    const __m256i red = channel<kWide>(luma, even.red, odd.red), blue = channel<kWide>(luma, even.blue, odd.blue);
    store(bgr ? blue : red, channel<kWide>(luma, even.green, odd.green), bgr ? red : blue, packed);
  }
}

using BlockConverter = void (*)(const PlaneRows&, int, int, const ColorCoefficients&, bool, std::uint8_t*);

BlockConverter block_converter(const PlanarFormat& format) {
  if (format.chroma_shift_x == 0) return convert_blocks<false, false, false>;
  if (format.sample_bytes == 1)
    return format.interleaved ? convert_blocks<false, true, true> : convert_blocks<false, false, true>;
  return format.interleaved ? convert_blocks<true, true, true> : convert_blocks<true, false, true>;
}

}  // namespace

void convert_row_avx2(const PlaneRows& rows, int width, const PlanarFormat& format, const ColorCoefficients& by,
                      bool bgr, std::uint8_t* packed) {
  const int blocks = width / kPixels, done = blocks * kPixels;
  block_converter(format)(rows, blocks, format.sample_shift, by, bgr, packed);
  if (done == width) return;
  const std::ptrdiff_t luma = row_bytes_of(format, 0, done), chroma = row_bytes_of(format, 1, done);
  convert_row_portable({rows.luma + luma, rows.cb + chroma, rows.cr + chroma}, width - done, format, by, bgr,
                       packed + std::ptrdiff_t{3} * done);
}

}  // namespace rfseg::raster

#endif
