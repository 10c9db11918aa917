// Corners of all rings in one list, linked to their neighbours, and in a grid that says which of them are near.
#include "raster/masks/simplify.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>

namespace rfseg::raster {
namespace {

using Index = std::uint32_t;

constexpr std::int32_t kCellPx = 16;
constexpr Index kFewestCorners = 4;

struct Corner {
  Point at;
  Index before, after;  // in its ring
  Index ring;
  Index version = 0;  // rises when a neighbour goes: older entries of the queue no longer count
  bool alive = true;
  bool shared = false;  // another ring passes through the same point
};

/// Twice the area of the triangle, positive when it turns counterclockwise in the plane of the numbers.
std::int64_t turn(Point a, Point b, Point c) {
  return (std::int64_t{b.x} - a.x) * (std::int64_t{c.y} - a.y) - (std::int64_t{b.y} - a.y) * (std::int64_t{c.x} - a.x);
}

/// Inside or on the border of the triangle. On a triangle without area: on its line, which is refused like the inside.
bool in_triangle(Point p, Point a, Point b, Point c) {
  const std::int64_t ab = turn(a, b, p), bc = turn(b, c, p), ca = turn(c, a, p);
  return (ab >= 0 && bc >= 0 && ca >= 0) || (ab <= 0 && bc <= 0 && ca <= 0);
}

double squared_distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
  const double length = dx * dx + dy * dy;
  const double along = length > 0 ? std::clamp((px * dx + py * dy) / length, 0.0, 1.0) : 0.0;
  return (px - along * dx) * (px - along * dx) + (py - along * dy) * (py - along * dy);
}

/// Which corners lie in which square of kCellPx.
class Grid {
 public:
  explicit Grid(const std::vector<Corner>& corners) {
    for (const Corner& corner : corners) {
      x0_ = std::min(x0_, corner.at.x), y0_ = std::min(y0_, corner.at.y);
      columns_ = std::max(columns_, corner.at.x), rows_ = std::max(rows_, corner.at.y);
    }
    columns_ = (columns_ - x0_) / kCellPx + 1, rows_ = (rows_ - y0_) / kCellPx + 1;
    begins_.resize(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_) + 1);
    for (const Corner& corner : corners) ++begins_[cell_of(corner.at) + 1];
    for (std::size_t cell = 1; cell < begins_.size(); ++cell) begins_[cell] += begins_[cell - 1];
    std::vector<Index> end(begins_.begin(), begins_.end() - 1);
    members_.resize(corners.size());
    for (Index i = 0; i < corners.size(); ++i) members_[end[cell_of(corners[i].at)]++] = i;
  }

  /// Whether `wanted` holds for any corner in the squares that the rectangle between `low` and `high` touches.
  template <typename Wanted>
  bool any(Point low, Point high, const Wanted& wanted) const {
    for (std::int32_t y = (low.y - y0_) / kCellPx; y <= (high.y - y0_) / kCellPx; ++y) {
      const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(columns_);
      const Index first = begins_[row + static_cast<std::size_t>((low.x - x0_) / kCellPx)];
      const Index last = begins_[row + static_cast<std::size_t>((high.x - x0_) / kCellPx) + 1];
      if (std::any_of(members_.data() + first, members_.data() + last, wanted)) return true;
    }
    return false;
  }

 private:
  std::size_t cell_of(Point at) const {
    return static_cast<std::size_t>((at.y - y0_) / kCellPx) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>((at.x - x0_) / kCellPx);
  }

  std::int32_t x0_ = std::numeric_limits<std::int32_t>::max(), y0_ = x0_, columns_ = 0, rows_ = 0;
  std::vector<Index> begins_, members_;
};

std::vector<Outline*> rings_of(std::vector<Polygon>& polygons) {
  std::vector<Outline*> rings;
  for (Polygon& polygon : polygons) {
    rings.push_back(&polygon.exterior);
    for (Outline& hole : polygon.holes) rings.push_back(&hole);
  }
  return rings;
}

std::vector<Corner> linked_corners(const std::vector<Outline*>& rings) {
  std::vector<Corner> corners;
  for (Index ring = 0; ring < rings.size(); ++ring) {
    const auto first = static_cast<Index>(corners.size()), size = static_cast<Index>(rings[ring]->size());
    for (Index i = 0; i < size; ++i) {
      corners.push_back({(*rings[ring])[i], first + (i + size - 1) % size, first + (i + 1) % size, ring});
    }
  }
  return corners;
}

