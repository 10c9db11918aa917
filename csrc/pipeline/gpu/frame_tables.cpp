#include "pipeline/gpu/frame_tables.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace rfseg::pipeline {

namespace {

using Words = std::vector<std::int32_t>;

raster::FrameGeometry checked(raster::FrameGeometry geometry) {
  const ImageSize source = geometry.source();
  if (std::max(source.height, source.width) > kernel_abi::kMaxSourceSidePx)
    throw InputError("a frame of " + std::to_string(source.height) + "x" + std::to_string(source.width) +
                     " px is too long for the GPU stages: at most " + std::to_string(kernel_abi::kMaxSourceSidePx) +
                     " px a side");
  return geometry;
}

void append(Words& table, const Words& values) { table.insert(table.end(), values.begin(), values.end()); }

void append(Words& table, const std::vector<float>& values) {
  const std::size_t end = table.size();
  table.resize(end + values.size());
  std::memcpy(table.data() + end, values.data(), values.size() * sizeof(float));
}

/// Taps that some result needs, and one for an axis that changes nothing.
int taps_of(const raster::PilAxis& axis) {
  return axis.identity() ? 1 : *std::max_element(axis.count.begin(), axis.count.end());
}

/// kernel_abi's pil_axis: every result has `taps` taps within the source, those that it does not need of weight 0.
std::size_t append(Words& table, const raster::PilAxis& axis, int taps) {
  const std::size_t start = table.size(), results = axis.first.size();
  table.resize(start + results * (1 + static_cast<std::size_t>(taps)));
  std::int32_t* const first = table.data() + start;
  std::int32_t* const weight = first + results;
  for (std::size_t i = 0; i < results; ++i) {
    first[i] = std::min(axis.first[i], axis.in - taps);
    const auto skipped = static_cast<std::size_t>(axis.first[i] - first[i]);
    const auto needed = std::min(static_cast<std::size_t>(axis.count[i]), static_cast<std::size_t>(taps) - skipped);
    for (std::size_t k = 0; k < needed; ++k)
      weight[(skipped + k) * results + i] = axis.weight[i * static_cast<std::size_t>(axis.taps) + k];
  }
  return start;
}

std::size_t append(Words& table, const raster::BilinearAxis& axis) {
  const std::size_t start = table.size();
  append(table, axis.i0);
  append(table, axis.i1);
  append(table, axis.l0);
  append(table, axis.l1);
  return start;
}

}  // namespace

FrameTables::FrameTables(raster::FrameGeometry of) : geometry(checked(std::move(of))) {
  if (geometry.resize() == Resize::pil) {
    taps_x = taps_of(geometry.pil_x());
    taps_y = taps_of(geometry.pil_y());
    resize_x = append(words, geometry.pil_x(), taps_x);
    resize_y = append(words, geometry.pil_y(), taps_y);
  } else {
    resize_x = append(words, geometry.bilinear_x());
    resize_y = append(words, geometry.bilinear_y());
  }
  mask_x = append(words, geometry.mask_x());
  mask_y = append(words, geometry.mask_y());
  node_row = words.size();
  append(words, geometry.node_rows());
}

}  // namespace rfseg::pipeline
