// An engine as a network of the host: tensors up, one execution, tensors down. For comparing the GPU's stages with the
// host's; not for speed.
#pragma once

#include "cuda/buffer.hpp"
#include "cuda/stream.hpp"
#include "network/host_network.hpp"
#include "network/tensorrt/engine.hpp"

namespace rfseg::pipeline {

class DeviceNetwork final : public network::HostNetwork {
 public:
  /// Waits. `most_images`: an execution's at most, in engine.batch().
  DeviceNetwork(cuda::SharedDevice device, network::TensorRtEngine engine, int most_images);
  ~DeviceNetwork() override;  ///< waits for the stream

  const network::ModelContract& contract() const override { return engine_.contract(); }
  void run(const network::HostTensors& tensors, int images) override;

 private:
  struct Tensor {
    cuda::PinnedBuffer host;
    cuda::DeviceBuffer device;
    network::ElementType type;
    std::size_t image_bytes;
    void enqueue_up(const cuda::Stream& stream, const float* values, int images);
    void enqueue_down(const cuda::Stream& stream, int images);
    void read(float* values, int images) const;
  };
  Tensor tensor(const char* name, std::size_t image_bytes, network::ElementType type, int images) const;

  cuda::SharedDevice device_;
  network::TensorRtEngine engine_;
  cuda::Stream stream_;
  Tensor input_, dets_, labels_, masks_;
  network::TensorRtContext context_;
};

}  // namespace rfseg::pipeline
