// What an engine was built with and for, and whether it fits here: judged before TensorRT is asked, in words.
#pragma once

#include <rfseg/options.hpp>

#include <string>

namespace rfseg::network {

/// A TensorRT and a GPU, as a file beside an engine states them or as they are here; "" where nobody says.
struct EngineBuild {
  std::string tensorrt;            ///< version, "10.6.0" or "10.6.0.26"
  std::string gpu;                 ///< name
  std::string compute_capability;  ///< "9.0"
};

/// Says through `log`, once a process, that `engine` was built on another model of GPU of the same capability.
/// `carries_runtime`: the engine may bring the runtime of its own version.
/// @throws BackendError  `engine` was built for another compute capability or another TensorRT
void check_engine_build(const EngineBuild& built, const EngineBuild& here, const std::string& engine,
                        bool carries_runtime, const LogCallback& log);

/// True of the first call in this process. TensorRT has its own warning for each engine that was built on another model
/// of GPU: of it and of rfseg's, a process hears one.
bool first_warning_of_another_gpu();

}  // namespace rfseg::network
