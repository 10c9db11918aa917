// The one value that relates source, network and mask coordinates of a frame size. Nobody else multiplies by a scale.
// Building it is the only costly step of a new frame size; it is immutable afterwards.
#pragma once

#include "raster/resize/resample_table.hpp"
#include "raster/resize/tap_blocks.hpp"

#include <rfseg/image.hpp>
#include <rfseg/result.hpp>

namespace rfseg::raster {

class FrameGeometry {
 public:
  /// @throws InputError  a size is not positive, or the source has 2^31 pixels or more
  FrameGeometry(ImageSize source, ImageSize network, ImageSize mask, Resize resize);

  ImageSize source() const { return source_; }
  ImageSize network() const { return network_; }
  ImageSize mask() const { return mask_; }
  Resize resize() const { return resize_; }

  /// Pillow's rule since 13.0: which pass of the antialiased resize runs first (contract.md, 2.2).
  bool vertical_pass_first() const;

  /// Axes from source to network; filled for the resize in use, empty for the other.
  const PilAxis& pil_x() const { return pil_x_; }
  const PilAxis& pil_y() const { return pil_y_; }
  const TapBlocks& pil_x_blocks() const { return pil_x_blocks_; }
  const BilinearAxis& bilinear_x() const { return bilinear_x_; }
  const BilinearAxis& bilinear_y() const { return bilinear_y_; }

  /// Axes from mask grid to source.
  const BilinearAxis& mask_x() const { return mask_x_; }
  const BilinearAxis& mask_y() const { return mask_y_; }

  /// Corners in source pixels of a normalised box cx cy w h, clamped (contract.md, 3.3). A NaN becomes 0.
  Box source_box(const float* cxcywh) const;

 private:
  ImageSize source_, network_, mask_;
  Resize resize_;
  PilAxis pil_x_, pil_y_;
  TapBlocks pil_x_blocks_;
  BilinearAxis bilinear_x_, bilinear_y_;
  BilinearAxis mask_x_, mask_y_;
};

}  // namespace rfseg::raster
