// The watcher of the lanes: one thread that sees when a batch ends, starts the next one and lets the crew finish its
// frames.
#include "pipeline/gpu/hand_back.hpp"
#include "pipeline/gpu/lane_pool.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace rfseg::pipeline {

namespace {

using namespace std::chrono_literals;
using Clock = host::Rhythm::Clock;

// The watcher sleeps until this long before a batch is expected to end, unless its callers hurry, and asks without
// pause from then on, for this long behind it; then it asks now and then. A sleeping thread is late by 50 us and more,
// on some machines by 200.
constexpr std::chrono::microseconds kEarly = 150us, kLate = 1ms, kNowAndThen = 50us;

}  // namespace

void LanePool::watch() {
  std::vector<Lane*>& running = attended_;
  std::optional<cuda::CurrentDevice> current;  // while it asks: the driver takes one call at a time
  std::unique_lock lock(mutex_);
  for (;;) {
    if (running_.empty()) current.reset();
    changed_.wait(lock, [this] { return closing_ || !running_.empty(); });
    if (running_.empty()) return;
    running = running_;
    lock.unlock();
    std::exception_ptr lost;
    try {
      if (!current) current.emplace(*model_->device);
    } catch (...) {
      lost = std::current_exception();
      running.resize(1);  // one batch bears it; whether it was the last of the device, the next attempt shows
    }
    bool any = false;
    Clock::time_point next = Clock::time_point::max();
    const Clock::time_point before = Clock::now();
    for (Lane* lane : running) {
      if ((before >= lane->expected_end() - kEarly || lost) && attend(*lane, lost)) {
        any = true;
      } else {
        next = std::min(next, lane->expected_end());
      }
    }
    const Clock::time_point now = Clock::now();
    lock.lock();
    if (any) continue;
    if (now < next - kEarly && !shared_.rhythm->hurried()) {
      changed_.wait_until(lock, next - kEarly, [&] { return closing_ || running_.size() != running.size(); });
    } else if (now > next + kLate) {
      changed_.wait_for(lock, kNowAndThen);
    } else {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
  }
}

/// Looks at a running lane; true when its batch has ended. The next batch starts before this one is finished. The
/// device is current, or `failure` says why it is not.
bool LanePool::attend(Lane& lane, std::exception_ptr failure) {
  const bool lost = failure != nullptr;
  try {
    if (!lost) {
      if (!lane.done()) return false;
      settle(lane);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const std::vector<Place*> batch = lane.clear();
  shared_.batches += 1;
  {
    const std::lock_guard lock(mutex_);
    running_.erase(std::find(running_.begin(), running_.end(), &lane));
    idle_.push_back(&lane);
  }
  try {
    std::optional<cuda::CurrentDevice> current;
    if (lost) current.emplace(*model_->device);
    dispatch();
  } catch (...) {  // the device is lost indeed: what waits for a lane learns it too
    while (Place* place = frames_.next()) give_up(*place, failure);
  }
  for (Place* place : batch) {
    const std::shared_ptr<Flight> flight = place->flight;
    if (failure) {
      give_up(*place, failure);
      continue;
    }
    flight->answer([this, place] { return finish(*place); });
    finish_soon(flight, shared_.crew);
  }
  return true;
}

/// Takes from the lane what its next batch will overwrite.
void LanePool::settle(Lane& lane) {
  const float network_ms = lane.elapsed_ms();
  for (std::size_t i = 0; i < lane.batch().size(); ++i) {
    Place& place = *lane.batch()[i];
    place.speed.network_ms = network_ms;
    place.slow = overflowed(place.hand_back());
    if (!place.slow && !place.tensors) continue;
    if (place.slow) run_capacity_.note(place.hand_back().header.toggle_count);
    NetworkTensors tensors = lane.tensors(i);
    if (!place.tensors) place.tensors = std::make_shared<NetworkTensors>();
    *place.tensors = std::move(tensors);
  }
}

}  // namespace rfseg::pipeline
