// Puts selection, boxes and masks together into a Result. Owns no formula of its own.
#include "raster/detections/postprocess.hpp"

#include <cstddef>
#include <utility>

namespace rfseg::raster {

ResultBuilder::ResultBuilder(const FrameGeometry& geometry, std::size_t instances) : geometry_(geometry) {
  result_.image_size = geometry.source();
  result_.xyxy.reserve(instances);
  result_.confidence.reserve(instances);
  result_.class_id.reserve(instances);
  mask_of_instance_.reserve(instances);
}

void ResultBuilder::add(const float* cxcywh, float logit, std::int32_t column, std::int32_t mask) {
  result_.xyxy.push_back(geometry_.source_box(cxcywh));
  result_.confidence.push_back(score_of_logit(logit));
  result_.class_id.push_back(column);
  mask_of_instance_.push_back(mask);
}

Result ResultBuilder::finish(std::vector<Run> runs, std::vector<std::int64_t> offsets) {
  result_.masks =
      Masks::from_runs(geometry_.source(), std::move(runs), std::move(offsets), std::move(mask_of_instance_));
  return std::move(result_);
}

Result postprocess(const ops::RawOutputs& outputs, const FrameGeometry& geometry, const SelectionRule& rule,
                   PostprocessScratch& scratch) {
  select(outputs.labels, outputs.queries, rule, scratch.select, scratch.kept);
  const std::ptrdiff_t grid_nodes = static_cast<std::ptrdiff_t>(outputs.mask_size.height) * outputs.mask_size.width;
  ResultBuilder result(geometry, scratch.kept.size());
  std::vector<Run> runs;
  std::vector<std::int64_t> offsets{0};
  scratch.mask_of_query.assign(static_cast<std::size_t>(outputs.queries), -1);
  for (const Candidate& candidate : scratch.kept) {
    std::int32_t& mask = scratch.mask_of_query[static_cast<std::size_t>(candidate.query)];
    if (mask < 0) {
      mask = static_cast<std::int32_t>(offsets.size()) - 1;
      append_mask_runs(outputs.masks + candidate.query * grid_nodes, geometry, scratch.mask, runs);
      offsets.push_back(static_cast<std::int64_t>(runs.size()));
    }
    result.add(outputs.dets + std::ptrdiff_t{4} * candidate.query, candidate.logit, candidate.column, mask);
  }
  return result.finish(std::move(runs), std::move(offsets));
}

}  // namespace rfseg::raster
