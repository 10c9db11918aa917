// Runs an ONNX file on the CPU through ONNX Runtime's C interface. Opens the library at run time, knows its function
// table by slot number (no header, no link), and switches its telemetry off before it is opened.
#pragma once

#include "network/host_network.hpp"
#include "network/onnx/model_file.hpp"

#include <rfseg/segmenter.hpp>

#include <memory>
#include <string>

namespace rfseg::network {

/// One loaded model. Immutable after construction; run() may be called from several threads at once.
class OnnxNetwork final : public HostNetwork {
 public:
  /// Loads `file`. `library`: path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, then what the loader finds under
  /// `libonnxruntime.so.1` and `libonnxruntime.so`. `threads`: of the network, > 0. `log` receives the library's
  /// warnings and errors while a network that was given it exists. `stated`: names of tensors that the file's contract
  /// states.
  /// Waits; runs the network once, which tells the sizes that the file leaves open and whether its answers are numbers.
  /// @throws BackendError  no usable library: names each one tried and why it was refused; or the run fails
  /// @throws ModelError    the file cannot be loaded, is not an RF-DETR segmentation network, or answers NaN
  OnnxNetwork(const onnx::ModelFile& file, const std::string& library, int threads, const LogCallback& log,
              const TensorRoles& stated = {});
  ~OnnxNetwork() override;

  const ModelContract& contract() const override;
  const std::string& library_version() const;
  const std::string& library_path() const;

  /// Runs `images` images and waits. Writes the outputs in place.
  /// @throws InputError    not contract().batch images, where that is fixed
  /// @throws BackendError  the library reports a failure
  void run(const HostTensors& tensors, int images) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg::network
