// Any floats as a network's answers: every mask is, pixel for pixel, what contract.md 3.4 and 3.5 say of some query
// whose score it has.
#include "checked_masks.hpp"

#include "raster/resize/resample_table.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <array>
#include <cmath>
#include <limits>

using namespace rfseg;

namespace {

using Limits = std::numeric_limits<float>;

/// `kind` 0: small numbers on a grid, so that there are ties; 1: edges of float32; 2: anything.
float any_number(fuzz::Input& in, int kind) {
  static constexpr std::array<float, 14> kEdges = {0.F,
                                                   -0.F,
                                                   1.F,
                                                   -1.F,
                                                   1e30F,
                                                   -1e30F,
                                                   1e-30F,
                                                   Limits::infinity(),
                                                   -Limits::infinity(),
                                                   Limits::quiet_NaN(),
                                                   Limits::max(),
                                                   Limits::lowest(),
                                                   Limits::min(),
                                                   Limits::denorm_min()};
  const std::uint8_t byte = in.byte();
  if (kind == 1 || (kind == 2 && byte < 96)) return kEdges[byte % kEdges.size()];
  if (kind == 0 || byte < 160) return static_cast<float>(static_cast<std::int8_t>(byte)) / 16.F;
  return in.take<float>();
}

std::vector<float> numbers(fuzz::Input& in, int kind, int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = any_number(in, kind);
  return values;
}

/// `grid` [Hm, Wm] at the pixels of `image`, above 0.
std::vector<std::uint8_t> mask_of(const float* grid, ImageSize mask, ImageSize image) {
  const raster::BilinearAxis x_axis = raster::make_bilinear_axis(mask.width, image.width);
  const raster::BilinearAxis y_axis = raster::make_bilinear_axis(mask.height, image.height);
  std::vector<std::uint8_t> pixels;
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(image.width); ++x) {
      const auto in_row = [&](int row) {
        const float* values = grid + row * mask.width;
        return x_axis.l0[x] * values[x_axis.i0[x]] + x_axis.l1[x] * values[x_axis.i1[x]];
      };
      const float value = y_axis.l0[y] * in_row(y_axis.i0[y]) + y_axis.l1[y] * in_row(y_axis.i1[y]);
      pixels.push_back(value > 0);
    }
  }
  return pixels;
}

void check_instance(const Result& result, int i, const ops::RawOutputs& raw, float threshold) {
  const auto n = static_cast<std::size_t>(i);
  const ImageSize image = result.image_size;
  fuzz::require(result.confidence[n] > threshold && result.confidence[n] <= 1.F, "scores are above the threshold");
  fuzz::require(i == 0 || result.confidence[n] <= result.confidence[n - 1], "the best comes first");
  const Box box = result.xyxy[n];
  fuzz::require(box.x0 >= 0 && box.y0 >= 0 && box.x1 <= static_cast<float>(image.width) &&
                    box.y1 <= static_cast<float>(image.height),
                "boxes are in the image");
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width));
  result.masks.dense(i, pixels.data());
  bool found = false;
  for (int query = 0; query < raw.queries && !found; ++query) {  // equal scores: any of theirs
    const float logit = raw.labels[query * raw.columns + result.class_id[n]];
    const auto score = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(logit))));
    if (score != result.confidence[n]) continue;
    found = pixels == mask_of(raw.masks + query * raw.mask_size.height * raw.mask_size.width, raw.mask_size, image);
  }
  fuzz::require(found, "a mask is the formula's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const int kind = in.byte() % 3;
  const int queries = 1 + in.byte() % 6, columns = 1 + in.byte() % 6;
  const ImageSize mask{1 + in.byte() % 12, 1 + in.byte() % 12};
  ImageSize image{1 + in.byte() % 30, 1 + in.byte() % 30};
  const std::uint8_t odd = in.byte();
  if (odd % 16 == 0) image = {in.number(-1, 500), in.number(-1, 8)};
  const float threshold = odd / 16 % 4 > 0 ? static_cast<float>(in.byte()) / 255.F : in.take<float>();
  const int most = odd % 16 == 1 ? in.take<std::int32_t>() : 1 + in.byte() % 40;
  std::optional<int> classes;
  if (odd % 4 == 2) classes = in.number(-1, 9);
  const std::vector<float> dets = numbers(in, kind, queries * 4), labels = numbers(in, kind, queries * columns);
  const std::vector<float> masks = numbers(in, kind, queries * mask.height * mask.width);
  const ops::RawOutputs raw{dets.data(), labels.data(), masks.data(), queries, columns, mask};
  Result result;
  try {
    result = ops::postprocess(raw, image, threshold, most, classes);
  } catch (const InputError&) {
    return 0;
  }
  fuzz::require(result.size() <= queries && result.size() <= most, "no more than asked for");
  for (int i = 0; i < result.size(); ++i) check_instance(result, i, raw, threshold);
  fuzz::check_masks(result.masks);
  return 0;
}
