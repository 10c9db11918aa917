#include "pipeline/gpu/gpu_pipeline.hpp"

#include "cuda/pointer.hpp"

#include <algorithm>
#include <utility>

namespace rfseg::pipeline {

GpuPipeline::GpuPipeline(std::vector<std::unique_ptr<const GpuModel>> models, int crew)
    : shared_(crew, models.front()->settings.outlines) {
  for (auto& model : models) pools_.push_back(std::make_unique<LanePool>(std::move(model), shared_));
}

/// The GPU that has the frame, for one in device memory; else the one with the fewest frames in flight.
LanePool& GpuPipeline::pool_for(const ImageView& frame) const {
  if (pools_.size() == 1) return *pools_.front();
  if (frame.memory == MemoryKind::device) {
    const cuda::Device& any = *pools_.front()->model().device;
    const cuda::CurrentDevice current(any);
    const int device = cuda::describe_address(any.driver(), reinterpret_cast<DeviceAddress>(frame.data)).device;
    for (const auto& pool : pools_)
      if (pool->model().device->info().ordinal == device) return *pool;
  }
  const auto less = [](const auto& a, const auto& b) { return a->load() < b->load(); };
  return **std::min_element(pools_.begin(), pools_.end(), less);
}

std::vector<std::shared_ptr<Flight>> GpuPipeline::submit(const std::vector<FrameRequest>& requests) {
  std::vector<std::shared_ptr<Flight>> flights;
  const auto most = static_cast<std::size_t>(pools_.front()->model().settings.max_batch);
  try {
    for (std::size_t begin = 0; begin < requests.size();) {
      LanePool& pool = pool_for(requests[begin].image);
      std::size_t end = begin + 1;
      const auto together = [&](const FrameRequest& one) {
        return one.image.memory == MemoryKind::host || &pool_for(one.image) == &pool;
      };
      while (end < requests.size() && end - begin < most && together(requests[end])) ++end;
      const auto started = pool.submit(&requests[begin], end - begin);
      flights.insert(flights.end(), started.begin(), started.end());
      begin = end;
    }
  } catch (...) {
    for (const auto& flight : flights) flight->cancel(std::current_exception());
    throw;
  }
  return flights;
}

double GpuPipeline::network_ms(int runs, int contexts, int batch) {
  return pools_.front()->network_ms(runs, contexts, batch);
}

Counters GpuPipeline::counters() const {
  Counters now;
  now.frames = shared_.frames;
  now.batches = shared_.batches;
  now.slow_frames = shared_.slow_frames;
  now.bytes_back = shared_.bytes_back;
  for (const auto& pool : pools_) {
    now.device_allocations += pool->model().device->allocations();
    now.module_loads += pool->model().device->module_loads();
    now.captures += pool->model().device->captures();
  }
  return now;
}

std::shared_ptr<std::uint8_t> GpuPipeline::frame_memory(std::size_t bytes) const {
  auto memory = std::make_shared<cuda::PinnedBuffer>(pools_.front()->model().device, bytes, "frame buffer");
  return {memory, reinterpret_cast<std::uint8_t*>(memory->data())};
}

std::uintptr_t GpuPipeline::frame_stream(int gpu) const {
  return reinterpret_cast<std::uintptr_t>(pools_.at(static_cast<std::size_t>(gpu))->frame_stream().get());
}

void GpuPipeline::on_device(const std::function<void()>& work, int gpu) const {
  const cuda::CurrentDevice current(*pools_.at(static_cast<std::size_t>(gpu))->model().device);
  work();
}

}  // namespace rfseg::pipeline
