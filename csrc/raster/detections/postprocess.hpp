// From the network's raw outputs to a Result: the host's definition of everything after the network, used by the CPU
// pipeline, by ops::postprocess, and wherever a GPU stage must be repeated exactly.
#pragma once

#include "raster/detections/select.hpp"
#include "raster/frame_geometry.hpp"
#include "raster/masks/mask_runs.hpp"

#include <rfseg/ops.hpp>
#include <rfseg/result.hpp>

#include <vector>

namespace rfseg::raster {

/// The columns of a Result while it is put together.
class ResultBuilder {
 public:
  /// `geometry` outlives it. `instances`, `runs`: about how many will come.
  ResultBuilder(const FrameGeometry& geometry, std::size_t instances);

  /// One more instance, which shows mask `mask`. `cxcywh`: the network's box.
  void add(const float* cxcywh, float logit, std::int32_t column, std::int32_t mask);

  /// `runs` of every mask, one after the other; `offsets` [masks + 1]. `names` is left null, `speed` zero.
  Result finish(std::vector<Run> runs, std::vector<std::int64_t> offsets);

 private:
  const FrameGeometry& geometry_;
  Result result_;
  std::vector<std::int32_t> mask_of_instance_;
};

/// Work space of postprocess(), kept between frames.
struct PostprocessScratch {
  SelectScratch select;
  MaskRunScratch mask;
  std::vector<Candidate> kept;
  std::vector<std::int32_t> mask_of_query;  ///< [Q] index of the query's mask in this result, -1 before it has one
};

/// Instances of `outputs` under `rule`. The masks of a query that won several classes are encoded once and shared.
/// The result's `names` is left null, its `speed` zero.
Result postprocess(const ops::RawOutputs& outputs, const FrameGeometry& geometry, const SelectionRule& rule,
                   PostprocessScratch& scratch);

}  // namespace rfseg::raster
