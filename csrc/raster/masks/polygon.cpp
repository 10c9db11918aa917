// Hands the tight crop of a mask to OpenCV and takes its outlines back. Owns the crop's pixels and what becomes of
// OpenCV's lists; how an outline is followed is OpenCV's business, whose order and coordinates are the contract.
#include "raster/masks/polygon.hpp"

#include "raster/masks/sparse_mask.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

/// Parts with their holes. `links` [N] next, previous, first child, parent; OpenCV lists a part's holes right after it.
std::vector<Polygon> tree(const std::vector<CvOutline>& outlines, const std::vector<cv::Vec4i>& links) {
  std::vector<Polygon> parts;
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    if (links[i][3] < 0) {
      parts.push_back({outline(outlines[i]), {}});
    } else {
      parts.back().holes.push_back(outline(outlines[i]));
    }
  }
  return parts;
}

}  // namespace

std::vector<Polygon> trace_outlines(RunsView runs, ImageSize size, OutlineMode mode) {
  if (runs.size == 0) return {};
  const PixelBounds crop = bounds(runs, size);
  const int width = crop.x1 - crop.x0, height = crop.y1 - crop.y0;
  std::vector<std::uint8_t> foreground(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  decode_crop(runs, size, crop, foreground.data(), width);

  // OpenCV copies every input into an image with a border of one pixel, so a border here would save it nothing.
  const cv::Mat pixels(height, width, CV_8UC1, foreground.data());
  const cv::Point offset(crop.x0, crop.y0);
  std::vector<CvOutline> outlines;
  if (mode == OutlineMode::tree) {
    std::vector<cv::Vec4i> links;
    cv::findContours(pixels, outlines, links, cv::RETR_CCOMP, cv::CHAIN_APPROX_SIMPLE, offset);
    return tree(outlines, links);
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
