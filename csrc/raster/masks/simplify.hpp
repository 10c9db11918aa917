// Leaves corners out of a mask's outlines as long as what remains is still a valid polygon. Owns that judgement; where
// the outlines came from is no concern of its.
#pragma once

#include <rfseg/masks.hpp>

#include <vector>

namespace rfseg::raster {

/// Takes corners out of valid `polygons`, those that matter least first, until none can go. A corner goes only if every
/// corner that its ring began with stays within `tolerance_px` of the new edge, if no corner of any ring lies in the
/// triangle that is cut off, and if four remain. So rings never cross, change sides or vanish: what was valid stays
/// valid. Source: Visvalingam and Whyatt 1993 for the order, by distance; de Berg, van Kreveld and Schirra 1998 for the
/// triangle.
void simplify(std::vector<Polygon>& polygons, double tolerance_px);

}  // namespace rfseg::raster
