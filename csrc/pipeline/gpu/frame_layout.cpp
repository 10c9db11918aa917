#include "pipeline/gpu/frame_layout.hpp"

#include "raster/color/planes.hpp"
#include "raster/resize/packed_rows.hpp"

#include <kernel_abi.hpp>

#include <cstdint>

namespace rfseg::pipeline {

namespace {

constexpr std::size_t kAlignment = 16;  // of a plane: words of samples, and of what packs planes, lie at their own

std::size_t aligned(std::size_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

FrameLayout::FrameLayout(const ImageView& frame) : format_(frame.format) {
  if (!raster::is_planar(format_)) {
    part_[0] = {0, raster::packed_bytes({1, frame.width}), frame.height};
    return;
  }
  const raster::PlanarFormat format = raster::planar_format(format_);
  parts_ = raster::plane_count(format);
  color_ = raster::coefficients_of(frame);
  std::size_t offset = 0;
  for (int plane = 0; plane < parts_; ++plane) {
    FramePart& part = part_[static_cast<std::size_t>(plane)];
    part = {offset, static_cast<std::size_t>(raster::row_bytes_of(format, plane, frame.width)),
            raster::rows_of(format, plane, frame.height)};
    offset = aligned(part.end());
  }
}

void FrameLayout::describe(DeviceAddress frame, kernel_abi::FrameParams& params) const {
  params.source = frame;
  params.row_bytes = static_cast<std::int64_t>(part_[0].row_bytes);
  params.pixel_bytes = 3, params.channel_bytes = 1;
  params.bgr = format_ == PixelFormat::bgr8 ? 1 : 0;
  if (!raster::is_planar(format_)) return;
  const raster::PlanarFormat format = raster::planar_format(format_);
  params.sample_bytes = format.sample_bytes, params.sample_shift = format.sample_shift;
  params.cb = frame + part_[1].offset;
  params.cr =
      format.interleaved ? params.cb + static_cast<DeviceAddress>(format.sample_bytes) : frame + part_[2].offset;
  params.chroma_row_bytes = static_cast<std::int64_t>(part_[1].row_bytes);
  params.chroma_step = format.interleaved ? 2 : 1;
  params.chroma_shift_x = format.chroma_shift_x, params.chroma_shift_y = format.chroma_shift_y;
  params.luma = color_.a;
  params.cr_red = color_.b, params.cb_blue = color_.f;
  params.cb_green = -color_.d, params.cr_green = -color_.e;
  params.red = color_.red, params.green = color_.green, params.blue = color_.blue;
  params.color_shift = color_.shift;
}

}  // namespace rfseg::pipeline
