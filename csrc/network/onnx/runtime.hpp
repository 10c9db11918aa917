// Runs an ONNX file on the CPU through ONNX Runtime's C interface. Opens the library at run time, knows its function
// table by slot number (no header, no link), and switches its telemetry off before it is opened.
#pragma once

#include "network/model_contract.hpp"

#include <rfseg/segmenter.hpp>

#include <memory>
#include <string>

namespace rfseg::network {

/// Where one frame's tensors are: float32 host memory of the sizes that the contract says, C-contiguous.
struct HostTensors {
  const float* input = nullptr;  ///< [3, Hn, Wn]
  float* dets = nullptr;         ///< [Q, 4]
  float* labels = nullptr;       ///< [Q, C]
  float* masks = nullptr;        ///< [Q, Hm, Wm]
};

/// One loaded model. Immutable after construction; run() may be called from several threads at once.
class OnnxNetwork {
 public:
  /// Opens `model`. `library`: path of libonnxruntime.so; empty: RFSEG_ONNXRUNTIME, then what the loader finds under
  /// `libonnxruntime.so.1` and `libonnxruntime.so`. `threads`: of the network, > 0. `log` receives the library's
  /// warnings and errors while a network that was given it exists.
  /// Waits; runs the network once when the file leaves sizes open.
  /// @throws BackendError  no usable library: names each one tried and why it was refused
  /// @throws ModelError    the file is missing, unreadable, or not an RF-DETR segmentation network
  OnnxNetwork(const std::string& model, const std::string& library, int threads, const LogCallback& log);
  ~OnnxNetwork();

  const ModelContract& contract() const;
  std::string metadata(const std::string& key) const;  ///< "" when absent
  const std::string& library_version() const;
  const std::string& library_path() const;

  /// Runs one frame and waits. Writes the outputs in place.
  /// @throws BackendError  the library reports a failure
  void run(const HostTensors& tensors) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rfseg::network
