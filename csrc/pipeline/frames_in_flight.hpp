// The places of one device and the frames in them: who is let in, who waits for an execution, in the order of arrival.
// Written once for every device; a place has the members `flight`, a std::shared_ptr<Flight>, and
// `used`, false.
#pragma once

#include "pipeline/flight.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace rfseg::pipeline {

/// Every thread may call everything. A place belongs to one thread from enter() to line_up(), then to whoever takes it
/// out of the line, until leave().
template <class Place>
class FramesInFlight {
 public:
  /// `places`: at least one.
  explicit FramesInFlight(std::vector<std::unique_ptr<Place>> places) : places_(std::move(places)) {
    for (const auto& place : places_) free_.push_back(place.get());
    line_.reserve(places_.size());  // so that no frame is lost on its way for want of memory
  }

  /// A free place; waits for one. When frames are in flight, one that was never used: so all have grown after as many
  /// frames as there are places. Else the first that `fits`; a lone frame otherwise gets the one used last, whose
  /// memory exists, others the one unused for longest.
  template <class Fits>
  Place& enter(const Fits& fits) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !free_.empty() && !held_; });
    const bool alone = free_.size() == places_.size();
    auto chosen =
        alone ? free_.end() : std::find_if(free_.begin(), free_.end(), [](const Place* p) { return !p->used; });
    if (chosen == free_.end())
      chosen = std::find_if(free_.begin(), free_.end(), [&](const Place* p) { return fits(*p); });
    if (chosen == free_.end()) chosen = alone ? std::prev(free_.end()) : free_.begin();
    Place& place = **chosen;
    place.used = true;
    free_.erase(chosen);
    return place;
  }

  /// The frame is ready to run.
  void line_up(Place& place) {
    const std::lock_guard lock(mutex_);
    line_.push_back(&place);
  }

  /// The oldest frames that are ready to run, `most` at most; those that were cancelled leave. Never waits. When there
  /// is no memory for the list, nothing has changed.
  std::vector<Place*> next(int most) {
    const auto room = static_cast<std::size_t>(std::min(most, ready()));
    std::vector<Place*> batch;
    batch.reserve(room);
    while (batch.size() < room) {
      Place* const place = next();
      if (place == nullptr) break;
      batch.push_back(place);
    }
    return batch;
  }

  /// The oldest of them, or null. Needs no memory.
  Place* next() {
    for (;;) {
      Place* place = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (line_.empty()) return nullptr;
        place = line_.front();
        line_.erase(line_.begin());
      }
      if (place->flight->begin()) return place;
      leave(*place);
    }
  }

  /// How many frames are ready to run.
  int ready() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(line_.size());
  }

  /// The place is free again. `unfinished`: its frame still has work to do elsewhere, until finished().
  void leave(Place& place, bool unfinished = false) {
    place.flight.reset();
    const std::lock_guard lock(mutex_);
    free_.push_back(&place);
    unfinished_ += unfinished ? 1 : 0;
    changed_.notify_all();
  }

  /// Whoever calls it touches nothing of its pipeline afterwards.
  void finished() {
    const std::lock_guard lock(mutex_);
    --unfinished_;
    changed_.notify_all();
  }

  /// Places that are not free.
  int count() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(places_.size() - free_.size());
  }
  bool full() const { return count() == static_cast<int>(places_.size()); }

  /// Waits until nothing is in flight and lets nobody in until release().
  void hold() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    held_ = true;
    changed_.wait(lock, [this] { return free_.size() == places_.size() && unfinished_ == 0; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

  const std::vector<std::unique_ptr<Place>>& places() const { return places_; }

 private:
  const std::vector<std::unique_ptr<Place>> places_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place*> free_;  // used last at the end
  std::vector<Place*> line_;  // oldest first
  int unfinished_ = 0;
  bool held_ = false;
};

}  // namespace rfseg::pipeline
