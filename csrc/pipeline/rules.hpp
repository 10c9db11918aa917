// What each frame must reach to be kept: the thresholds and classes that a model was opened with, and what a frame asks
// for instead. Owns the turning of class names and thresholds into logit cuts; immutable.
#pragma once

#include "network/class_names.hpp"
#include "raster/detections/select.hpp"

#include <rfseg/options.hpp>

#include <memory>

namespace rfseg::pipeline {

class Rules {
 public:
  /// @throws InputError  a threshold is out of range, or names a class that the model does not have
  /// `places`: as SelectionRule::places.
  Rules(network::ClassLayout layout, const Options& options, int places = 0);

  /// @throws InputError  as the constructor; `classes` too may name only classes that the model has
  std::shared_ptr<const raster::SelectionRule> rule(const FrameOptions& asked) const;

  const std::shared_ptr<const raster::SelectionRule>& usual() const { return usual_; }

 private:
  std::shared_ptr<const raster::SelectionRule> make(float threshold, const std::map<ClassKey, float>& thresholds,
                                                    const std::optional<std::vector<ClassKey>>& classes) const;
  std::vector<std::size_t> columns_of(const ClassKey& key, const char* given) const;

  network::ClassLayout layout_;
  float threshold_;
  std::map<ClassKey, float> class_thresholds_;
  int max_detections_;
  int places_;
  std::shared_ptr<const raster::SelectionRule> usual_;
};

}  // namespace rfseg::pipeline
