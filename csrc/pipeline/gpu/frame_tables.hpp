// The tables of a frame size as the kernels read them, in host memory. Owns their layout; computes no number: raster/
// has them.
#pragma once

#include "raster/frame_geometry.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rfseg::pipeline {

struct FrameTables {
  /// @throws InputError  a side of the source is too long for the kernels
  explicit FrameTables(raster::FrameGeometry geometry);

  raster::FrameGeometry geometry;
  std::vector<std::int32_t> words;
  // Where each table begins, in words.
  std::size_t resize_x = 0, resize_y = 0, mask_x = 0, mask_y = 0, node_row = 0;
  int taps_x = 0, taps_y = 0;  ///< of the antialiased resize

  std::size_t bytes() const { return words.size() * sizeof(std::int32_t); }
};

}  // namespace rfseg::pipeline
