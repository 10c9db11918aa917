// A mask column by column: the pieces that its runs have in each, and which pieces hang together. Knows neither
// outlines nor who asks; whether pixels that meet at a corner hang together is the caller's choice.
#pragma once

#include <rfseg/masks.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// Calls piece(x, y0, y1) for each stretch of a run inside one column, in ascending order.
template <typename Take>
void for_each_piece(RunsView runs, std::int32_t height, const Take& piece) {
  if (runs.size == 0) return;
  std::int32_t x = runs.data[0].start / height;
  std::int32_t top = x * height;
  for (const Run run : runs) {
    // Stepping costs less than a division a run, and never more than one step a column.
    for (; run.start - top >= height; ++x) top += height;
    std::int32_t start = run.start;
    for (; run.end - top > height; ++x) {
      piece(x, start - top, height);
      top += height;
      start = top;
    }
    piece(x, start - top, run.end - top);
  }
}

/// Rows [y0, y1) of one column, all foreground, background above and below.
struct Piece {
  std::int32_t y0, y1;
  std::uint32_t label;
};

/// Labels of pieces, joined as pieces turn out to hang together. Nearly constant time a call.
class Labels {
 public:
  std::uint32_t add() {
    parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
    return parent_.back();
  }

  /// The label that stands for all that `label` was joined with.
  std::uint32_t find(std::uint32_t label) {
    while (parent_[label] != label) label = parent_[label] = parent_[parent_[label]];
    return label;
  }

  void join(std::uint32_t a, std::uint32_t b) {
    a = find(a), b = find(b);
    (a < b ? parent_[b] : parent_[a]) = a < b ? a : b;
  }

  std::size_t size() const { return parent_.size(); }

 private:
  std::vector<std::uint32_t> parent_;
};

/// Which pixels hang together.
enum class Connectivity : std::int32_t {
  edges = 0,    ///< those that share an edge
  corners = 1,  ///< also those that share a corner only
};

/// Pieces of one column, from the top down.
struct Column {
  Piece* first;
  Piece* last;  ///< one past the end
};

/// Gives the pieces of `right` the labels of what they touch in `left`, the column before it, or new ones.
void label_column(Column left, Column right, Connectivity connectivity, Labels& labels);

}  // namespace rfseg::raster
