// One sweep over the lattice lines between columns. On each line, the rows where one of the two columns beside it
// begins or ends a piece are visited in order; what is the same on both sides is a straight horizontal edge and no
// corner.
#include "raster/masks/edge_outlines.hpp"

#include "raster/masks/column_pieces.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace rfseg::raster {
namespace {

using Index = std::uint32_t;  // an image has fewer than 2^31 pixels, and a pixel four corners: at most 2^32 - 1 are met

struct Corner {
  Point at;
  Index next;           // along its ring, foreground on the left in the plane of the numbers
  std::uint32_t label;  // of the foreground beside it
};

/// Pieces of one column. `edges` [2 * pieces]: for the top and bottom of each piece, the corner where that edge began.
struct SweptColumn {
  std::vector<Piece> pieces;
  std::vector<Index> edges;

  std::size_t flips() const { return 2 * pieces.size(); }
  /// Row of a flip: even ones begin a piece, odd ones end it.
  std::int64_t row(std::size_t flip) const {
    if (flip == flips()) return std::numeric_limits<std::int64_t>::max();
    const Piece& piece = pieces[flip / 2];
    return flip % 2 == 0 ? piece.y0 : piece.y1;
  }
  Column view() { return {pieces.data(), pieces.data() + pieces.size()}; }
};

/// Corners of one mask, linked along their rings.
class EdgeSweep {
 public:
  /// Takes the next piece; columns ascend, and rows within a column.
  void append(std::int32_t x, std::int32_t y0, std::int32_t y1) {
    if (x != x_) {
      finish_column(x - x_ > 1);
      x_ = x;
    }
    right_.pieces.push_back({y0, y1, 0});
  }

  std::vector<Polygon> take() {
    finish_column(true);
    // Where two pixels meet at a corner only, the rings were led around each pixel. If both belong to one part, that
    // ring would come back here: led around the background instead, it becomes two, since a ring never crosses itself.
    for (const auto& [a, b] : pinches_) {
      if (labels_.find(corners_[a].label) == labels_.find(corners_[b].label)) {
        std::swap(corners_[a].next, corners_[b].next);
      }
    }
    return polygons();
  }

 private:
  /// Places the corners on the left of column x_, and those on its right if no piece is expected in the column after
  /// it.
  void finish_column(bool empty_follows) {
    label_column(left_.view(), right_.view(), Connectivity::edges, labels_);
    place_corners(x_);
    std::swap(left_, right_);
    right_.pieces.clear();
    if (empty_follows) {
      place_corners(x_ + 1);
      left_.pieces.clear();
    }
  }

  /// Corners on the line between left_ and right_, where right_ is column `x`, from the top down.
  void place_corners(std::int32_t x) {
    right_.edges.resize(right_.flips());
    std::size_t l = 0, r = 0;
    while (l < left_.flips() || r < right_.flips()) {
      const std::int64_t left_row = left_.row(l), right_row = right_.row(r);
      const bool left_inside = l % 2 == 1;
      if (left_row == right_row && l % 2 == r % 2) {
        right_.edges[r++] = left_.edges[l++];
      } else if (left_row == right_row) {
        const auto first = static_cast<Index>(corners_.size());
        if (left_inside)
          end_edge(x, l++, left_inside), begin_edge(x, r++, left_inside);
        else
          begin_edge(x, r++, left_inside), end_edge(x, l++, left_inside);
        pinches_.emplace_back(first, first + 1);
      } else if (left_row < right_row) {
        end_edge(x, l++, left_inside);
      } else {
        begin_edge(x, r++, left_inside);
      }
    }
  }

  void begin_edge(std::int32_t x, std::size_t flip, bool left_inside) {
    right_.edges[flip] = add(x, right_, flip, left_inside);
  }

  void end_edge(std::int32_t x, std::size_t flip, bool left_inside) {
    const Index corner = add(x, left_, flip, left_inside), begin = left_.edges[flip];
    if (flip % 2 == 0) {
      corners_[begin].next = corner;
    } else {
      corners_[corner].next = begin;
    }
  }

  /// Every second corner of a line ends a vertical edge; its foreground is on the left if the left column has some
  /// there.
  Index add(std::int32_t x, const SweptColumn& column, std::size_t flip, bool left_inside) {
    const auto corner = static_cast<Index>(corners_.size());
    corners_.push_back({{x, static_cast<std::int32_t>(column.row(flip))}, 0, column.pieces[flip / 2].label});
    if (corner % 2 == 1) {
      if (left_inside) {
        corners_[corner - 1].next = corner;
      } else {
        corners_[corner].next = corner - 1;
      }
    }
    return corner;
  }

  std::vector<Polygon> polygons() {
    std::vector<Polygon> parts;
    std::vector<Index> part_of_label(labels_.size());
    std::vector<bool> seen(corners_.size());
    for (Index first = 0; first < corners_.size(); ++first) {
      if (seen[first]) continue;
      // At its first corner a ring has one edge down and one to the right; an exterior leaves along its top.
      const bool exterior = corners_[corners_[first].next].at.y == corners_[first].at.y;
      Index& part = part_of_label[labels_.find(corners_[first].label)];
      if (exterior) {
        part = static_cast<Index>(parts.size());
        parts.emplace_back();
      }
      Outline& ring = exterior ? parts[part].exterior : parts[part].holes.emplace_back();
      read_ring(first, seen, ring);
    }
    return parts;
  }

  void read_ring(Index first, std::vector<bool>& seen, Outline& ring) const {
    std::size_t size = 0;
    for (Index corner = first; size == 0 || corner != first; corner = corners_[corner].next) ++size;
    ring.reserve(size);  // counted first: of a million small rings each is allocated once
    for (Index corner = first; !seen[corner]; corner = corners_[corner].next) {
      seen[corner] = true;
      ring.push_back(corners_[corner].at);
    }
  }

  std::int32_t x_ = 0;
  SweptColumn left_, right_;
  Labels labels_;
  std::vector<Corner> corners_;
  std::vector<std::pair<Index, Index>> pinches_;
};

}  // namespace

std::vector<Polygon> edge_outlines(RunsView runs, ImageSize size) {
  EdgeSweep sweep;
  for_each_piece(runs, size.height, [&](std::int32_t x, std::int32_t y0, std::int32_t y1) { sweep.append(x, y0, y1); });
  return sweep.take();
}

}  // namespace rfseg::raster
