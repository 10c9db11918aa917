// Outlines along the edges of pixels, from runs and without a bitmap. Owns the pairing of edges into rings; knows
// nothing of files and maps, which use them because they are valid and their areas exact.
#pragma once

#include <rfseg/masks.hpp>

#include <vector>

namespace rfseg::raster {

/// The boundary of the union of the foreground's pixel squares. Corners lie on the lattice 0..W x 0..H, none on a
/// straight line between its neighbours. Exteriors turn counterclockwise in the plane of the numbers, holes clockwise;
/// no ring visits a corner twice. One polygon for each part whose pixels hang together by edges, in the order of their
/// topmost pixel in their first column; each ring begins at its topmost corner on its first column, and holes follow
/// that order too. `runs` are valid for `size`. Cost: proportional to runs and columns. Source: contract.md, section 4.
std::vector<Polygon> edge_outlines(RunsView runs, ImageSize size);

}  // namespace rfseg::raster
