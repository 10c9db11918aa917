// Puts selection, boxes and masks together into a Result. Owns no formula of its own.
#include "raster/detections/postprocess.hpp"

#include <cstddef>
#include <utility>

namespace rfseg::raster {

namespace {

/// Encodes the mask of each query in `kept` once, in the order of its first instance.
Masks encode_masks(const ops::RawOutputs& outputs, const FrameGeometry& geometry, PostprocessScratch& scratch) {
  const std::ptrdiff_t grid_nodes = static_cast<std::ptrdiff_t>(outputs.mask_size.height) * outputs.mask_size.width;
  std::vector<Run> runs;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> mask_of_instance;
  mask_of_instance.reserve(scratch.kept.size());
  scratch.mask_of_query.assign(static_cast<std::size_t>(outputs.queries), -1);
  for (const Candidate& candidate : scratch.kept) {
    std::int32_t& mask = scratch.mask_of_query[static_cast<std::size_t>(candidate.query)];
    if (mask < 0) {
      mask = static_cast<std::int32_t>(offsets.size()) - 1;
      append_mask_runs(outputs.masks + candidate.query * grid_nodes, geometry, scratch.mask, runs);
      offsets.push_back(static_cast<std::int64_t>(runs.size()));
    }
    mask_of_instance.push_back(mask);
  }
  return Masks::from_runs(geometry.source(), std::move(runs), std::move(offsets), std::move(mask_of_instance));
}

}  // namespace

Result postprocess(const ops::RawOutputs& outputs, const FrameGeometry& geometry, const SelectionRule& rule,
                   PostprocessScratch& scratch) {
  select(outputs.labels, outputs.queries, rule, scratch.select, scratch.kept);
  Result result;
  result.image_size = geometry.source();
  result.xyxy.reserve(scratch.kept.size());
  result.confidence.reserve(scratch.kept.size());
  result.class_id.reserve(scratch.kept.size());
  for (const Candidate& candidate : scratch.kept) {
    result.xyxy.push_back(geometry.source_box(outputs.dets + std::ptrdiff_t{4} * candidate.query));
    result.confidence.push_back(score_of_logit(candidate.logit));
    result.class_id.push_back(candidate.column);
  }
  result.masks = encode_masks(outputs, geometry, scratch);
  return result;
}

}  // namespace rfseg::raster
