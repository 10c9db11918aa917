// The public masks: who shares which runs, and the outlines traced so far. Owns the storage; what a
// run means is asked of sparse_mask and polygon.
#include <rfseg/error.hpp>
#include <rfseg/masks.hpp>

#include "raster/masks/edge_outlines.hpp"
#include "raster/masks/outline_demand.hpp"
#include "raster/masks/polygon.hpp"
#include "raster/masks/simplify.hpp"
#include "raster/masks/sparse_mask.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <mutex>
#include <numeric>
#include <utility>

namespace rfseg {

struct Masks::Storage {
  Storage(ImageSize image_size, std::vector<Run> all_runs, std::vector<std::int64_t> mask_offsets)
      : size(image_size), runs(std::move(all_runs)), offsets(std::move(mask_offsets)) {
    for (std::vector<Traced>& of_mode : outlines) of_mode = std::vector<Traced>(masks());
  }

  std::size_t masks() const { return offsets.size() - 1; }
  RunsView runs_of(std::size_t mask) const {
    return {runs.data() + offsets[mask], static_cast<std::size_t>(offsets[mask + 1] - offsets[mask])};
  }

  const ImageSize size;
  const std::vector<Run> runs;
  const std::vector<std::int64_t> offsets;  ///< [M + 1]

  /// Filled by the first thread that asks; others that ask for the same mask wait, those that ask for another do not.
  struct Traced {
    std::once_flag once;
    std::vector<Polygon> polygons;
  };
  mutable std::shared_ptr<raster::OutlineDemand> demand;  ///< hears who asks for outlines; null: nobody does
  mutable std::array<std::vector<Traced>, raster::OutlineDemand::kModes>
      outlines;  ///< [mode][M], never resized: callers hold references into it
};

namespace {

std::vector<std::int32_t> each_once(std::size_t count) {
  std::vector<std::int32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

[[noreturn]] void refuse_index(const char* what, std::int64_t index, std::size_t count) {
  throw InputError(std::string(what) + " " + std::to_string(index) + " does not exist: there are " +
                   std::to_string(count));
}

void validate_offsets(const std::vector<std::int64_t>& offsets, std::size_t runs) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(runs)) {
    throw InputError("offsets must begin with 0 and end with the number of runs, " + std::to_string(runs) +
                     ": expected one for each mask and one more");
  }
  const auto falls = std::adjacent_find(offsets.begin(), offsets.end(), std::greater<>());
  if (falls == offsets.end()) return;
  throw InputError("offsets fall from " + std::to_string(falls[0]) + " to " + std::to_string(falls[1]) + " at mask " +
                   std::to_string(falls - offsets.begin()) + ": expected ascending ones");
}

/// Runs `work`; an InputError that it throws says which mask it is about.
template <typename Work>
void naming_mask(std::size_t mask, const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    throw InputError("mask " + std::to_string(mask) + ": " + error.what());
  }
}

bool disjoint(PixelBounds a, PixelBounds b) { return a.x1 <= b.x0 || b.x1 <= a.x0 || a.y1 <= b.y0 || b.y1 <= a.y0; }

struct Extent {
  RunsView runs;
  std::int64_t area;
  PixelBounds bounds;
};

std::vector<Extent> extents(const Masks& masks) {
  std::vector<Extent> all;
  for (int i = 0; i < masks.size(); ++i) all.push_back({masks.runs(i), masks.area(i), masks.bounds(i)});
  return all;
}

}  // namespace

// Without storage, and so without memory: a Result that will be filled can be made where nothing may fail.
Masks::Masks() noexcept = default;

Masks Masks::from_runs(ImageSize size, std::vector<Run> runs, std::vector<std::int64_t> offsets,
                       std::vector<std::int32_t> mask_of_instance) {
  raster::validated_pixels(size);
  validate_offsets(offsets, runs.size());
  Masks masks;
  const auto storage = std::make_shared<const Storage>(size, std::move(runs), std::move(offsets));
  for (std::size_t m = 0; m < storage->masks(); ++m) {
    naming_mask(m, [&] { raster::validate_runs(storage->runs_of(m), size); });
  }
  for (const std::int32_t mask : mask_of_instance) {
    if (mask < 0 || static_cast<std::size_t>(mask) >= storage->masks()) refuse_index("mask", mask, storage->masks());
  }
  masks.storage_ = storage;
  masks.mask_of_instance_ = std::move(mask_of_instance);
  return masks;
}

Masks Masks::from_dense(ImageSize size, const std::uint8_t* pixels, int count) {
  const auto mask_bytes = static_cast<std::size_t>(raster::validated_pixels(size));
  if (count < 0) throw InputError("count is " + std::to_string(count) + ": expected at least 0 masks");
  std::vector<Run> runs;
  std::vector<std::int64_t> offsets{0};
  for (int i = 0; i < count; ++i) {
    raster::append_dense_runs(pixels + static_cast<std::size_t>(i) * mask_bytes, size, runs);
    offsets.push_back(static_cast<std::int64_t>(runs.size()));
  }
  return from_runs(size, std::move(runs), std::move(offsets), each_once(static_cast<std::size_t>(count)));
}

