// Checks the sizes once, so that nobody below has to, and builds the axes that the resize in use needs.
#include "raster/frame_geometry.hpp"

#include <rfseg/error.hpp>

#include <cstdint>
#include <string>

namespace rfseg::raster {
namespace {

void require_positive(ImageSize size, const char* what) {
  if (size.height > 0 && size.width > 0) return;
  throw InputError(std::string(what) + " is " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                   " (height x width): both must be at least 1");
}

void require_addressable(ImageSize size) {
  if (static_cast<std::int64_t>(size.height) * size.width < (std::int64_t{1} << 31)) return;
  throw InputError("the frame is " + std::to_string(size.height) + " x " + std::to_string(size.width) +
                   " (height x width): it must have fewer than 2^31 pixels; scale or tile it first");
}

// Written so that a NaN becomes 0.
float clamped(float value, float limit) { return value > 0.0F ? (value < limit ? value : limit) : 0.0F; }

}  // namespace

FrameGeometry::FrameGeometry(ImageSize source, ImageSize network, ImageSize mask, Resize resize)
    : source_(source), network_(network), mask_(mask), resize_(resize) {
  require_positive(source, "the frame");
  require_positive(network, "the network's input");
  require_positive(mask, "the mask grid");
  require_addressable(source);
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
}

bool FrameGeometry::vertical_pass_first() const {
  const std::int64_t fewer_rows = std::int64_t{source_.height} - network_.height;
  const std::int64_t fewer_columns = std::int64_t{source_.width} - network_.width;
  return fewer_columns != 0 && fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
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
