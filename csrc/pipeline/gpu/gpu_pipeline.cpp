#include "pipeline/gpu/gpu_pipeline.hpp"

#include "host/stopwatch.hpp"
#include "raster/resize/packed_rows.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <numeric>
#include <utility>

namespace rfseg::pipeline {

namespace {

// The crew is called twice a frame, and waking up who sleeps costs more than the work it is called for: it looks out
// while a network of this many microseconds runs.
constexpr std::chrono::microseconds kPatience(2000);

// One waits for the next frame while the other outlines. A waiting one occupies a processor, which the crew then lacks:
// with a reader for each of eight slots a seventh of the frames a second was lost.
constexpr int kReaders = 2;

/// Indices of the boxes: work shared out so ends with small pieces, and nobody waits for a large one begun last.
std::vector<int> largest_first(const std::vector<Box>& boxes) {
  const auto area = [&boxes](int i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    return (box.x1 - box.x0) * (box.y1 - box.y0);
  };
  std::vector<int> order(boxes.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return area(a) > area(b); });
  return order;
}

}  // namespace

GpuPipeline::GpuPipeline(std::unique_ptr<const GpuModel> model, int crew)
    : model_(std::move(model)),
      frame_stream_(model_->device, "frame stream"),
      geometries_(model_->contract.network_size, model_->contract.mask_size, model_->settings.resize),
      crew_(crew, kPatience),
      readers_(kReaders) {
  for (int i = 0; i < model_->settings.slots; ++i) slots_.push_back(std::make_unique<FrameSlot>(*model_, i));
  for (const auto& slot : slots_) free_.push_back(slot.get());
}

void GpuPipeline::submit(const ImageView& frame) {
  const cuda::CurrentDevice current(*model_->device);
  const ImageView view = frame.memory == MemoryKind::host ? raster::forward_channels(frame) : frame;
  const ImageSize size{view.height, view.width};
  // The one used last among those that know the size, because its memory is warm; else the one unused for longest.
  const auto knows = [&](const FrameSlot* slot) { return slot->knows(size, view.format); };
  const auto known = std::find_if(free_.rbegin(), free_.rend(), knows);
  const auto chosen = known == free_.rend() ? free_.begin() : std::prev(known.base());
  in_flight_.push_back({*chosen, std::make_unique<Result>(), {}});  // first: nothing may fail once the frame is started
  try {
    in_flight_.back().slot->submit(view, geometries_.find(size), crew_);
  } catch (...) {
    in_flight_.pop_back();
    throw;
  }
  free_.erase(chosen);
  if (in_flight_.size() > 1) ask_reader(*std::prev(in_flight_.end(), 2));
}

void GpuPipeline::ask_reader(Flight& flight) {
  try {
    flight.read = readers_.enqueue([this, slot = flight.slot, result = flight.result.get()] { read(*slot, *result); });
  } catch (const std::bad_alloc&) {  // its collector reads it, then
  }
}

void GpuPipeline::read(FrameSlot& slot, Result& result) {
  result = slot.read();
  if (!model_->settings.outlines) return;
  host::Stopwatch watch;
  const OutlineMode mode = *model_->settings.outlines;
  const std::vector<int> order = largest_first(result.xyxy);
  crew_.split(result.size(), [&](int i) { result.masks.polygons(order[static_cast<std::size_t>(i)], mode); });
  result.speed.outlines_ms = watch.lap_ms();
}

Result GpuPipeline::collect(NetworkTensors* tensors) {
  Flight flight = std::move(in_flight_.front());
  in_flight_.pop_front();
  free_.push_back(flight.slot);
  if (flight.read.valid()) {
    flight.read.get();
  } else {
    read(*flight.slot, *flight.result);
  }
  counters_.slow_frames += flight.slot->took_slow_path() ? 1 : 0;
  counters_.bytes_back = static_cast<std::int64_t>(flight.slot->bytes_back());
  if (tensors != nullptr) {
    const cuda::CurrentDevice current(*model_->device);
    *tensors = flight.slot->tensors();
  }
  return std::move(*flight.result);
}

double GpuPipeline::network_ms(int runs, int contexts) {
  const cuda::CurrentDevice current(*model_->device);
  const auto used = static_cast<std::size_t>(contexts);
  const auto replay = [&](int count) {
    for (int i = 0; i < count; ++i) slots_[static_cast<std::size_t>(i) % used]->enqueue_network();
    for (std::size_t i = 0; i < used; ++i) slots_[i]->wait_idle();
  };
  replay(4 * contexts);  // captures, and wakes the GPU's clocks
  host::Stopwatch watch;
  replay(runs);
  return static_cast<double>(watch.lap_ms()) / runs;
}

Counters GpuPipeline::counters() const {
  Counters now = counters_;
  now.device_allocations = model_->device->allocations();
  now.module_loads = model_->device->module_loads();
  return now;
}

std::shared_ptr<std::uint8_t> GpuPipeline::frame_memory(std::size_t bytes) const {
  auto memory = std::make_shared<cuda::PinnedBuffer>(model_->device, bytes, "frame buffer");
  return {memory, reinterpret_cast<std::uint8_t*>(memory->data())};
}

std::uintptr_t GpuPipeline::frame_stream() const { return reinterpret_cast<std::uintptr_t>(frame_stream_.get()); }

void GpuPipeline::on_device(const std::function<void()>& work) const {
  const cuda::CurrentDevice current(*model_->device);
  work();
}

}  // namespace rfseg::pipeline
