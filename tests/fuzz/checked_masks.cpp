#include "checked_masks.hpp"

#include <cmath>
#include <numeric>
#include <string>

namespace fuzz {

namespace {

using namespace rfseg;

/// Twice the area that `ring` encloses; positive when it turns counterclockwise in the plane of the numbers.
std::int64_t twice_area(const Outline& ring) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point a = ring[i], b = ring[(i + 1) % ring.size()];
    sum += std::int64_t{a.x} * b.y - std::int64_t{b.x} * a.y;
  }
  return sum;
}

std::int64_t twice_area(const std::vector<Polygon>& polygons) {
  std::int64_t sum = 0;
  for (const Polygon& polygon : polygons) {
    require(twice_area(polygon.exterior) > 0, "exteriors turn counterclockwise");
    sum += twice_area(polygon.exterior);
    for (const Outline& hole : polygon.holes) {
      require(twice_area(hole) < 0, "holes turn clockwise");
      sum += twice_area(hole);
    }
  }
  return sum;
}

std::size_t rings(const std::vector<Polygon>& polygons) {
  std::size_t count = polygons.size();
  for (const Polygon& polygon : polygons) count += polygon.holes.size();
  return count;
}

void check_pixels(const Masks& masks, int i, std::vector<std::uint8_t>& pixels) {
  const ImageSize size = masks.image_size();
  std::fill(pixels.begin(), pixels.end(), std::uint8_t{7});
  masks.dense(i, pixels.data());
  std::int64_t foreground = 0;
  for (const std::uint8_t pixel : pixels) {
    require(pixel <= 1, "dense masks are 0 or 1");
    foreground += pixel;
  }
  require(foreground == masks.area(i), "the area is the number of pixels");
  require(same_runs(masks.runs(i), Masks::from_dense(size, pixels.data(), 1).runs(0)), "pixels give the same runs");
  for (const OutlineMode mode : {OutlineMode::external, OutlineMode::tree, OutlineMode::largest}) {
    const std::vector<Polygon>& polygons = masks.polygons(i, mode);
    require(polygons.empty() == (foreground == 0), "what has pixels has an outline");
    for (const Polygon& polygon : polygons) {
      for (const Point point : polygon.exterior) {
        require(point.x >= 0 && point.y >= 0 && point.x < size.width && point.y < size.height, "points are pixels");
        require(pixels[static_cast<std::size_t>(point.y * size.width + point.x)] == 1, "of the foreground");
      }
    }
  }
}

void check_bounds(const Masks& masks, int i) {
  const ImageSize size = masks.image_size();
  const PixelBounds box = masks.bounds(i);
  require(box.x0 >= 0 && box.y0 >= 0 && box.x1 <= size.width && box.y1 <= size.height, "bounds are in the image");
  require((masks.area(i) == 0) == (box.x1 == box.x0), "bounds are tight");
  const std::vector<std::int32_t> lengths = masks.crop_lengths(i);
  std::int64_t foreground = 0;
  for (std::size_t k = 1; k < lengths.size(); k += 2) foreground += lengths[k];
  require(foreground == masks.area(i), "crop lengths add up to the area");
}

void check_overlaps(const Masks& masks) {
  const std::vector<double> overlaps = masks.iou(masks);
  for (const double overlap : overlaps) require(overlap >= 0 && overlap <= 1, "overlaps are in 0..1");
  for (int i = 0; i < masks.size(); ++i)
    require(overlaps[static_cast<std::size_t>(i * (masks.size() + 1))] == (masks.area(i) > 0 ? 1.0 : 0.0),
            "a mask overlaps itself wholly");
}

}  // namespace

void check_edges(const Masks& masks, int i, double tolerance_px) {
  const std::vector<Polygon>& edges = masks.polygons(i, OutlineMode::edge);
  require(twice_area(edges) == 2 * masks.area(i), "edge outlines have the mask's area");
  const std::vector<Polygon> fewer = masks.simplified(i, tolerance_px);
  require(fewer.size() == edges.size() && rings(fewer) == rings(edges), "no part and no hole goes");
  require(twice_area(fewer) >= 0, "no ring changes sides");
  for (std::size_t p = 0; p < fewer.size(); ++p)
    require(fewer[p].exterior.size() >= 4 && fewer[p].exterior.size() <= edges[p].exterior.size(),
            "corners are left out, but four stay");
}

void check_masks(const Masks& masks) {
  const ImageSize size = masks.image_size();
  const std::int64_t pixels = std::int64_t{size.height} * size.width;
  std::vector<std::uint8_t> dense(pixels <= kMostPixels ? static_cast<std::size_t>(pixels) : 0);
  std::vector<std::string> texts;
  for (int i = 0; i < masks.size(); ++i) {
    require(masks.area(i) >= 0 && masks.area(i) <= pixels, "an area is within the image's");
    if (pixels > 0) check_bounds(masks, i);
    if (!dense.empty()) check_pixels(masks, i, dense);
    texts.push_back(masks.coco(i));
  }
  const Masks back = Masks::from_coco(size, texts);
  for (int i = 0; i < masks.size(); ++i) require(same_runs(masks.runs(i), back.runs(i)), "COCO strings lose nothing");
  if (masks.size() <= 8) check_overlaps(masks);
  const Masks::Columns columns = masks.columns();
  require(Masks::from_runs(size, columns.runs, columns.offsets, columns.mask_of_instance).size() == masks.size(),
          "columns make the same masks");
}

}  // namespace fuzz
