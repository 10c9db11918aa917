#include "pipeline/gpu/lane_pool.hpp"

#include "host/stopwatch.hpp"
#include "pipeline/gpu/hand_back.hpp"
#include "pipeline/gpu/upload.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/packed_rows.hpp"

#include <rfseg/error.hpp>

#include <utility>

namespace rfseg::pipeline {

namespace {

using namespace std::chrono_literals;

// How long the crew looks out between a frame's copy and its outlines: while a network of this time runs.
constexpr std::chrono::microseconds kPatience = 2ms;

std::vector<std::unique_ptr<Place>> make_places(const GpuModel& model) {
  std::vector<std::unique_ptr<Place>> places;
  for (int i = 0; i < model.settings.slots; ++i) places.push_back(std::make_unique<Place>(model, i));
  return places;
}

}  // namespace

Shared::Shared(int threads, std::optional<OutlineMode> outlines)
    : rhythm(std::make_shared<host::Rhythm>()),
      demand(std::make_shared<raster::OutlineDemand>(outlines)),
      crew(threads, kPatience, *rhythm) {}

LanePool::LanePool(std::unique_ptr<const GpuModel> model, Shared& shared)
    : model_(std::move(model)),
      shared_(shared),
      frame_stream_(model_->device, "frame stream"),
      sizes_([this](ImageSize size) {
        return FrameTables(raster::FrameGeometry(size, model_->contract.network_size, model_->contract.mask_size,
                                                 model_->settings.resize));
      }),
      frames_(make_places(*model_)) {
  for (int i = 0; i < model_->settings.lanes; ++i) lanes_.push_back(std::make_unique<Lane>(*model_, i));
  for (const auto& lane : lanes_) idle_.push_back(lane.get());
  running_.reserve(lanes_.size());
  attended_.reserve(lanes_.size());
  watcher_ = std::thread([this] { watch(); });
}

LanePool::~LanePool() {
  frames_.hold();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

/// A place with the frame on its way to it. Waits for a place and while the frame is read, unless the device reads it.
Place& LanePool::admit(const FrameRequest& request) {
  const auto tables = sizes_.find({request.image.height, request.image.width});
  Place& place = frames_.enter([&](const Place& free) { return free.holds(tables.get()); });
  try {
    host::Stopwatch watch;
    place.flight = std::make_shared<Flight>(shared_.rhythm);
    place.rule = request.rule;
    place.tensors = request.tensors;
    place.slow = false;
    place.speed = {};
    place.prepare(tables, run_capacity_.toggles());
    const bool in_a_row = frames_.count() > model_->settings.lanes + 1;
    if (enqueue_upload(*model_, request.image, place, shared_.crew, in_a_row)) place.arrived().wait_reached();
    place.speed.preprocess_ms = watch.lap_ms();
  } catch (...) {  // what was queued before it failed may still read the caller's memory, or the place's
    place.drain();
    leave(place, false);
    throw;
  }
  return place;
}

std::vector<std::shared_ptr<Flight>> LanePool::submit(const FrameRequest* requests, std::size_t count) {
  const cuda::CurrentDevice current(*model_->device);
  shared_.rhythm->note_arrival();
  std::vector<std::shared_ptr<Flight>> flights;
  std::vector<Place*> places;
  flights.reserve(count), places.reserve(count);  // a place that found none would be lost
  const auto line_up = [&] {
    for (Place* place : places) frames_.line_up(*place);
    places.clear();
    dispatch();
  };
  try {
    for (std::size_t i = 0; i < count; ++i) {
      // Who holds places and waits for more could wait for another who does the same.
      if (!places.empty() && frames_.full()) line_up();
      places.push_back(&admit(requests[i]));
      flights.push_back(places.back()->flight);
    }
  } catch (...) {
    for (const auto& flight : flights) flight->cancel(std::current_exception());
    line_up();
    throw;
  }
  line_up();
  shared_.rhythm->note_turn();
  return flights;
}

/// Gives what waits to idle lanes. Any thread.
void LanePool::dispatch() {
  for (;;) {
    Lane* lane = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty() || frames_.ready() == 0) return;
      lane = idle_.back();
      idle_.pop_back();
    }
    const bool started = start(*lane);
    {
      const std::lock_guard lock(mutex_);
      (started ? running_ : idle_).push_back(lane);
    }
    if (started) changed_.notify_all();
  }
}

