// One GPU at work: its places, its lanes, and the thread that watches the lanes. A frame is brought to a place by who
// sends it; an idle lane takes what waits, up to its batch, and never waits for more, so batches grow with the load and
// a lone frame goes alone. What a lane has answered is finished by whoever comes to it first.
#pragma once

#include "host/crew.hpp"
#include "host/rhythm.hpp"
#include "pipeline/frames_in_flight.hpp"
#include "pipeline/gpu/lane.hpp"
#include "pipeline/gpu/place.hpp"
#include "pipeline/size_cache.hpp"
#include "raster/masks/outline_demand.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace rfseg::pipeline {

/// What the pools of all GPUs share. Outlives them.
struct Shared {
  Shared(int crew, std::optional<OutlineMode> outlines);

  std::shared_ptr<host::Rhythm> rhythm;
  std::shared_ptr<raster::OutlineDemand> demand;
  std::atomic<std::int64_t> frames{0}, batches{0}, slow_frames{0}, bytes_back{0};
  host::Crew crew;  // last: its work uses the rest
};

class LanePool {
 public:
  /// Waits: every lane allocates and captures.
  LanePool(std::unique_ptr<const GpuModel> model, Shared& shared);
  ~LanePool();  ///< waits for the frames in flight
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;

  /// As Pipeline::submit, for at most settings.max_batch frames: they start together.
  std::vector<std::shared_ptr<Flight>> submit(const FrameRequest* requests, std::size_t count);

  /// As Pipeline::network_ms.
  double network_ms(int runs, int contexts, int batch);

  int load() const { return frames_.count(); }  ///< frames in flight
  const GpuModel& model() const { return *model_; }
  const cuda::Stream& frame_stream() const { return frame_stream_; }

 private:
  Place& admit(const FrameRequest& request);
  void dispatch();
  bool start(Lane& lane);
  void watch();
  bool attend(Lane& lane, std::exception_ptr failure);
  void settle(Lane& lane);
  void give_up(Place& place, const std::exception_ptr& why);
  Result finish(Place& place);
  void leave(Place& place, bool unfinished);

  std::unique_ptr<const GpuModel> model_;
  Shared& shared_;
  cuda::Stream frame_stream_;
  SizeCache<FrameTables> sizes_;
  RunCapacity run_capacity_;
  FramesInFlight<Place> frames_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // before places end: lanes read them
  std::mutex mutex_;                          // guards the lists of lanes and closing_; held for no driver call
  std::condition_variable changed_;
  std::vector<Lane*> idle_, running_;
  std::vector<Lane*> attended_;  // the watcher's own: those that ran when it last looked
  bool closing_ = false;
  std::thread watcher_;  // last: uses everything
};

}  // namespace rfseg::pipeline
