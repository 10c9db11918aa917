#include "pipeline/rules.hpp"

#include <rfseg/error.hpp>

#include <array>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace rfseg::pipeline {

namespace {

std::string text_of(const ClassKey& key) {
  const int* id = std::get_if<int>(&key);
  return id ? std::to_string(*id) : "'" + std::get<std::string>(key) + "'";
}

std::string text_of(float number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", static_cast<double>(number));
  return text.data();
}

float cut_of(float threshold, const std::string& what) {
  if (threshold >= 0 && threshold <= 1) return raster::logit_above(threshold);  // false for NaN
  throw InputError(what + " is " + text_of(threshold) + ": it must be in 0..1");
}

}  // namespace

Rules::Rules(network::ClassLayout layout, const Options& options, int places)
    : layout_(std::move(layout)),
      threshold_(options.threshold),
      class_thresholds_(options.class_thresholds),
      max_detections_(options.max_detections),
      places_(places),
      usual_(make(threshold_, class_thresholds_, std::nullopt)) {}

std::shared_ptr<const raster::SelectionRule> Rules::rule(const FrameOptions& asked) const {
  const bool thresholds = asked.threshold || !asked.class_thresholds.empty();
  if (!thresholds && !asked.classes) return usual_;
  return make(asked.threshold.value_or(threshold_), thresholds ? asked.class_thresholds : class_thresholds_,
              asked.classes);
}

std::vector<std::size_t> Rules::columns_of(const ClassKey& key, const char* given) const {
  std::vector<std::size_t> columns;
  if (const int* id = std::get_if<int>(&key)) {
    if (*id >= 0 && *id < static_cast<int>(layout_.kept.size())) columns.push_back(static_cast<std::size_t>(*id));
  } else {
    for (const auto& [column, name] : layout_.names)
      if (name == std::get<std::string>(key)) columns.push_back(static_cast<std::size_t>(column));
  }
  if (!columns.empty()) return columns;
  throw InputError(
      std::string(given) + " class " + text_of(key) + ", which the model does not have" +
      (layout_.names.empty() ? ": it names no classes, so pass names= (a list, a file or \"coco\") or ids" : ""));
}

std::shared_ptr<const raster::SelectionRule> Rules::make(float threshold, const std::map<ClassKey, float>& thresholds,
                                                         const std::optional<std::vector<ClassKey>>& classes) const {
  constexpr float kDropped = std::numeric_limits<float>::quiet_NaN();
  raster::SelectionRule rule;
  rule.max_detections = max_detections_;
  rule.places = places_;
  rule.logit_cut.assign(layout_.kept.size(), cut_of(threshold, "threshold"));
  for (const auto& [key, own] : thresholds) {
    const float cut = cut_of(own, "threshold of class " + text_of(key));
    for (const std::size_t column : columns_of(key, "a threshold is given for")) rule.logit_cut[column] = cut;
  }
  std::vector<bool> wanted(layout_.kept.size(), !classes);
  if (classes)
    for (const ClassKey& key : *classes)
      for (const std::size_t column : columns_of(key, "classes asks for")) wanted[column] = true;
  for (std::size_t c = 0; c < layout_.kept.size(); ++c)
    if (!layout_.kept[c] || !wanted[c]) rule.logit_cut[c] = kDropped;
  return std::make_shared<const raster::SelectionRule>(std::move(rule));
}

}  // namespace rfseg::pipeline
