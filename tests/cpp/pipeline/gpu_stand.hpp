// What the tests of the GPU pipeline share: both stand-ins with kernels and a network, and what the host's stages make
// of the same frames. The network's answers follow from every bit of its input, so a result fits one frame only.
#pragma once

#include "network/tensorrt_stand.hpp"
#include "pipeline/gpu/gpu_pipeline.hpp"
#include "stand_ins/kernel_models.hpp"

#include <rfseg/segmenter.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stand_in {

/// The engine: what the TensorRT stand-in offers.
struct NetworkShape {
  rfseg::ImageSize network{16, 24}, mask{6, 9};
  int queries = 6, columns = 5;
  bool half = false;  ///< every tensor is float16
  int batch = 1;      ///< of every execution; 0: open, from 1 to 8
};

/// How a frame's pixels lie in memory.
enum class Layout { packed, padded, flipped, mirrored, reversed_channels, planar, four_bytes };
inline constexpr Layout kLayouts[] = {Layout::packed,    Layout::padded, Layout::flipped,
                                      Layout::mirrored,  Layout::planar, Layout::reversed_channels,
                                      Layout::four_bytes};

/// A frame of random bytes that owns them.
struct Frame {
  Frame(rfseg::ImageSize size, std::uint64_t seed, rfseg::PixelFormat format = rfseg::PixelFormat::bgr8,
        Layout layout = Layout::packed);
  Frame(Frame&&) = default;  // a copy's view would be of the original
  /// The same view of a copy of the bytes at `memory`.
  rfseg::ImageView at(void* memory) const;

  std::vector<std::uint8_t> bytes;
  rfseg::ImageView view;
};

struct GpuStand : TensorRtStand {
  explicit GpuStand(const NetworkShape& network_shape = {});
  ~GpuStand();  ///< no kernel may have complained

  /// A pipeline with `settings`.
  std::unique_ptr<rfseg::pipeline::GpuPipeline> pipeline(int crew = 2);
  /// The same engine with the host's stages around it.
  std::unique_ptr<rfseg::pipeline::Pipeline> host_pipeline();
  /// A Segmenter of the same engine, with the same classes.
  rfseg::Segmenter segmenter(int slots, const std::string& on = "auto", rfseg::Stages stages = rfseg::Stages::device);

  /// What the network is to be given for `frame`, and answers.
  rfseg::NetworkTensors tensors(const rfseg::ImageView& frame) const;
  /// The host's stages on those.
  rfseg::Result expected(const rfseg::ImageView& frame) const;
  void expect_equal(const rfseg::Result& result, const rfseg::Result& right);
  void expect_tensors(const rfseg::NetworkTensors& found, const rfseg::NetworkTensors& right) const;
  /// What Segmenter::submit and infer do.
  std::shared_ptr<rfseg::pipeline::Flight> start(rfseg::pipeline::Pipeline& pipeline, const rfseg::ImageView& frame,
                                                 std::shared_ptr<rfseg::NetworkTensors> tensors = nullptr) const;
  rfseg::Result infer(rfseg::pipeline::Pipeline& pipeline, const rfseg::ImageView& frame) const;

  NetworkShape shape;
  rfseg::pipeline::PipelineSettings settings;  ///< two slots, one lane, the network's batch
  rfseg::raster::SelectionRule rule;           ///< column 3 is no class
  /// Changes the answers, in the network and in what is expected. Set before the first frame.
  std::function<void(rfseg::NetworkTensors&)> adjust;
  /// When true of the control panel, the network refuses to be queued.
  std::function<bool(const Cuda&)> refuse_network;
  std::atomic<int> network_runs{0}, network_images{0};
  int instances = 0;  ///< compared so far: a test that compared none has shown nothing

 private:
  void answer(rfseg::NetworkTensors& tensors) const;
  void run_network(const std::map<std::string, void*>& address, int images);
  std::shared_ptr<Complaints> complaints_ = std::make_shared<Complaints>();
};

/// The message of the `Exception` that `call` throws.
template <class Exception, class Call>
std::string thrown(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace stand_in
