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
  std::vector<std::uint8_t> packed_row;   ///< the source rows in use, packed, when the view is not; RGB of planes
  std::vector<std::uint8_t> resized;      ///< [Hn, Wn, 3], channels as packed_format says
  std::vector<const std::uint8_t*> rows;  ///< under one output row; meaningless between calls
};

/// Pillow's BILINEAR resize of `frame` to geometry.network().
/// Writes uint8 [Hn, Wn, 3] to scratch.resized. `frame` has geometry.source() pixels.
/// Source: Pillow 13, Resample.c, ImagingResample.
void resize_pil(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch);

/// Writes the network's input for `frame`: float32 [3, Hn, Wn], RGB, resized as geometry.resize() says, normalised as
/// `by` says. `frame` has geometry.source() pixels.
void preprocess(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch, float* network_chw,
                const Normalisation& by = {});

/// [3 * 256] (byte / 255 - mean) / deviation of red, then green, then blue, for all bytes, with IEEE divisions in
/// float32.
std::vector<float> normalised_bytes(const Normalisation& by);

}  // namespace rfseg::raster
