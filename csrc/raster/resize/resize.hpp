// Turns a frame into the network's input: stretches it and normalises it, exactly as contract.md section 2 says, with
// the same bytes on every machine. Knows no model beyond the input's size.
#pragma once

#include "raster/frame_geometry.hpp"

#include <rfseg/image.hpp>

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Work space of a resize, kept between frames so that a frame allocates nothing.
struct ResizeScratch {
  std::vector<std::uint8_t> first_pass;   ///< result of the first pass, packed
  std::vector<std::uint8_t> packed_row;   ///< the source rows in use, packed, when the view is not
  std::vector<std::uint8_t> resized;      ///< [Hn, Wn, 3] in the frame's own channel order
  std::vector<const std::uint8_t*> rows;  ///< under one output row; meaningless between calls
};

/// Pillow's BILINEAR resize of `frame` to geometry.network(), channels in the frame's own order.
/// Writes uint8 [Hn, Wn, 3] to scratch.resized. `frame` has geometry.source() pixels.
/// Source: Pillow 13, Resample.c, ImagingResample.
void resize_pil(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch);

/// Writes the network's input for `frame`: float32 [3, Hn, Wn], RGB, resized as geometry.resize() says.
/// `frame` has geometry.source() pixels.
void preprocess(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch, float* network_chw);

/// (byte / 255 - mean) / std of one channel (0 red, 1 green, 2 blue) for all 256 bytes, with IEEE divisions in float32.
const float* normalised_bytes(int channel);

}  // namespace rfseg::raster
