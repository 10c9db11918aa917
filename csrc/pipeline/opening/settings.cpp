#include "pipeline/opening/settings.hpp"

#include "network/file_kind.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <set>
#include <sstream>
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

/// The ordinals that `device` names: of "cuda", "cuda:N", "cuda:0,cuda:1"; -1 alone of "cuda:all"; empty of other
/// texts.
std::vector<int> cuda_ordinals(const std::string& device) {
  if (device == "cuda:all") return {kAllGpus};
  if (!device.empty() && device.back() == ',') return {};  // getline ends before the empty part
  std::vector<int> ordinals;
  std::istringstream parts(device);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::string number = part == "cuda" ? "0" : part.rfind("cuda:", 0) == 0 ? part.substr(5) : "";
    const bool digits = !number.empty() && number.size() < 4 &&
                        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return {};
    ordinals.push_back(std::stoi(number));
  }
  return ordinals;
}

}  // namespace

void check_options(const Options& options) {
  require_between("max_detections", options.max_detections, 1, 1'000'000);
  require_between("slots", options.slots, 0, 1024);
  require_between("max_batch", options.max_batch, 0, 1024);
  require_between("lanes", options.lanes, 0, 64);
  require_between("threads", options.threads, 0, 1024);
}

std::vector<int> choose_gpus(const std::string& model, const Options& options) {
  const std::string& device = options.device;
  std::vector<int> ordinals = cuda_ordinals(device);
  if (device != "auto" && device != "cpu" && ordinals.empty())
    throw InputError(
        "device is '" + device +
        "': it must be \"auto\", \"cpu\", \"cuda\", \"cuda:N\", \"cuda:all\" or several as \"cuda:0,cuda:1\"");
  const std::set<int> different(ordinals.begin(), ordinals.end());
  if (different.size() != ordinals.size()) throw InputError("device is '" + device + "': it names a GPU twice");
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
  if (onnx && !ordinals.empty())
    throw BackendError("device '" + device + "' runs TensorRT engines, and " + model +
                       " is an ONNX file: build an engine from it (rfseg build), or use device=\"cpu\"");
  if (engine && device == "cpu")
    throw BackendError("device 'cpu' runs ONNX files, and " + model +
                       " is a TensorRT engine: use the .onnx file it was built from");
  if (engine && ordinals.empty()) ordinals = {0};
  return ordinals;
}

}  // namespace rfseg::pipeline
