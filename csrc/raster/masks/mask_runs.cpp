// The search for run ends, one source column at a time, on the grid interpolated to that column. Knows nothing of
// queries, boxes or scores. Must be compiled without FMA contraction: a fused product moves pixels whose value is
// near 0.
#include "raster/masks/mask_runs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace rfseg::raster {

namespace {

/// A node from here on is foreground wherever its weight is not 0: no product underflows (note at the end).
constexpr float kSolid = 1e-30F;

bool is_finite(float value) { return std::abs(value) <= std::numeric_limits<float>::max(); }
bool is_solid(float value) { return kSolid <= value && value <= std::numeric_limits<float>::max(); }

/// Grid nodes [first, last] along one axis; none when last < first.
struct NodeRange {
  int first = std::numeric_limits<int>::max();
  int last = -1;

  bool empty() const { return last < first; }
  void include(int node) {
    first = std::min(first, node);
    last = std::max(last, node);
  }
};

struct NodeBox {
  NodeRange rows, columns;
};

bool any_positive(const float* row, int width) {
  int found = 0;
  for (int x = 0; x < width; ++x) found |= row[x] > 0 ? 1 : 0;
  return found != 0;
}

/// The nodes > 0. No pixel is foreground unless one of its four taps is: weights are never negative.
NodeBox positive_nodes(const float* logits, ImageSize grid) {
  NodeBox box;
  for (int y = 0; y < grid.height; ++y) {
    const float* row = logits + static_cast<std::ptrdiff_t>(y) * grid.width;
    if (!any_positive(row, grid.width)) continue;
    box.rows.include(y);
    for (int x = 0; x < std::min(box.columns.first, grid.width); ++x) {
      if (row[x] > 0) box.columns.include(x);
    }
    for (int x = grid.width - 1; x > box.columns.last; --x) {
      if (row[x] > 0) box.columns.include(x);
    }
  }
  return box;
}

/// Appends runs and joins those that touch: one that ends at the bottom goes on at the top of the next column.
class RunWriter {
 public:
  explicit RunWriter(std::vector<Run>& runs) : runs_(runs), first_(runs.size()) {}

  void append(std::int32_t start, std::int32_t end) {
    if (start == end) return;
    if (runs_.size() > first_ && runs_.back().end == start) {
      runs_.back().end = end;
    } else {
      runs_.push_back({start, end});
    }
  }

 private:
  std::vector<Run>& runs_;
  std::size_t first_;  // runs before it belong to other masks
};

/// One source column. Cell j is its rows between node j and node j + 1, rows [cell_row[j], cell_row[j + 1]).
class ColumnEncoder {
 public:
  ColumnEncoder(const FrameGeometry& geometry, const MaskRunScratch& scratch, RunWriter& writer)
      : l0_(geometry.mask_y().l0.data()),
        l1_(geometry.mask_y().l1.data()),
        rows_per_node_(static_cast<double>(geometry.mask_y().out) / geometry.mask_y().in),
        column_(scratch.column.data()),
        cell_row_(geometry.node_rows().data()),
        writer_(writer) {}

  /// Appends the foreground of `cells`; `top` is the run index of the source column's first row.
  void append_cells(NodeRange cells, std::int32_t top) {
    for (int cell = cells.first; cell <= cells.last; ++cell) {
      const int first = cell;
      if (is_solid(column_[cell])) {
        while (cell <= cells.last && is_solid(column_[cell + 1])) ++cell;
        writer_.append(top + cell_row_[first], top + cell_row_[cell]);
        if (cell > cells.last) break;
      }
      if (column_[cell] > 0 || column_[cell + 1] > 0) append_mixed_cell(cell, top);
    }
  }

 private:
  bool is_foreground(std::int32_t row, float above, float below) const {
    return l0_[row] * above + l1_[row] * below > 0;
  }

  void append_mixed_cell(int cell, std::int32_t top) {
    const float above = column_[cell];
    const float below = column_[cell + 1];
    const std::int32_t end = cell_row_[cell + 1];
    if (!is_finite(above) || !is_finite(below) || (above > 0 && below > 0)) {
      for (std::int32_t row = cell_row_[cell]; row < end; ++row) {
        if (is_foreground(row, above, below)) writer_.append(top + row, top + row + 1);
      }
    } else if (above > 0) {
      writer_.append(top + cell_row_[cell], top + sign_change(cell, above, below));
    } else {
      writer_.append(top + sign_change(cell, above, below), top + end);
    }
  }

  /// The first row of the cell that is foreground when `above` is not, or background when it is; the row after the cell
  /// when there is none. Real arithmetic says where it is, give or take a row; the formula decides.
  std::int32_t sign_change(int cell, float above, float below) const {
    const std::int32_t begin = cell_row_[cell];
    const std::int32_t end = cell_row_[cell + 1];
    const bool starts = above > 0;
    const double node = cell + above / (static_cast<double>(above) - below);
    std::int32_t row = std::clamp(static_cast<std::int32_t>((node + 0.5) * rows_per_node_ + 0.5), begin, end);
    while (row > begin && is_foreground(row - 1, above, below) != starts) --row;
    while (row < end && is_foreground(row, above, below) == starts) ++row;
    return row;
  }

