// What was found in one frame, as columns of K rows in descending order of confidence.
#pragma once

#include <rfseg/masks.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rfseg {

/// Class id to name. Ids are columns of the network's `labels` output; ids without a name are absent.
using ClassNames = std::map<int, std::string>;

/// Corners of a box in source pixels, not rounded: 0 <= x0 <= x1 <= width, 0 <= y0 <= y1 <= height.
struct Box {
  float x0, y0, x1, y1;
};

/// Host time that a frame spent in each stage, in milliseconds. What ran elsewhere meanwhile is not subtracted.
struct StageTimes {
  float preprocess_ms = 0;
  float network_ms = 0;
  float postprocess_ms = 0;
  float outlines_ms = 0;  ///< 0 unless Options::outlines asks for outlines ahead
};

/// Owns everything in it; stays valid after the Segmenter is gone.
struct Result {
  ImageSize image_size;
  std::vector<Box> xyxy;                    ///< [K]
  std::vector<float> confidence;            ///< [K], descending
  std::vector<std::int32_t> class_id;       ///< [K]
  Masks masks;                              ///< of K instances
  std::shared_ptr<const ClassNames> names;  ///< never null
  StageTimes speed;

  int size() const { return static_cast<int>(class_id.size()); }  ///< K
};

}  // namespace rfseg
