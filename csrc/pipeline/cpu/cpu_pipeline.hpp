// A frame's way on a machine without a GPU, or with the GPU for the network alone. Who sends a frame prepares it; one
// thread runs the network on what waits; who asks for a result, or the crew, makes it. So the next frame's
// pre-processing and the last one's outlines overlap the network.
#pragma once

#include "host/crew.hpp"
#include "host/rhythm.hpp"
#include "network/host_network.hpp"
#include "pipeline/frames_in_flight.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/size_cache.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/masks/outline_demand.hpp"
#include "raster/resize/resize.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rfseg::pipeline {

class CpuPipeline final : public Pipeline {
 public:
  /// `network` has a complete contract.
  CpuPipeline(std::unique_ptr<network::HostNetwork> network, PipelineSettings settings);
  ~CpuPipeline() override;

  std::vector<std::shared_ptr<Flight>> submit(const std::vector<FrameRequest>& requests) override;
  double network_ms(int runs, int contexts, int batch) override;
  Counters counters() const override;
  std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const override;

 private:
  struct Place {
    bool used = false;
    std::shared_ptr<Flight> flight;
    std::shared_ptr<const raster::SelectionRule> rule;
    std::shared_ptr<NetworkTensors> wanted;
    std::shared_ptr<const raster::FrameGeometry> geometry;
    NetworkTensors tensors;
    StageTimes speed;
    raster::ResizeScratch resize_scratch;
    raster::PostprocessScratch postprocess_scratch;
  };

  std::vector<std::unique_ptr<Place>> make_places() const;
  Place& admit(const FrameRequest& request);
  void line_up(std::vector<Place*>& places);
  void work();
  void run(const std::vector<Place*>& batch);
  void run_network(NetworkTensors& tensors, int images) const;
  int images_for(std::size_t frames) const;
  void give_up(Place& place, const std::exception_ptr& why);
  Result finish(Place& place);
  void leave(Place& place, bool unfinished);

  std::unique_ptr<network::HostNetwork> network_;
  PipelineSettings settings_;
  std::shared_ptr<host::Rhythm> rhythm_ = std::make_shared<host::Rhythm>();
  std::shared_ptr<raster::OutlineDemand> demand_;
  SizeCache<raster::FrameGeometry> sizes_;
  FramesInFlight<Place> frames_;
  NetworkTensors together_;  ///< of a batch; empty where every execution has one image
  std::atomic<std::int64_t> finished_{0}, batches_{0};
  host::Crew crew_;  // one thread: the others are the network's
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::thread worker_;  // last: uses everything
};

}  // namespace rfseg::pipeline
