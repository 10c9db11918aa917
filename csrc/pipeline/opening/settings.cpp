#include "pipeline/opening/settings.hpp"

#include "network/file_kind.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace rfseg::pipeline {

namespace {

void require_between(const char* option, double value, double low, double high) {
  if (value >= low && value <= high) return;  // false for NaN
  auto text = [](double number) {
    std::string digits = std::to_string(number);
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
  };
  throw InputError(std::string(option) + " is " + text(value) + ": it must be in " + text(low) + ".." + text(high));
}

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

/// The N of "cuda:N", 0 of "cuda"; nothing for any other text.
std::optional<int> cuda_ordinal(const std::string& device) {
  if (device == "cuda") return 0;
  const std::string number = device.substr(std::min<std::size_t>(5, device.size()));
  const bool digits = !number.empty() && number.size() < 4 &&
                      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (device.rfind("cuda:", 0) != 0 || !digits) return std::nullopt;
  return std::stoi(number);
}

std::vector<int> columns_of(const std::variant<int, std::string>& key, const network::ClassLayout& layout) {
  std::vector<int> columns;
  if (const int* id = std::get_if<int>(&key)) {
    if (*id >= 0 && *id < static_cast<int>(layout.kept.size())) columns.push_back(*id);
  } else {
    for (const auto& [column, name] : layout.names)
      if (name == std::get<std::string>(key)) columns.push_back(column);
  }
  return columns;
}

std::string text_of(const std::variant<int, std::string>& key) {
  const int* id = std::get_if<int>(&key);
  return id ? std::to_string(*id) : "'" + std::get<std::string>(key) + "'";
}

}  // namespace

void check_options(const Options& options) {
  require_between("threshold", options.threshold, 0, 1);
  for (const auto& [key, threshold] : options.class_thresholds)
    require_between(("threshold of class " + text_of(key)).c_str(), threshold, 0, 1);
  require_between("max_detections", options.max_detections, 1, 1'000'000);
  require_between("slots", options.slots, 0, 64);
  require_between("threads", options.threads, 0, 1024);
}

std::optional<int> choose_gpu(const std::string& model, const Options& options) {
  const std::string& device = options.device;
  const std::optional<int> ordinal = cuda_ordinal(device);
  if (device != "auto" && device != "cpu" && !ordinal)
    throw InputError("device is '" + device + "': it must be \"auto\", \"cpu\", \"cuda\" or \"cuda:N\"");
  const bool onnx = ends_with(model, ".onnx");
  const bool engine = ends_with(model, ".engine") || ends_with(model, ".plan") || ends_with(model, ".trt");
  const network::FileLook look = network::look_at_file(model);
  if (look.kind == network::FileKind::other) throw ModelError(model + " " + look.words);
  if (engine && look.kind == network::FileKind::onnx)
    throw ModelError(model + " is an ONNX file: name it .onnx to run it on a CPU, or build an engine from it");
  if (!engine && look.kind == network::FileKind::tensorrt)
    throw ModelError(model + " is a TensorRT engine: name it .engine, .plan or .trt to run it on a GPU");
  if (!onnx && look.kind == network::FileKind::onnx)
    throw ModelError(model + " is an ONNX file by its content: name it .onnx");
  if (!onnx && !engine)
    throw ModelError(model + " is neither an ONNX file (.onnx) nor a TensorRT engine (.engine, .plan, .trt)");
  if (onnx && ordinal)
    throw BackendError("device '" + device + "' runs TensorRT engines, and " + model +
                       " is an ONNX file: build an engine from it, or use device=\"cpu\"");
  if (engine && device == "cpu")
    throw BackendError("device 'cpu' runs ONNX files, and " + model +
                       " is a TensorRT engine: use the .onnx file it was built from");
  return engine ? std::optional<int>(ordinal.value_or(0)) : std::nullopt;
}

raster::SelectionRule selection_rule(const network::ClassLayout& layout, const Options& options, int places) {
  raster::SelectionRule rule;
  rule.places = places;
  rule.max_detections = options.max_detections;
  rule.logit_cut.assign(layout.kept.size(), raster::logit_above(options.threshold));
  for (const auto& [key, threshold] : options.class_thresholds) {
    const std::vector<int> columns = columns_of(key, layout);
    if (columns.empty())
      throw InputError(
          "a threshold is given for class " + text_of(key) + ", which the model does not have" +
          (layout.names.empty() ? ": it names no classes; pass names= (a list, a file, or \"coco\")" : ""));
    for (const int column : columns) rule.logit_cut[static_cast<std::size_t>(column)] = raster::logit_above(threshold);
  }
  for (std::size_t c = 0; c < layout.kept.size(); ++c)
    if (!layout.kept[c]) rule.logit_cut[c] = std::numeric_limits<float>::quiet_NaN();
  return rule;
}

}  // namespace rfseg::pipeline
