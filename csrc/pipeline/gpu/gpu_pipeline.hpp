// A frame's way on a GPU. The caller's thread copies a frame in, with a crew helping, and starts its graph, in a slot
// of its own. The newest frame is read by who collects it, without a thread in between; as soon as another is submitted
// behind it, a reader waits for it, decodes and outlines it, while the others are on the GPU.
#pragma once

#include "host/crew.hpp"
#include "host/worker_pool.hpp"
#include "pipeline/geometry_cache.hpp"
#include "pipeline/gpu/frame_slot.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "pipeline/pipeline.hpp"

#include <deque>
#include <future>
#include <memory>
#include <vector>

namespace rfseg::pipeline {

class GpuPipeline final : public Pipeline {
 public:
  /// `crew`: threads that help copying and outlining, > 0. Waits: every slot allocates and runs once.
  GpuPipeline(std::unique_ptr<const GpuModel> model, int crew);

  void submit(const ImageView& frame) override;
  Result collect(NetworkTensors* tensors) override;
  int pending() const override { return static_cast<int>(in_flight_.size()); }
  double network_ms(int runs, int contexts) override;
  Counters counters() const override;
  std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const override;
  std::uintptr_t frame_stream() const override;
  void on_device(const std::function<void()>& work) const override;

 private:
  struct Flight {
    FrameSlot* slot;
    std::unique_ptr<Result> result;  // written by the reader before `read` is ready
    std::future<void> read;          // not valid while no reader was asked
  };

  void read(FrameSlot& slot, Result& result);
  void ask_reader(Flight& flight);

  std::unique_ptr<const GpuModel> model_;
  cuda::Stream frame_stream_;
  GeometryCache geometries_;
  std::vector<std::unique_ptr<FrameSlot>> slots_;
  std::vector<FrameSlot*> free_;  // used last at the end
  std::deque<Flight> in_flight_;  // oldest first
  Counters counters_;             // of the frames collected
  host::Crew crew_;
  host::WorkerPool readers_;  // last: joins before what its jobs use is gone
};

}  // namespace rfseg::pipeline
