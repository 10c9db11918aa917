#include "network/engine_build.hpp"

#include <rfseg/error.hpp>

#include <atomic>
#include <cstddef>

namespace rfseg::network {

namespace {

/// The three numbers that decide; packages count builds in a fourth place, libraries do not.
std::string release(const std::string& version) {
  std::size_t end = version.find('.');
  for (int dots = 1; dots < 3 && end != std::string::npos; ++dots) end = version.find('.', end + 1);
  return version.substr(0, end);
}

}  // namespace

void check_engine_build(const EngineBuild& built, const EngineBuild& here, const std::string& engine,
                        bool carries_runtime, const LogCallback& log) {
  constexpr const char* kAgain = ": build it again on this machine (rfseg build), or give the .onnx file";
  if (!built.compute_capability.empty() && built.compute_capability != here.compute_capability)
    throw BackendError(engine + " was built for compute capability " + built.compute_capability +
                       (built.gpu.empty() ? "" : " (" + built.gpu + ")") + ", and " + here.gpu + " has " +
                       here.compute_capability + kAgain);
  if (!built.tensorrt.empty() && !carries_runtime && release(built.tensorrt) != release(here.tensorrt))
    throw BackendError(engine + " was built by TensorRT " + built.tensorrt + ", and the library here is " +
                       here.tensorrt + kAgain + "; or pip install \"tensorrt-cu12==" + release(built.tensorrt) +
                       ".*\"");
  if (!built.gpu.empty() && built.gpu != here.gpu && first_warning_of_another_gpu() && log)
    log(LogLevel::warning,
        engine + " was built on " + built.gpu + " and runs on " + here.gpu + ": it may be slower than one built here");
}

bool first_warning_of_another_gpu() {
  static std::atomic<bool> said{false};  // of the process: TensorRT's logger is one too
  return !said.exchange(true);
}

}  // namespace rfseg::network
