// A frame's way on GPUs: a pool of lanes on each, and one crew for all. Chooses the pool; the pool does the work.
#pragma once

#include "pipeline/gpu/lane_pool.hpp"
#include "pipeline/pipeline.hpp"

#include <memory>
#include <vector>

namespace rfseg::pipeline {

class GpuPipeline final : public Pipeline {
 public:
  /// `models`: one for each GPU, at least one, of the same engine file. `crew`: threads that help copying and
  /// outlining. Waits: every lane allocates and captures.
  GpuPipeline(std::vector<std::unique_ptr<const GpuModel>> models, int crew);

  std::vector<std::shared_ptr<Flight>> submit(const std::vector<FrameRequest>& requests) override;
  double network_ms(int runs, int contexts, int batch) override;
  Counters counters() const override;
  std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const override;
  std::uintptr_t frame_stream(int gpu) const override;
  void on_device(const std::function<void()>& work, int gpu) const override;

 private:
  LanePool& pool_for(const ImageView& frame) const;

  Shared shared_;
  std::vector<std::unique_ptr<LanePool>> pools_;
};

}  // namespace rfseg::pipeline