Masks Masks::from_coco(ImageSize size, const std::vector<std::string>& counts) {
  raster::validated_pixels(size);
  std::vector<Run> runs;
  std::vector<std::int64_t> offsets{0};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    naming_mask(i, [&] { raster::append_coco_runs(counts[i], size, runs); });
    offsets.push_back(static_cast<std::int64_t>(runs.size()));
  }
  return from_runs(size, std::move(runs), std::move(offsets), each_once(counts.size()));
}

int Masks::size() const { return static_cast<int>(mask_of_instance_.size()); }

ImageSize Masks::image_size() const { return storage_ ? storage_->size : ImageSize{}; }

std::size_t Masks::mask_index(int i) const {
  if (i < 0 || i >= size()) refuse_index("instance", i, mask_of_instance_.size());
  return static_cast<std::size_t>(mask_of_instance_[static_cast<std::size_t>(i)]);
}

RunsView Masks::runs(int i) const {
  const std::size_t mask = mask_index(i);
  return storage_->runs_of(mask);
}
std::int64_t Masks::area(int i) const { return raster::area(runs(i)); }
PixelBounds Masks::bounds(int i) const { return raster::bounds(runs(i), image_size()); }
std::string Masks::coco(int i) const { return raster::encode_coco(runs(i), image_size()); }
void Masks::dense(int i, std::uint8_t* pixels) const { raster::decode_dense(runs(i), image_size(), pixels); }

const std::vector<Polygon>& Masks::polygons(int i, OutlineMode mode) const {
  const std::size_t mask = mask_index(i);
  if (storage_->demand) storage_->demand->note_asked(mode);
  Storage::Traced& traced = storage_->outlines[static_cast<std::size_t>(mode)][mask];
  std::call_once(traced.once,
                 [&] { traced.polygons = raster::trace_outlines(storage_->runs_of(mask), storage_->size, mode); });
  return traced.polygons;
}

std::vector<Polygon> Masks::simplified(int i, double tolerance_px) const {
  if (!std::isfinite(tolerance_px) || tolerance_px < 0)
    throw InputError("the tolerance is " + std::to_string(tolerance_px) + " px: expected a number of at least 0");
  std::vector<Polygon> polygons = raster::edge_outlines(runs(i), image_size());
  raster::simplify(polygons, tolerance_px);
  return polygons;
}

std::vector<std::int32_t> Masks::crop_lengths(int i) const { return raster::crop_lengths(runs(i), image_size()); }

void Masks::tell(std::shared_ptr<raster::OutlineDemand> demand) const {
  if (storage_) storage_->demand = std::move(demand);
}

Masks Masks::select(const std::vector<std::int32_t>& indices) const {
  Masks chosen(*this);
  chosen.mask_of_instance_.clear();
  for (const std::int32_t i : indices) chosen.mask_of_instance_.push_back(static_cast<std::int32_t>(mask_index(i)));
  return chosen;
}

std::vector<double> Masks::iou(const Masks& other) const {
  if (image_size() != other.image_size()) {
    const ImageSize a = image_size(), b = other.image_size();
    throw InputError("masks of different images do not overlap: (height, width) is (" + std::to_string(a.height) +
                     ", " + std::to_string(a.width) + ") here and (" + std::to_string(b.height) + ", " +
                     std::to_string(b.width) + ") there");
  }
  const std::vector<Extent> rows = extents(*this), columns = extents(other);
  std::vector<double> ratios;
  ratios.reserve(rows.size() * columns.size());
  for (const Extent& a : rows) {
    for (const Extent& b : columns) {
      const std::int64_t both = disjoint(a.bounds, b.bounds) ? 0 : raster::intersection_area(a.runs, b.runs);
      ratios.push_back(both == 0 ? 0.0 : static_cast<double>(both) / static_cast<double>(a.area + b.area - both));
    }
  }
  return ratios;
}

Masks::Columns Masks::columns() const {
  Columns compact;
  compact.offsets.push_back(0);
  std::vector<std::int32_t> renumbered(storage_ ? storage_->masks() : 0, -1);
  for (const std::int32_t mask : mask_of_instance_) {
    std::int32_t& index = renumbered[static_cast<std::size_t>(mask)];
    if (index < 0) {
      index = static_cast<std::int32_t>(compact.offsets.size()) - 1;
      const RunsView runs = storage_->runs_of(static_cast<std::size_t>(mask));
      compact.runs.insert(compact.runs.end(), runs.begin(), runs.end());
      compact.offsets.push_back(static_cast<std::int64_t>(compact.runs.size()));
    }
    compact.mask_of_instance.push_back(index);
  }
  return compact;
}

}  // namespace rfseg
