// A frame's way on a machine without a GPU. The caller's thread prepares frames and reads results; one thread runs the
// network meanwhile. So the next frame's pre-processing and the last frame's outlines overlap the network.
#pragma once

#include "host/worker_pool.hpp"
#include "network/onnx/runtime.hpp"
#include "pipeline/geometry_cache.hpp"
#include "pipeline/pipeline.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/resize.hpp"

#include <rfseg/segmenter.hpp>

#include <deque>
#include <future>
#include <memory>
#include <vector>

namespace rfseg::pipeline {

class CpuPipeline final : public Pipeline {
 public:
  /// `network`: float32 in and out, with a complete contract.
  CpuPipeline(std::unique_ptr<network::OnnxNetwork> network, PipelineSettings settings);

  void submit(const ImageView& frame) override;
  Result collect(NetworkTensors* tensors) override;
  int pending() const override { return static_cast<int>(in_flight_.size()); }
  double network_ms(int runs, int contexts) override;
  std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const override;

 private:
  struct Slot {
    std::shared_ptr<const raster::FrameGeometry> geometry;
    NetworkTensors tensors;
    StageTimes speed;
    std::future<void> done;  // ready when the network has run
  };

  std::unique_ptr<Slot> make_slot() const;
  void run_network(Slot& slot) const;
  Result read_result(Slot& slot);

  std::unique_ptr<network::OnnxNetwork> network_;
  PipelineSettings settings_;
  GeometryCache geometries_;
  raster::ResizeScratch resize_scratch_;
  raster::PostprocessScratch postprocess_scratch_;
  std::vector<std::unique_ptr<Slot>> free_;
  std::deque<std::unique_ptr<Slot>> in_flight_;  // oldest first
  host::WorkerPool worker_{1};                   // last: joins before the slots its jobs write to are gone
};

}  // namespace rfseg::pipeline
