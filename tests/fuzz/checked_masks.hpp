// Everything that can be asked of masks that were accepted, each answer held against the others; pixels where the image
// is small enough to have them.
#pragma once

#include "input.hpp"

#include <rfseg/masks.hpp>

#include <vector>

namespace fuzz {

constexpr std::int64_t kMostPixels = 1 << 13;  // of images that are looked at pixel by pixel

inline bool same_runs(rfseg::RunsView a, rfseg::RunsView b) {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size * sizeof(rfseg::Run)) == 0);
}

/// The runs, outlines, crop lengths, overlaps and COCO strings of `masks`, in agreement with their pixels.
void check_masks(const rfseg::Masks& masks);

/// The edge outlines of instance `i` and what `tolerance_px` leaves of them.
void check_edges(const rfseg::Masks& masks, int i, double tolerance_px);

}  // namespace fuzz
