#include "pipeline/cpu/cpu_pipeline.hpp"

#include "host/stopwatch.hpp"

#include <rfseg/error.hpp>

#include <utility>

namespace rfseg::pipeline {

namespace {

std::size_t pixels(ImageSize size) {
  return static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
}

}  // namespace

CpuPipeline::CpuPipeline(std::unique_ptr<network::OnnxNetwork> network, PipelineSettings settings)
    : network_(std::move(network)),
      settings_(std::move(settings)),
      geometries_(network_->contract().network_size, network_->contract().mask_size, settings_.resize) {
  for (int i = 0; i < settings_.slots; ++i) free_.push_back(make_slot());
}

std::unique_ptr<CpuPipeline::Slot> CpuPipeline::make_slot() const {
  const network::ModelContract& contract = network_->contract();
  const auto queries = static_cast<std::size_t>(contract.queries);
  auto slot = std::make_unique<Slot>();
  slot->tensors.input.resize(3 * pixels(contract.network_size));
  slot->tensors.dets.resize(queries * 4);
  slot->tensors.labels.resize(queries * static_cast<std::size_t>(contract.columns));
  slot->tensors.masks.resize(queries * pixels(contract.mask_size));
  return slot;
}

void CpuPipeline::submit(const ImageView& frame) {
  if (frame.memory != MemoryKind::host)
    throw InputError("the frame is in device memory, but the network runs on the CPU");
  Slot& slot = *free_.back();
  host::Stopwatch watch;
  slot.geometry = geometries_.find({frame.height, frame.width});
  raster::preprocess(frame, *slot.geometry, resize_scratch_, slot.tensors.input.data(), settings_.normalisation);
  slot.speed = {};
  slot.speed.preprocess_ms = watch.lap_ms();
  in_flight_.emplace_back();  // first: nothing may fail once the frame is started
  try {
    slot.done = worker_.enqueue([this, &slot] { run_network(slot); });
  } catch (...) {
    in_flight_.pop_back();
    throw;
  }
  in_flight_.back() = std::move(free_.back());
  free_.pop_back();
}

void CpuPipeline::run_network(Slot& slot) const {
  host::Stopwatch watch;
  NetworkTensors& tensors = slot.tensors;
  network_->run({tensors.input.data(), tensors.dets.data(), tensors.labels.data(), tensors.masks.data()});
  slot.speed.network_ms = watch.lap_ms();
}

Result CpuPipeline::collect(NetworkTensors* tensors) {
  free_.push_back(std::move(in_flight_.front()));
  in_flight_.pop_front();
  Slot& slot = *free_.back();
  slot.done.get();
  if (tensors != nullptr) *tensors = slot.tensors;
  return read_result(slot);
}

Result CpuPipeline::read_result(Slot& slot) {
  host::Stopwatch watch;
  Result result = raster::postprocess(outputs_of(slot.tensors, network_->contract()), *slot.geometry, settings_.rule,
                                      postprocess_scratch_);
  result.names = settings_.names;
  result.speed = slot.speed;
  result.speed.postprocess_ms = watch.lap_ms();
  if (settings_.outlines) {
    for (int i = 0; i < result.size(); ++i) result.masks.polygons(i, *settings_.outlines);
    result.speed.outlines_ms = watch.lap_ms();
  }
  return result;
}

std::shared_ptr<std::uint8_t> CpuPipeline::frame_memory(std::size_t bytes) const {
  auto memory = std::make_shared<std::vector<std::uint8_t>>(bytes);
  return {memory, memory->data()};
}

double CpuPipeline::network_ms(int runs, int /*contexts*/) {  // one context: the network's threads are the machine's
  Slot& slot = *free_.back();
  run_network(slot);  // the first run after a pause is not like the others
  host::Stopwatch watch;
  for (int i = 0; i < runs; ++i) run_network(slot);
  return static_cast<double>(watch.lap_ms()) / runs;
}

}  // namespace rfseg::pipeline
