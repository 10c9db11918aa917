// Checks the sizes once, so that nobody below has to, and builds the axes that the resize in use needs.
#include "raster/frame_geometry.hpp"

#include <rfseg/error.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace rfseg::raster {
namespace {

std::vector<std::int32_t> first_rows(const BilinearAxis& axis) {
  std::vector<std::int32_t> rows;
  std::int32_t row = 0;
  for (int node = 0; node <= axis.in; ++node) {
    while (row < axis.out && axis.i0[static_cast<std::size_t>(row)] < node) ++row;
    rows.push_back(row);
  }
  return rows;
}

// Written so that a NaN becomes 0.
float clamped(float value, float limit) { return value > 0.0F ? (value < limit ? value : limit) : 0.0F; }

}  // namespace

void require_pixels(ImageSize size, const char* what) {
  const std::string is = std::string(what) + " is " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                         " (height x width): ";
  if (size.height <= 0 || size.width <= 0) throw InputError(is + "both must be at least 1");
  if (size.height > std::numeric_limits<std::int32_t>::max() / size.width)
    throw InputError(is + "it must have fewer than 2^31 pixels; scale or tile it first");
}

FrameGeometry::FrameGeometry(ImageSize source, ImageSize network, ImageSize mask, Resize resize)
    : source_(source), network_(network), mask_(mask), resize_(resize) {
  require_pixels(source, "the frame");
  require_pixels(network, "the network's input");
  require_pixels(mask, "the mask grid");
  if (resize == Resize::pil) {
    pil_x_ = make_pil_axis(source.width, network.width);
    pil_y_ = make_pil_axis(source.height, network.height);
    pil_x_blocks_ = make_tap_blocks(pil_x_);
  } else {
    bilinear_x_ = make_bilinear_axis(source.width, network.width);
    bilinear_y_ = make_bilinear_axis(source.height, network.height);
  }
  mask_x_ = make_bilinear_axis(mask.width, source.width);
  mask_y_ = make_bilinear_axis(mask.height, source.height);
  node_rows_ = first_rows(mask_y_);
}

ResizePasses FrameGeometry::passes() const {
  const std::int64_t fewer_rows = std::int64_t{source_.height} - network_.height;
  const std::int64_t fewer_columns = std::int64_t{source_.width} - network_.width;
  if (fewer_rows == 0 || fewer_columns == 0) return {1, false, fewer_rows != 0, {}};
  const bool down_first = fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
  return {2, down_first, !down_first,
          down_first ? ImageSize{network_.height, source_.width} : ImageSize{source_.height, network_.width}};
}

Box FrameGeometry::source_box(const float* cxcywh) const {
  const auto width_px = static_cast<float>(source_.width);
  const auto height_px = static_cast<float>(source_.height);
  const float half_width = (cxcywh[2] < 0.0F ? 0.0F : cxcywh[2]) * 0.5F;
  const float half_height = (cxcywh[3] < 0.0F ? 0.0F : cxcywh[3]) * 0.5F;
  return {clamped((cxcywh[0] - half_width) * width_px, width_px),
          clamped((cxcywh[1] - half_height) * height_px, height_px),
          clamped((cxcywh[0] + half_width) * width_px, width_px),
          clamped((cxcywh[1] + half_height) * height_px, height_px)};
}

}  // namespace rfseg::raster
