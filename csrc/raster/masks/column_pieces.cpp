// One walk down two neighbouring columns.
#include "raster/masks/column_pieces.hpp"

namespace rfseg::raster {

void label_column(Column left, Column right, Connectivity connectivity, Labels& labels) {
  const auto reach = static_cast<std::int32_t>(connectivity);
  const Piece* above = left.first;
  for (Piece* piece = right.first; piece != right.last; ++piece) {
    while (above != left.last && above->y1 + reach <= piece->y0) ++above;
    bool labelled = false;
    for (const Piece* beside = above; beside != left.last && beside->y0 < piece->y1 + reach; ++beside) {
      if (labelled) {
        labels.join(piece->label, beside->label);
      } else {
        piece->label = beside->label;
        labelled = true;
      }
    }
    if (!labelled) piece->label = labels.add();
  }
}

}  // namespace rfseg::raster
