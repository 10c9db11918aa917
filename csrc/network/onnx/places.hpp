// Where ONNX Runtime may lie. Owns the order of the search; opens nothing.
#pragma once

#include <string>
#include <vector>

namespace rfseg::network::onnx {

/// A library to try, and who asked for it. `name` is empty where a folder was looked at in vain, which `origin` names.
struct Place {
  std::string name;
  std::string origin;
};

/// What is given alone, when it is; else RFSEG_ONNXRUNTIME alone; else the loader's search, then the pip package
/// beside the one that this library is part of, then that of the Python which the build was configured with.
std::vector<Place> places(const std::string& given);

}  // namespace rfseg::network::onnx
