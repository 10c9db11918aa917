#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include "raster/color/convert_row.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/frame_geometry.hpp"
#include "raster/resize/packed_rows.hpp"
#include "raster/resize/resize.hpp"

#include <cmath>
#include <limits>
#include <string>

namespace rfseg::ops {

namespace {

constexpr ImageSize kUnused{1, 1};  // the half of a geometry that a single op does not touch

void require(bool condition, const std::string& sentence) {
  if (!condition) throw InputError(sentence);
}

}  // namespace

void preprocess(const ImageView& frame, ImageSize size, Resize resize, float* network_chw, const Normalisation& by) {
  for (const float mean : by.mean)
    require(std::isfinite(mean), "mean holds " + std::to_string(mean) + ": it must be finite");
  for (const float deviation : by.deviation)
    require(std::isfinite(deviation) && deviation > 0,
            "std holds " + std::to_string(deviation) + ": it must be above 0");
  const raster::FrameGeometry geometry({frame.height, frame.width}, size, kUnused, resize);
  raster::ResizeScratch scratch;
  raster::preprocess(raster::as_meant(frame), geometry, scratch, network_chw, by);
}

void convert(const ImageView& frame, PixelFormat order, std::uint8_t* pixels) {
  require(raster::is_planar(frame.format), "the frame is packed pixels already: nothing to convert");
  require(!raster::is_planar(order), "a frame of planes becomes bgr8 or rgb8, no other format");
  require(frame.memory == MemoryKind::host, "the frame is in device memory: copy its planes to the host");
  raster::require_pixels({frame.height, frame.width}, "the frame");
  const ImageView view = raster::as_meant(frame);
  for (int y = 0; y < view.height; ++y, pixels += raster::packed_bytes({1, view.width}))
    raster::convert_row(view, y, order, pixels);
}

Result postprocess(const RawOutputs& outputs, ImageSize image_size, float threshold, int max_detections,
                   std::optional<int> num_classes) {
  require(outputs.queries > 0 && outputs.columns > 0, "the outputs hold no queries or no class columns");
  require(threshold >= 0.0F && threshold <= 1.0F, "threshold is " + std::to_string(threshold) + ": it must be in 0..1");
  require(max_detections >= 1, "max_detections is " + std::to_string(max_detections) + ": it must be at least 1");
  const int classes = num_classes.value_or(outputs.columns);
  require(
      classes >= 0 && classes <= outputs.columns,
      "num_classes is " + std::to_string(classes) + ", but labels has " + std::to_string(outputs.columns) + " columns");

  raster::SelectionRule rule;
  rule.max_detections = max_detections;
  rule.logit_cut.assign(static_cast<std::size_t>(outputs.columns), std::numeric_limits<float>::quiet_NaN());
  const float cut = raster::logit_above(threshold);
  for (int c = 0; c < classes; ++c) rule.logit_cut[static_cast<std::size_t>(c)] = cut;

  const raster::FrameGeometry geometry(image_size, kUnused, outputs.mask_size, Resize::bilinear);
  raster::PostprocessScratch scratch;
  Result result = raster::postprocess(outputs, geometry, rule, scratch);
  result.names = std::make_shared<const ClassNames>();
  return result;
}

}  // namespace rfseg::ops
