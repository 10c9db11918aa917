// Remembers the geometry of the frame sizes seen last, so that alternating sizes build their tables once. Owns nothing
// else of a frame.
#pragma once

#include "raster/frame_geometry.hpp"

#include <list>
#include <memory>

namespace rfseg::pipeline {

class GeometryCache {
 public:
  static constexpr std::size_t kCapacity = 8;  ///< frame sizes; the one used longest ago makes room

  GeometryCache(ImageSize network, ImageSize mask, Resize resize) : network_(network), mask_(mask), resize_(resize) {}

  /// The geometry of frames of `source` pixels.
  /// @throws InputError  a size that FrameGeometry refuses
  std::shared_ptr<const raster::FrameGeometry> find(ImageSize source);

 private:
  ImageSize network_, mask_;
  Resize resize_;
  std::list<std::shared_ptr<const raster::FrameGeometry>> recent_;  // most recent first
};

}  // namespace rfseg::pipeline