  const float* l0_;
  const float* l1_;
  double rows_per_node_;
  const float* column_;
  const std::int32_t* cell_row_;
  RunWriter& writer_;
};

/// Copies grid column `x`, nodes [first, last], the node below the grid repeating the last one.
void load_grid_column(const float* logits, ImageSize grid, int x, NodeRange nodes, std::vector<float>& column) {
  for (int y = nodes.first; y <= nodes.last; ++y) {
    const auto row = static_cast<std::ptrdiff_t>(std::min(y, grid.height - 1));
    column[static_cast<std::size_t>(y)] = logits[row * grid.width + x];
  }
}

/// Fills scratch.left and right for the source columns between two grid columns; returns the cells that may hold
/// foreground there.
NodeRange load_grid_columns(const float* logits, ImageSize grid, int left, int right, NodeRange cells,
                            MaskRunScratch& scratch) {
  const NodeRange nodes{cells.first, cells.last + 1};
  load_grid_column(logits, grid, left, nodes, scratch.left);
  load_grid_column(logits, grid, right, nodes, scratch.right);
  NodeRange active;
  for (int y = nodes.first; y <= nodes.last; ++y) {
    const auto node = static_cast<std::size_t>(y);
    if (scratch.left[node] > 0 || scratch.right[node] > 0) active.include(y);
  }
  return {std::max(active.first - 1, cells.first), std::min(active.last, cells.last)};
}

void interpolate_nodes(float l0, float l1, NodeRange cells, MaskRunScratch& scratch) {
  const float* left = scratch.left.data();
  const float* right = scratch.right.data();
  float* column = scratch.column.data();
  for (int node = cells.first; node <= cells.last + 1; ++node) column[node] = l0 * left[node] + l1 * right[node];
}

}  // namespace

void append_mask_runs(const float* logits, const FrameGeometry& geometry, MaskRunScratch& scratch,
                      std::vector<Run>& runs) {
  const ImageSize grid = geometry.mask();
  const NodeBox box = positive_nodes(logits, grid);
  if (box.rows.empty()) return;

  const auto nodes = static_cast<std::size_t>(grid.height) + 1;
  for (std::vector<float>* column : {&scratch.left, &scratch.right, &scratch.column}) column->resize(nodes);
  const NodeRange cells{std::max(box.rows.first - 1, 0), box.rows.last};

  const BilinearAxis& axis = geometry.mask_x();
  RunWriter writer(runs);
  ColumnEncoder encoder(geometry, scratch, writer);
  const auto reaches = std::lower_bound(axis.i0.begin(), axis.i0.end(), box.columns.first - 1);
  NodeRange active;
  int loaded = -1;
  for (auto x = static_cast<std::size_t>(reaches - axis.i0.begin()); x < axis.i0.size(); ++x) {
    if (axis.i0[x] > box.columns.last) break;
    if (axis.i0[x] != loaded) {
      loaded = axis.i0[x];
      active = load_grid_columns(logits, grid, loaded, axis.i1[x], cells, scratch);
    }
    if (active.empty()) continue;
    interpolate_nodes(axis.l0[x], axis.l1[x], active, scratch);
    encoder.append_cells(active, static_cast<std::int32_t>(x) * geometry.source().height);
  }
}

}  // namespace rfseg::raster

// Note: why a search finds what the formula says
//
// In one cell of one source column, value(row) = fl(fl(l0 * a) + fl(l1 * b)) with a, b the nodes above and below, fl
// rounding to float32. Going down, l1 never falls and l0 = fl(1 - l1) never rises, and fl never swaps the order of two
// numbers. Both weights are >= 0 and l1 <= 1 - 2^-24, so l0 >= 2^-24.
//
// - a <= 0 and b <= 0, or either is NaN: each product is <= 0 or NaN, and so is the sum. No foreground. The same
//   argument along x shows that a node is not positive when its two grid columns are not, which is why whole regions
//   of the grid are never visited. A NaN beside a positive node is left to the row-by-row case.
// - a > 0 >= b, finite: fl(l0 * a) never rises and fl(l1 * b) never rises, so neither does the value: foreground, then
//   background. Underflow to 0 and a zero l1 only make it flat. a <= 0 < b: the mirror image. Contracting either
//   product into an FMA would keep the order but move the row of the change.
// - a, b >= 1e-30, finite: l0 * a >= 2^-24 * 1e-30 > 2^-127, which does not round to 0, and l1 * b >= 0. The sum is
//   positive or overflows to +infinity: all foreground.
// - Two positive nodes, one below 1e-30: both products may round to 0 in the middle of the cell. Infinite nodes: zero
//   times infinity is NaN. These are evaluated row by row.
//
// Rows above the first node's centre have f clamped to 0 and belong to cell 0 with l1 = 0; rows below the last node's
// belong to cell Hm - 1, both of whose nodes are the last one. When the source is smaller than the grid, cells without
// rows are empty ranges.
