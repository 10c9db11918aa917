// Turns the runs of one mask into outlines: by OpenCV's findContours on the tight crop of the foreground, or along the
// edges of pixels. The only file of the library whose source includes OpenCV.
#pragma once

#include <rfseg/masks.hpp>

#include <vector>

namespace rfseg::raster {

/// Outlines of `runs`, in source pixels; empty when there is no foreground. A lone pixel is one point, or four corners.
/// `runs` are valid for `size`. Source: contract.md, section 4.
std::vector<Polygon> trace_outlines(RunsView runs, ImageSize size, OutlineMode mode);

}  // namespace rfseg::raster
