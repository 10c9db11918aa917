#include "pipeline/geometry_cache.hpp"

#include <algorithm>

namespace rfseg::pipeline {

std::shared_ptr<const raster::FrameGeometry> GeometryCache::find(ImageSize source) {
  const auto known =
      std::find_if(recent_.begin(), recent_.end(), [&](const auto& geometry) { return geometry->source() == source; });
  if (known != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, known);
  } else {
    recent_.push_front(std::make_shared<const raster::FrameGeometry>(source, network_, mask_, resize_));
    if (recent_.size() > kCapacity) recent_.pop_back();
  }
  return recent_.front();
}

}  // namespace rfseg::pipeline