/// False when nothing runs in the lane: nothing waited, or what did has failed.
bool LanePool::start(Lane& lane) {
  const int ready = frames_.ready();
  if (ready == 0) return false;
  std::vector<Place*> batch;
  try {
    batch = frames_.next(model_->batch_size_for(ready));
    if (batch.empty()) return false;
    lane.launch(batch);
  } catch (...) {
    if (batch.empty()) {  // no memory for the list: one frame bears it
      if (Place* place = frames_.next()) give_up(*place, std::current_exception());
    }
    for (Place* place : batch) give_up(*place, std::current_exception());
    return false;
  }
  for (const Place* place : batch) place->flight->expect_at(lane.expected_end());
  return true;
}

void LanePool::give_up(Place& place, const std::exception_ptr& why) {
  const std::shared_ptr<Flight> flight = place.flight;
  leave(place, false);
  flight->fail(why);
}

void LanePool::leave(Place& place, bool unfinished) {
  place.rule = nullptr;
  place.tensors = nullptr;
  frames_.leave(place, unfinished);
}

/// Makes the result of an answered frame and frees its place. Any thread, one for a place.
Result LanePool::finish(Place& place) {
  host::Stopwatch watch;
  Result result;
  std::size_t bytes_back = 0;
  try {
    if (place.slow) {
      raster::PostprocessScratch scratch;
      result =
          raster::postprocess(outputs_of(*place.tensors, model_->contract), place.geometry(), *place.rule, scratch);
      bytes_back = model_->bytes.dets + model_->bytes.labels + model_->bytes.masks;
    } else {
      bytes_back = pipeline::bytes_back(place.hand_back());
      result = read_hand_back(place.hand_back(), place.runs(), place.geometry());
    }
  } catch (...) {
    leave(place, false);
    throw;
  }
  result.names = model_->settings.names;
  result.speed = place.speed;
  result.speed.postprocess_ms = watch.lap_ms();
  shared_.frames += 1;
  shared_.slow_frames += place.slow ? 1 : 0;
  shared_.bytes_back = static_cast<std::int64_t>(bytes_back);
  leave(place, true);  // first: another frame may have it while this one's outlines are traced
  const auto finished = [](FramesInFlight<Place>* frames) { frames->finished(); };
  const std::unique_ptr<FramesInFlight<Place>, decltype(finished)> last(&frames_, finished);
  const bool traced = shared_.demand->trace_ahead(
      result.masks,
      [crew = &shared_.crew](int count, const std::function<void(int)>& trace) { crew->split(count, trace); });
  if (traced) result.speed.outlines_ms = watch.lap_ms();
  return result;
}

double LanePool::network_ms(int runs, int contexts, int batch) {
  frames_.hold();
  const auto held = [this](void*) { frames_.release(); };
  const std::unique_ptr<void, decltype(held)> hold(this, held);
  const cuda::CurrentDevice current(*model_->device);
  const auto used = static_cast<std::size_t>(contexts);
  const auto replay = [&](int count) {
    for (int i = 0; i < count; ++i) lanes_[static_cast<std::size_t>(i) % used]->enqueue_network(batch);
    for (std::size_t i = 0; i < used; ++i) lanes_[i]->wait_idle();
  };
  replay(4 * contexts);  // captures, and wakes the GPU's clocks
  host::Stopwatch watch;
  replay(runs);
  return static_cast<double>(watch.lap_ms()) / runs / batch;
}

}  // namespace rfseg::pipeline
