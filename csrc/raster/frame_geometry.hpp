// The one value that relates source, network and mask coordinates of a frame size. Nobody else multiplies by a scale.
// Building it is the only costly step of a new frame size; it is immutable afterwards.
#pragma once

#include "raster/resize/resample_table.hpp"
#include "raster/resize/tap_blocks.hpp"

#include <rfseg/image.hpp>
#include <rfseg/result.hpp>

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// @throws InputError  `what` has no pixels, or 2^31 or more, which no index of this library reaches
void require_pixels(ImageSize size, const char* what);

/// The passes of the antialiased resize, in the order in which they run (contract.md, 2.2).
struct ResizePasses {
  int count = 1;            ///< 2, or 1: along the axis that changes, or, where neither does, one that changes nothing
  bool first_down = false;  ///< of two: the first goes down the columns
  bool last_down = false;   ///< the last goes down the columns
  ImageSize between;        ///< of two: result of the first
};

class FrameGeometry {
 public:
  /// @throws InputError  a size is not positive, or the source has 2^31 pixels or more
  FrameGeometry(ImageSize source, ImageSize network, ImageSize mask, Resize resize);

  ImageSize source() const { return source_; }
  ImageSize network() const { return network_; }
  ImageSize mask() const { return mask_; }
  Resize resize() const { return resize_; }

  ResizePasses passes() const;

  /// Axes from source to network; filled for the resize in use, empty for the other.
  const PilAxis& pil_x() const { return pil_x_; }
  const PilAxis& pil_y() const { return pil_y_; }
  const TapBlocks& pil_x_blocks() const { return pil_x_blocks_; }
  const BilinearAxis& bilinear_x() const { return bilinear_x_; }
  const BilinearAxis& bilinear_y() const { return bilinear_y_; }

  /// Axes from mask grid to source.
  const BilinearAxis& mask_x() const { return mask_x_; }
  const BilinearAxis& mask_y() const { return mask_y_; }
  /// [Hm + 1] the first source row whose upper tap is at least that row of the grid; Hs when there is none.
  const std::vector<std::int32_t>& node_rows() const { return node_rows_; }

  /// Corners in source pixels of a normalised box cx cy w h, clamped (contract.md, 3.3). A NaN becomes 0.
  Box source_box(const float* cxcywh) const;

 private:
  ImageSize source_, network_, mask_;
  Resize resize_;
  PilAxis pil_x_, pil_y_;
  TapBlocks pil_x_blocks_;
  BilinearAxis bilinear_x_, bilinear_y_;
  BilinearAxis mask_x_, mask_y_;
  std::vector<std::int32_t> node_rows_;
};

}  // namespace rfseg::raster
