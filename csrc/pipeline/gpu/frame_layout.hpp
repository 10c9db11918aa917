// How a frame lies in its place on a device: packed pixels, or its planes one behind the other, rows without padding.
// Owns what the kernels are told of it. Moves nothing.
#pragma once

#include "cuda/driver.hpp"
#include "raster/color/color_coefficients.hpp"

#include <rfseg/image.hpp>

#include <array>
#include <cstddef>

namespace rfseg::kernel_abi {
struct FrameParams;
}

namespace rfseg::pipeline {

using cuda::DeviceAddress;

/// Rows of bytes: of all packed pixels, or of one plane.
struct FramePart {
  std::size_t offset = 0;     ///< from the start of the frame
  std::size_t row_bytes = 0;  ///< of each, and from one to the next
  int rows = 0;

  std::size_t end() const { return offset + static_cast<std::size_t>(rows) * row_bytes; }
};

class FrameLayout {
 public:
  FrameLayout() = default;  ///< of no frame
  /// Of a frame that is as meant; its own strides do not matter.
  explicit FrameLayout(const ImageView& frame);

  int parts() const { return parts_; }
  const FramePart& part(int index) const { return part_[static_cast<std::size_t>(index)]; }
  std::size_t bytes() const { return part(parts_ - 1).end(); }

  /// Writes the members of `params` that say where the pixels lie and what they are, for a frame at `frame`.
  void describe(DeviceAddress frame, kernel_abi::FrameParams& params) const;

 private:
  PixelFormat format_ = PixelFormat::bgr8;
  int parts_ = 1;
  std::array<FramePart, 3> part_;
  raster::ColorCoefficients color_ = {};  ///< of planes
};

}  // namespace rfseg::pipeline
