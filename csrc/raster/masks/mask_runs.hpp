// Turns one query's grid of mask logits into foreground runs at source resolution without ever making the dense mask.
// Owns the interpolation of contract.md 3.4 and 3.5; the answer is that formula's, pixel for pixel.
#pragma once

#include "raster/frame_geometry.hpp"

#include <rfseg/masks.hpp>

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Work space of append_mask_runs, kept between masks.
struct MaskRunScratch {
  std::vector<float> left, right;  ///< [Hm + 1] the two grid columns beside a source column, last node repeated
  std::vector<float> column;       ///< [Hm + 1] the grid interpolated to that source column
};

/// Appends the runs of `logits` [Hm, Wm] at geometry.source() resolution to `runs`: ascending, disjoint, not touching.
/// Costs a search per run end, not a visit per pixel (note at the end of mask_runs.cpp).
void append_mask_runs(const float* logits, const FrameGeometry& geometry, MaskRunScratch& scratch,
                      std::vector<Run>& runs);

}  // namespace rfseg::raster