class Simplification {
 public:
  Simplification(const std::vector<Outline*>& rings, double tolerance_px)
      : corners_(linked_corners(rings)), grid_(corners_), limit_(tolerance_px * tolerance_px) {
    for (const Outline* ring : rings) left_.push_back(static_cast<Index>(ring->size()));
    for (Index i = 0; i < corners_.size(); ++i) {
      const Point at = corners_[i].at;
      corners_[i].shared = grid_.any(at, at, [&](Index other) { return other != i && corners_[other].at == at; });
    }
  }

  void run() {
    for (Index i = 0; i < corners_.size(); ++i) propose(i);
    while (!queue_.empty()) {
      const Proposal proposal = queue_.top();
      queue_.pop();
      const Corner& corner = corners_[proposal.corner];
      if (!corner.alive || corner.version != proposal.version || !may_go(proposal.corner)) continue;
      remove(proposal.corner);
    }
  }

  void write(const std::vector<Outline*>& rings) const {
    for (Outline* ring : rings) ring->clear();
    for (const Corner& corner : corners_) {
      if (corner.alive) rings[corner.ring]->push_back(corner.at);
    }
  }

 private:
  struct Proposal {
    double cost;
    Index corner, version;
    bool operator<(const Proposal& other) const {  // the cheapest comes out first; then the first in its ring
      return cost != other.cost ? cost > other.cost : corner > other.corner;
    }
  };

  void propose(Index i) {
    const Corner& corner = corners_[i];
    const Point a = corners_[corner.before].at, b = corners_[corner.after].at;
    double worst = 0;
    // The corners of a ring lie side by side; from its last one the way leads back to its first.
    for (Index at = next(corner.before); at != corner.after && worst <= limit_; at = next(at)) {
      worst = std::max(worst, squared_distance_to_segment(corners_[at].at, a, b));
    }
    if (worst <= limit_) queue_.push({worst, i, corner.version});
  }

  /// The corner that followed in the ring as it was given.
  Index next(Index i) const {
    const bool last = i + 1 == corners_.size() || corners_[i + 1].ring != corners_[i].ring;
    return last ? first_of(corners_[i].ring) : i + 1;
  }

  Index first_of(Index ring) const {
    const auto first = std::lower_bound(corners_.begin(), corners_.end(), ring,
                                        [](const Corner& corner, Index wanted) { return corner.ring < wanted; });
    return static_cast<Index>(first - corners_.begin());
  }

  bool may_go(Index i) const {
    const Corner& corner = corners_[i];
    const Corner &before = corners_[corner.before], &after = corners_[corner.after];
    if (corner.shared || left_[corner.ring] <= kFewestCorners) return false;
    if (before.shared && after.shared) return false;  // another ring may already have this very edge
    const Point a = before.at, b = corner.at, c = after.at;
    const Point low{std::min({a.x, b.x, c.x}), std::min({a.y, b.y, c.y})};
    const Point high{std::max({a.x, b.x, c.x}), std::max({a.y, b.y, c.y})};
    return !grid_.any(low, high, [&](Index other) {
      const Corner& near = corners_[other];
      return near.alive && other != i && !(near.at == a) && !(near.at == c) && in_triangle(near.at, a, b, c);
    });
  }

  void remove(Index i) {
    Corner& corner = corners_[i];
    corner.alive = false;
    --left_[corner.ring];
    corners_[corner.before].after = corner.after;
    corners_[corner.after].before = corner.before;
    for (const Index neighbour : {corner.before, corner.after}) {
      ++corners_[neighbour].version;
      propose(neighbour);
    }
  }

  std::vector<Corner> corners_;
  Grid grid_;
  double limit_;             // px squared
  std::vector<Index> left_;  // corners of each ring
  std::priority_queue<Proposal> queue_;
};

}  // namespace

void simplify(std::vector<Polygon>& polygons, double tolerance_px) {
  const std::vector<Outline*> rings = rings_of(polygons);
  if (rings.empty()) return;
  Simplification simplification(rings, tolerance_px);
  simplification.run();
  simplification.write(rings);
}

}  // namespace rfseg::raster
