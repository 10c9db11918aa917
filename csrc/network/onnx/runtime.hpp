// Runs an ONNX file on the CPU through ONNX Runtime's C interface. Opens the library at run time, knows its function
// table by slot number (no header, no link), and switches its telemetry off before it is opened.
#pragma once

#include "network/host_network.hpp"

#include <rfseg/segmenter.hpp>

#include <memory>
#include <string>

namespace rfseg::network {

/// One loaded model. Immutable after construction; run() may be called from several threads at once.
class OnnxNetwork final : public HostNetwork {
 public:
  /// Opens `model`. `library`: path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, then what the loader finds under
  /// `libonnxruntime.so.1` and `libonnxruntime.so`. `threads`: of the network, > 0. `log` receives the library's
  /// warnings and errors while a network that was given it exists.
  /// Waits; runs the network once when the file leaves sizes open.
  /// @throws BackendError  no usable library: names each one tried and why it was refused
  /// @throws ModelError    the file is missing, unreadable, or not an RF-DETR segmentation network
  OnnxNetwork(const std::string& model, const std::string& library, int threads, const LogCallback& log);
  ~OnnxNetwork() override;

  const ModelContract& contract() const override;
  std::string metadata(const std::string& key) const;  ///< "" when absent
  const std::string& library_version() const;
  const std::string& library_path() const;

  void run(const HostTensors& tensors, int images) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg::network
