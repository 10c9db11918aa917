#include "raster/masks/outline_demand.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace rfseg::raster {

namespace {

/// Indices of the masks: work shared out so ends with small pieces, and nobody waits for a large one begun last.
std::vector<int> largest_first(const Masks& masks) {
  const auto extent = [&masks](int i) {
    const PixelBounds box = masks.bounds(i);
    return std::int64_t{box.x1 - box.x0} * (box.y1 - box.y0);
  };
  std::vector<std::int64_t> extents;
  for (int i = 0; i < masks.size(); ++i) extents.push_back(extent(i));
  std::vector<int> order(extents.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int a, int b) { return extents[static_cast<std::size_t>(a)] > extents[static_cast<std::size_t>(b)]; });
  return order;
}

}  // namespace

bool OutlineDemand::trace_ahead(const Masks& masks, const Spread& spread) {
  std::vector<int> order;
  for (int number = 0; number < kModes; ++number) {
    const auto mode = static_cast<OutlineMode>(number);
    if (!wanted(mode) || masks.size() == 0) continue;
    if (order.empty()) order = largest_first(masks);
    spread(masks.size(), [&](int i) { masks.polygons(order[static_cast<std::size_t>(i)], mode); });
  }
  masks.tell(shared_from_this());
  return !order.empty();
}

/// One more frame is worth tracing ahead.
bool OutlineDemand::wanted(OutlineMode mode) {
  if (mode == always_) return true;
  std::atomic<int>& left = left_[index(mode)];
  int frames = left.load(std::memory_order_relaxed);
  while (frames > 0) {
    if (left.compare_exchange_weak(frames, frames - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace rfseg::raster
