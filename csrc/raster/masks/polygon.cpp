// Hands the tight crop of a mask to OpenCV and takes its outlines back. Owns the crop's pixels and what becomes of
// OpenCV's lists; how an outline is followed is OpenCV's business, whose order and coordinates are the contract.
#include "raster/masks/polygon.hpp"

#include "raster/masks/column_pieces.hpp"
#include "raster/masks/edge_outlines.hpp"
#include "raster/masks/sparse_mask.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace rfseg::raster {
namespace {

using CvOutline = std::vector<cv::Point>;

static_assert(sizeof(Point) == sizeof(cv::Point) && std::is_trivially_copyable_v<Point> &&
                  offsetof(Point, x) == offsetof(cv::Point, x) && offsetof(Point, y) == offsetof(cv::Point, y) &&
                  std::is_same_v<decltype(Point::x), decltype(cv::Point::x)>,
              "outlines are copied as bytes");

Outline outline(const CvOutline& from) {
  Outline to(from.size());
  std::memcpy(to.data(), from.data(), from.size() * sizeof(Point));
  return to;
}

/// Tells which part a foreground pixel belongs to, where pixels that share a corner hang together, as OpenCV has it.
class Parts {
 public:
  Parts(RunsView runs, ImageSize size, PixelBounds crop) : x0_(crop.x0), begins_{0} {
    for_each_piece(runs, size.height, [&](std::int32_t x, std::int32_t y0, std::int32_t y1) {
      begins_.resize(static_cast<std::size_t>(x - x0_) + 1, pieces_.size());
      pieces_.push_back({y0, y1, 0});
    });
    begins_.push_back(pieces_.size());
    Column left{pieces_.data(), pieces_.data()};
    for (std::size_t column = 0; column + 1 < begins_.size(); ++column) {
      const Column right{pieces_.data() + begins_[column], pieces_.data() + begins_[column + 1]};
      label_column(left, right, Connectivity::corners, labels_);
      left = right;
    }
  }

  std::size_t labels() const { return labels_.size(); }

  std::uint32_t at(cv::Point pixel) {
    const auto column = static_cast<std::size_t>(pixel.x - x0_);
    const Piece *const first = pieces_.data() + begins_[column], *const end = pieces_.data() + begins_[column + 1];
    const Piece* const below =
        std::upper_bound(first, end, pixel.y, [](std::int32_t y, const Piece& piece) { return y < piece.y0; });
    return labels_.find(std::prev(below)->label);
  }

 private:
  std::int32_t x0_;
  std::vector<Piece> pieces_;
  std::vector<std::size_t> begins_;  // [columns + 1] of the crop
  Labels labels_;
};

/// Parts with their holes, in the order of RETR_CCOMP, which keeps the order of RETR_LIST among parts and among the
/// holes of a part. RETR_LIST reports what a scan finds from the last to the first, so a part's exterior comes last of
/// its outlines. OpenCV itself finds the part of a hole by following every outline around it that shares one of 126
/// marks: the square of their number (817,000 holes: 77 s), which this is here to avoid.
std::vector<Polygon> tree(const std::vector<CvOutline>& outlines, Parts parts) {
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> polygon_of_label(parts.labels(), kNone);
  std::vector<Polygon> polygons;
  for (auto found = outlines.rbegin(); found != outlines.rend(); ++found) {
    std::size_t& polygon = polygon_of_label[parts.at(found->front())];
    if (polygon == kNone) {
      polygon = polygons.size();
      polygons.push_back({outline(*found), {}});
    } else {
      polygons[polygon].holes.push_back(outline(*found));
    }
  }
  std::reverse(polygons.begin(), polygons.end());
  for (Polygon& polygon : polygons) std::reverse(polygon.holes.begin(), polygon.holes.end());
  return polygons;
}

}  // namespace

std::vector<Polygon> trace_outlines(RunsView runs, ImageSize size, OutlineMode mode) {
  if (runs.size == 0) return {};
  if (mode == OutlineMode::edge) return edge_outlines(runs, size);
  const PixelBounds crop = bounds(runs, size);
  const int width = crop.x1 - crop.x0, height = crop.y1 - crop.y0;
  std::vector<std::uint8_t> foreground(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  decode_crop(runs, size, crop, foreground.data(), width);

  // OpenCV copies every input into an image with a border of one pixel, so a border here would save it nothing.
  const cv::Mat pixels(height, width, CV_8UC1, foreground.data());
  const cv::Point offset(crop.x0, crop.y0);
  std::vector<CvOutline> outlines;
  if (mode == OutlineMode::tree) {
    cv::findContours(pixels, outlines, cv::RETR_LIST, cv::CHAIN_APPROX_SIMPLE, offset);
    return tree(outlines, Parts(runs, size, crop));
  }
  cv::findContours(pixels, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE, offset);
  if (mode == OutlineMode::largest) {
    const auto fewer = [](const CvOutline& a, const CvOutline& b) { return a.size() < b.size(); };
    return {{outline(*std::max_element(outlines.begin(), outlines.end(), fewer)), {}}};
  }
  std::vector<Polygon> parts;
  parts.reserve(outlines.size());
  for (const CvOutline& one : outlines) parts.push_back({outline(one), {}});
  return parts;
}

}  // namespace rfseg::raster
