#include "pipeline/cpu/cpu_pipeline.hpp"

#include "host/stopwatch.hpp"
#include "network/half.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace rfseg::pipeline {

namespace {

/// Copies what the network answered to image `i` of a batch.
void take_answers(const NetworkTensors& batch, std::size_t i, NetworkTensors& image) {
  const auto take = [i](const std::vector<float>& all, std::vector<float>& one) {
    std::copy_n(all.data() + i * one.size(), one.size(), one.data());
  };
  take(batch.dets, image.dets), take(batch.labels, image.labels), take(batch.masks, image.masks);
}

/// The tensors with the input as the network gets it.
NetworkTensors as_given(NetworkTensors tensors, const network::ModelContract& contract) {
  if (contract.input_type == network::ElementType::float16)
    for (float& value : tensors.input) value = network::float_from_half(network::half_from_float(value));
  return tensors;
}

}  // namespace

CpuPipeline::CpuPipeline(std::unique_ptr<network::HostNetwork> network, PipelineSettings settings)
    : network_(std::move(network)),
      settings_(std::move(settings)),
      demand_(std::make_shared<raster::OutlineDemand>(settings_.outlines)),
      sizes_([this](ImageSize size) {
        return raster::FrameGeometry(size, network_->contract().network_size, network_->contract().mask_size,
                                     settings_.resize);
      }),
      frames_(make_places()),
      crew_(1, std::chrono::microseconds(0), *rhythm_) {
  if (settings_.max_batch > 1) together_ = network::make_tensors(network_->contract(), settings_.max_batch);
  worker_ = std::thread([this] { work(); });
}

CpuPipeline::~CpuPipeline() {
  frames_.hold();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

std::vector<std::unique_ptr<CpuPipeline::Place>> CpuPipeline::make_places() const {
  std::vector<std::unique_ptr<Place>> places;
  for (int i = 0; i < settings_.slots; ++i) {
    places.push_back(std::make_unique<Place>());
    places.back()->tensors = network::make_tensors(network_->contract(), 1);
  }
  return places;
}

CpuPipeline::Place& CpuPipeline::admit(const FrameRequest& request) {
  if (request.image.memory != MemoryKind::host)
    throw InputError(
        "the frame is in device memory, and the host prepares frames here: copy it to the host, or run the network's "
        "engine with stages device");
  const auto geometry = sizes_.find({request.image.height, request.image.width});
  Place& place = frames_.enter([](const Place&) { return false; });
  try {
    host::Stopwatch watch;
    place.flight = std::make_shared<Flight>(rhythm_);
    place.rule = request.rule;
    place.wanted = request.tensors;
    place.geometry = geometry;
    raster::preprocess(request.image, *geometry, place.resize_scratch, place.tensors.input.data(),
                       settings_.normalisation);
    place.speed = {};
    place.speed.preprocess_ms = watch.lap_ms();
  } catch (...) {
    leave(place, false);
    throw;
  }
  return place;
}

void CpuPipeline::line_up(std::vector<Place*>& places) {
  {
    const std::lock_guard lock(mutex_);
    for (Place* place : places) frames_.line_up(*place);
  }
  places.clear();
  changed_.notify_one();
}

std::vector<std::shared_ptr<Flight>> CpuPipeline::submit(const std::vector<FrameRequest>& requests) {
  std::vector<std::shared_ptr<Flight>> flights;
  std::vector<Place*> places;
  flights.reserve(requests.size()), places.reserve(requests.size());  // a place that found none would be lost
  try {
    for (const FrameRequest& request : requests) {
      // Who holds places and waits for more could wait for another who does the same.
      const bool batch_is_full = places.size() == static_cast<std::size_t>(settings_.max_batch);
      if (!places.empty() && (batch_is_full || frames_.full())) line_up(places);
      places.push_back(&admit(request));
      flights.push_back(places.back()->flight);
    }
  } catch (...) {
    for (const auto& flight : flights) flight->cancel(std::current_exception());
    line_up(places);
    throw;
  }
  line_up(places);
  return flights;
}

void CpuPipeline::work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || frames_.ready() > 0; });
      if (frames_.ready() == 0) return;
    }
    try {
      const std::vector<Place*> batch = frames_.next(settings_.max_batch);
      if (!batch.empty()) run(batch);
    } catch (const std::bad_alloc&) {  // no memory for the list: one frame bears it
      if (Place* place = frames_.next()) give_up(*place, std::current_exception());
    }
  }
}

