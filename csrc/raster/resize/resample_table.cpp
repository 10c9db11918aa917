// The formulas behind the taps, in the floating point type and order of operations that the answers depend on. Knows
// no kernel and no image.
#include "raster/resize/resample_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace rfseg::raster {
namespace {

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

std::int32_t fixed_point(double weight) {
  return static_cast<std::int32_t>(0.5 + weight * (1 << PilAxis::kWeightBits));
}

}  // namespace

PilAxis make_pil_axis(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(1.0, scale);
  // Pillow multiplies by the reciprocal; dividing by `support` may differ in the last bit.
  const double inverse_support = 1.0 / support;

  PilAxis axis;
  axis.in = in;
  axis.out = out;
  axis.taps = static_cast<int>(std::min<double>(std::ceil(support) * 2 + 1, std::numeric_limits<int>::max()));
  const auto outputs = static_cast<std::size_t>(out);
  const auto taps = static_cast<std::size_t>(axis.taps);
  axis.first.resize(outputs);
  axis.count.resize(outputs);
  axis.weight.assign(outputs * taps, 0);
  std::vector<double> exact(taps);
  for (std::size_t o = 0; o < outputs; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * scale;
    const int first = static_cast<int>(std::max(0.0, centre - support + 0.5));
    const int count = static_cast<int>(std::min<double>(in, centre + support + 0.5)) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      const double weight = triangle((k + first - centre + 0.5) * inverse_support);
      exact[static_cast<std::size_t>(k)] = weight;
      sum += weight;
    }
    for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
      axis.weight[o * taps + k] = fixed_point(exact[k] / sum);
    }
    axis.first[o] = first;
    axis.count[o] = count;
  }
  return axis;
}

BilinearAxis make_bilinear_axis(int in, int out) {
  BilinearAxis axis;
  axis.in = in;
  axis.out = out;
  const auto outputs = static_cast<std::size_t>(out);
  axis.i0.resize(outputs);
  axis.i1.resize(outputs);
  axis.l0.resize(outputs);
  axis.l1.resize(outputs);
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (std::size_t o = 0; o < outputs; ++o) {
    const float position = std::max(0.0F, (static_cast<float>(o) + 0.5F) * scale - 0.5F);
    // float32 rounds up to `in` itself on axes beyond 2^22 px, and that to 2^31 near the longest: cut before
    // converting.
    const std::int32_t i0 =
        position < static_cast<float>(in) ? std::min(static_cast<std::int32_t>(position), in - 1) : in - 1;
    axis.i0[o] = i0;
    axis.i1[o] = std::min(i0 + 1, in - 1);
    axis.l1[o] = position - static_cast<float>(i0);
    axis.l0[o] = 1.0F - axis.l1[o];
  }
  return axis;
}

}  // namespace rfseg::raster
