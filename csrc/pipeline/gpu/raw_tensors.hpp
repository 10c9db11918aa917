// The network's tensors of one slot in host memory: for frames that the host finishes, and for comparing. Owns the
// pinned memory and the conversion to float32.
#pragma once

#include "pipeline/gpu/frame_plan.hpp"

#include <rfseg/segmenter.hpp>

#include <vector>

namespace rfseg::pipeline {

class RawTensors {
 public:
  explicit RawTensors(const GpuModel& model);

  /// Queues the copy of a float32 [3, Hn, Wn] input to the device, in the network's own type. Reads `network_chw` now.
  void enqueue_input(const cuda::Stream& stream, const NetworkBuffers& network, const std::vector<float>& network_chw);

  /// Queues the copies of all four tensors to the host.
  void enqueue_download(const cuda::Stream& stream, const NetworkBuffers& network);

  /// What was downloaded, as float32. `stream` has passed the download.
  NetworkTensors tensors() const;

 private:
  const network::ModelContract contract_;
  cuda::PinnedBuffer input_, dets_, labels_, masks_;
};

}  // namespace rfseg::pipeline
