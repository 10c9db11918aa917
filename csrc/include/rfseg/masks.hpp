// Instance masks as foreground runs, and their outlines. No dense mask exists unless it is asked for.
#pragma once

#include <rfseg/export.hpp>
#include <rfseg/image.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rfseg {

namespace raster {
class OutlineDemand;
}

/// Centre of a pixel, or a corner of one (OutlineMode::edge).
struct Point {
  std::int32_t x;  ///< px, to the right
  std::int32_t y;  ///< px, down
};

inline bool operator==(Point a, Point b) { return a.x == b.x && a.y == b.y; }

/// A closed outline; the first point is not repeated at the end.
using Outline = std::vector<Point>;

struct Polygon {
  Outline exterior;
  std::vector<Outline> holes;  ///< filled by OutlineMode::tree and edge only
};

/// Which outlines a mask's polygons are (contract.md, section 4).
enum class OutlineMode {
  external,  ///< the outermost outlines, in OpenCV's order; islands inside holes are not among them
  tree,      ///< every part, islands too, each with its holes
  largest,   ///< at most one: the outline with the most points, the first that OpenCV reports on a tie
  edge,      ///< the boundary of the pixels' squares: every part with its holes; valid, and of the mask's own area
};

/// Foreground pixels [start, end) of one mask, counted down each column and then on to the next:
/// pixel (x, y) of an image of H rows is x * H + y. A run may go on into the next column.
struct Run {
  std::int32_t start;
  std::int32_t end;
};

inline bool operator==(Run a, Run b) { return a.start == b.start && a.end == b.end; }

/// The runs of one mask: ascending, disjoint, not touching. Valid as long as the Masks it came from, or a copy of it.
struct RunsView {
  const Run* data = nullptr;
  std::size_t size = 0;
  const Run* begin() const { return data; }
  const Run* end() const { return data + size; }
};

/// Rectangle of pixels [x0, x1) x [y0, y1); all zero for an empty mask.
struct PixelBounds {
  std::int32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

/// K instance masks of one image. Immutable; copies and selections share the runs and the outlines already traced.
/// Safe to use from several threads at once.
class RFSEG_API Masks {
 public:
  /// No masks of an image of 0 x 0 pixels.
  Masks() noexcept;

  /// Takes M distinct masks and K instances that show one of them each.
  ///
  /// `runs`: the runs of the M masks, one mask after the other. `offsets` [M + 1]: mask m has the runs
  /// [offsets[m], offsets[m + 1]). `mask_of_instance` [K]: in 0..M-1.
  /// @throws InputError  a run is reversed, empty, overlaps or touches the one before it, or leaves the image; an
  ///                     offset or an index is out of range; the image has 2^31 pixels or more
  static Masks from_runs(ImageSize size, std::vector<Run> runs, std::vector<std::int64_t> offsets,
                         std::vector<std::int32_t> mask_of_instance);

  /// Encodes `count` dense masks [count, H, W], row-major bytes, non-zero is foreground.
  /// @throws InputError  as from_runs
  static Masks from_dense(ImageSize size, const std::uint8_t* pixels, int count);

  /// Decodes COCO's compressed run lengths, one string a mask. Source: pycocotools, rleFrString.
  /// @throws InputError  a string is malformed or does not cover the image exactly
  static Masks from_coco(ImageSize size, const std::vector<std::string>& counts);

  int size() const;              ///< K
  ImageSize image_size() const;  ///< of every mask

  /// Runs of instance `i`. The following functions throw InputError when `i` is not in 0..K-1.
  RunsView runs(int i) const;
  std::int64_t area(int i) const;                 ///< foreground pixels
  PixelBounds bounds(int i) const;                ///< tight around the foreground
  std::string coco(int i) const;                  ///< COCO's compressed run lengths. Source: pycocotools, rleToString.
  void dense(int i, std::uint8_t* pixels) const;  ///< writes H * W bytes, row-major, 0 or 1

  /// Outlines of instance `i`, traced at the first call for its mask and mode and kept.
  /// The reference stays valid as long as these masks, a copy or a selection of them.
  /// Source: OpenCV findContours with CHAIN_APPROX_SIMPLE on the tight crop, offset to the image; but
  /// OutlineMode::edge: corners on the lattice 0..W x 0..H, none on a straight line between its neighbours, exteriors
  /// counterclockwise in the plane of the numbers, holes clockwise, no ring through one corner twice (parts hang
  /// together by edges); in the order of the parts' first columns.
  const std::vector<Polygon>& polygons(int i, OutlineMode mode = OutlineMode::external) const;

  /// Edge outlines of instance `i` with corners left out, each within `tolerance_px` of what replaces it; as valid as
  /// the edge outlines, with the same parts and holes. Computed at each call.
  /// @throws InputError  the tolerance is negative or not finite
  std::vector<Polygon> simplified(int i, double tolerance_px) const;

  /// Lengths of background and foreground in turn, background first, down the columns of the crop at bounds(i); the
  /// crop of an empty mask is one pixel. A trailing background of length 0 is not written.
  std::vector<std::int32_t> crop_lengths(int i) const;

  /// The instances `indices` [N], in that order, sharing this object's runs and outlines.
  Masks select(const std::vector<std::int32_t>& indices) const;

  /// Intersection over union [size(), other.size()], row-major, computed on runs; 0 where both masks are empty.
  /// @throws InputError  the image sizes differ
  std::vector<double> iou(const Masks& other) const;

  /// The columns of this object, for serialisation: what from_runs takes, reduced to the masks in use.
  struct Columns {
    std::vector<Run> runs;
    std::vector<std::int64_t> offsets;
    std::vector<std::int32_t> mask_of_instance;
  };
  Columns columns() const;

 private:
  friend class raster::OutlineDemand;
  struct Storage;
  std::shared_ptr<const Storage> storage_;
  std::vector<std::int32_t> mask_of_instance_;
  std::size_t mask_index(int i) const;
  void tell(std::shared_ptr<raster::OutlineDemand> demand) const;  ///< before anybody else has this object
};

}  // namespace rfseg