void CpuPipeline::give_up(Place& place, const std::exception_ptr& why) {
  const std::shared_ptr<Flight> flight = place.flight;
  leave(place, false);
  flight->fail(why);
}

/// What an execution of `frames` frames takes: a fixed batch is filled up.
int CpuPipeline::images_for(std::size_t frames) const {
  return std::max(network_->contract().batch, static_cast<int>(frames));
}

void CpuPipeline::run_network(NetworkTensors& tensors, int images) const {
  network_->run({tensors.input.data(), tensors.dets.data(), tensors.labels.data(), tensors.masks.data()}, images);
}

void CpuPipeline::run(const std::vector<Place*>& batch) {
  host::Stopwatch watch;
  std::exception_ptr failure;
  try {
    const int images = images_for(batch.size());
    if (images == 1) {
      run_network(batch.front()->tensors, 1);
    } else {
      const std::size_t input = batch.front()->tensors.input.size();
      for (std::size_t i = 0; i < batch.size(); ++i)
        std::copy_n(batch[i]->tensors.input.data(), input, together_.input.data() + i * input);
      run_network(together_, images);
      for (std::size_t i = 0; i < batch.size(); ++i) take_answers(together_, i, batch[i]->tensors);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  batches_ += 1;
  const float network_ms = watch.lap_ms();
  for (Place* place : batch) {
    const std::shared_ptr<Flight> flight = place->flight;
    place->speed.network_ms = network_ms;
    if (failure) {
      give_up(*place, failure);
      continue;
    }
    flight->answer([this, place] { return finish(*place); });
    finish_soon(flight, crew_);
  }
}

Result CpuPipeline::finish(Place& place) {
  host::Stopwatch watch;
  Result result;
  try {
    result = raster::postprocess(outputs_of(place.tensors, network_->contract()), *place.geometry, *place.rule,
                                 place.postprocess_scratch);
    if (place.wanted) *place.wanted = as_given(place.tensors, network_->contract());
  } catch (...) {
    leave(place, false);
    throw;
  }
  result.names = settings_.names;
  result.speed = place.speed;
  result.speed.postprocess_ms = watch.lap_ms();
  finished_ += 1;
  leave(place, true);
  const auto finished = [](FramesInFlight<Place>* frames) { frames->finished(); };
  const std::unique_ptr<FramesInFlight<Place>, decltype(finished)> last(&frames_, finished);
  const bool traced = demand_->trace_ahead(result.masks, [](int count, const std::function<void(int)>& trace) {
    for (int i = 0; i < count; ++i) trace(i);
  });
  if (traced) result.speed.outlines_ms = watch.lap_ms();
  return result;
}

void CpuPipeline::leave(Place& place, bool unfinished) {
  place.rule = nullptr;
  place.wanted = nullptr;
  frames_.leave(place, unfinished);
}

Counters CpuPipeline::counters() const {
  Counters now;
  now.frames = finished_, now.batches = batches_;
  return now;
}

std::shared_ptr<std::uint8_t> CpuPipeline::frame_memory(std::size_t bytes) const {
  auto memory = std::make_shared<std::vector<std::uint8_t>>(bytes);
  return {memory, memory->data()};
}

double CpuPipeline::network_ms(int runs, int /*contexts*/, int batch) {  // one context: the threads are the machine's
  const auto release = [](FramesInFlight<Place>* frames) { frames->release(); };
  frames_.hold();
  const std::unique_ptr<FramesInFlight<Place>, decltype(release)> held(&frames_, release);
  NetworkTensors& tensors = images_for(1) == 1 && batch == 1 ? frames_.places().front()->tensors : together_;
  run_network(tensors, batch);  // the first run after a pause is not like the others
  host::Stopwatch watch;
  for (int i = 0; i < runs; ++i) run_network(tensors, batch);
  return static_cast<double>(watch.lap_ms()) / runs / batch;
}

}  // namespace rfseg::pipeline
