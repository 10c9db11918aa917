// What can be asked of one mask given as runs: is it valid, how large is it, where is it, how does it overlap another,
// and how do COCO and a dense array write it. Pure functions; who owns the runs is no concern of theirs.
#pragma once

#include <rfseg/masks.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rfseg::raster {

/// height * width.
/// @throws InputError  a size is negative, or the image has 2^31 pixels or more
std::int64_t validated_pixels(ImageSize size);

/// @throws InputError  a run is empty or reversed, overlaps or touches the one before, or leaves the image; or the
///                     image has 2^31 pixels or more. Names the run.
void validate_runs(RunsView runs, ImageSize size);

std::int64_t area(RunsView runs);                        ///< foreground pixels
PixelBounds bounds(RunsView runs, ImageSize size);       ///< all zero when there is no foreground
std::int64_t intersection_area(RunsView a, RunsView b);  ///< pixels in both; one walk over the runs

/// Sets the foreground to 1 in zeroed row-major pixels of `crop` alone, which encloses all of it: `pixels` is the
/// crop's top left, `row_bytes` apart from row to row.
void decode_crop(RunsView runs, ImageSize size, PixelBounds crop, std::uint8_t* pixels, std::ptrdiff_t row_bytes);

/// Writes size.height * size.width bytes, row-major, 0 or 1.
void decode_dense(RunsView runs, ImageSize size, std::uint8_t* pixels);

/// See Masks::crop_lengths.
std::vector<std::int32_t> crop_lengths(RunsView runs, ImageSize size);

/// Appends the runs of a dense row-major mask; non-zero is foreground.
void append_dense_runs(const std::uint8_t* pixels, ImageSize size, std::vector<Run>& runs);

/// COCO's compressed run lengths. Source: pycocotools, rleToString and rleFrString.
std::string encode_coco(RunsView runs, ImageSize size);

/// Appends the runs that `counts` says.
/// @throws InputError  malformed, or the lengths do not add up to the image
void append_coco_runs(std::string_view counts, ImageSize size, std::vector<Run>& runs);

}  // namespace rfseg::raster
