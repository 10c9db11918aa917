// Where the taps of a one-dimensional resize lie and what they weigh. Owns the two formulas of contract.md (Pillow's
// antialiased triangle, and half-pixel bilinear); knows nothing of images.
#pragma once

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Fixed-point taps of Pillow's BILINEAR along one axis. Source: Pillow, Resample.c, precompute_coeffs.
struct PilAxis {
  static constexpr int kWeightBits = 22;

  int in = 0;                        ///< source length, px
  int out = 0;                       ///< result length, px
  int taps = 0;                      ///< stride of `weight`: the most taps any output has, ceil(max(1, in/out)) * 2 + 1
  std::vector<std::int32_t> first;   ///< [out] index of the first tap
  std::vector<std::int32_t> count;   ///< [out] number of taps, 1..taps
  std::vector<std::int32_t> weight;  ///< [out, taps] weight * 2^22, rounded; zero beyond `count`

  bool identity() const { return in == out; }  ///< a pass of this axis is skipped
};

/// `in`, `out` > 0.
PilAxis make_pil_axis(int in, int out);

/// Two taps per output, float32, without antialiasing: l0 * v[i0] + l1 * v[i1]. Source: contract.md, 3.4.
struct BilinearAxis {
  int in = 0;
  int out = 0;
  std::vector<std::int32_t> i0;  ///< [out] ascending
  std::vector<std::int32_t> i1;  ///< [out] min(i0 + 1, in - 1)
  std::vector<float> l0;         ///< [out] 1 - l1
  std::vector<float> l1;         ///< [out]
};

/// `in`, `out` > 0.
BilinearAxis make_bilinear_axis(int in, int out);

}  // namespace rfseg::raster
