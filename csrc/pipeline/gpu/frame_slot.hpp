// Everything one frame in flight needs on a GPU: stream, execution context, tensors, plans, events. One owner per
// frame; nothing here is shared with another slot but what is immutable.
#pragma once

#include "host/crew.hpp"
#include "pipeline/gpu/frame_plan.hpp"
#include "pipeline/gpu/raw_tensors.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/resize.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>

namespace rfseg::pipeline {

class FrameSlot {
 public:
  /// Frame sizes and formats kept ready; the one used longest ago makes room for another.
  static constexpr std::size_t kPlans = 4;

  /// Waits: allocates, and runs the network once. Makes the device current itself.
  FrameSlot(const GpuModel& model, int number);
  ~FrameSlot();  ///< waits for the stream
  FrameSlot(const FrameSlot&) = delete;
  FrameSlot& operator=(const FrameSlot&) = delete;

  /// True when a frame of this size and format needs no new plan.
  bool knows(ImageSize source, PixelFormat format) const;

  /// Brings `frame` to the device and queues everything else as one graph. Waits while the frame is read, `crew`
  /// helping; a new size or format first builds its plan. The slot is free and the device current.
  /// @throws InputError, CudaError, BackendError  the slot stays free
  void submit(const ImageView& frame, std::shared_ptr<const raster::FrameGeometry> geometry, host::Crew& crew);

  /// Waits for the frame submitted last and reads its result. Any thread; makes the device current itself.
  /// @throws CudaError  the frame failed
  Result read();

  /// What the network was given and answered for the frame read last. Waits. The device is current.
  NetworkTensors tensors();

  /// Queues the network alone as one graph. The device is current.
  void enqueue_network();
  void wait_idle() const { stream_.wait_idle(); }

  bool took_slow_path() const { return slow_; }           ///< the frame read last
  std::size_t bytes_back() const { return bytes_back_; }  ///< of the frame read last

 private:
  FramePlan& plan_for(std::shared_ptr<const raster::FrameGeometry> geometry, PixelFormat format);
  void capture(FramePlan& plan);
  void enqueue_frame(FramePlan& plan);
  void launch();
  void prepare_on_host(const ImageView& frame);
  void drain() noexcept;
  Result finish_on_host();

  const GpuModel& model_;
  std::string name_;
  cuda::Stream stream_;
  cuda::Event begun_, done_;  // around the graph, with timing
  cuda::Event uploaded_;      // behind the last read of the caller's memory
  NetworkBuffers network_;
  network::TensorRtContext context_;
  std::optional<cuda::GraphExec> network_graph_;
  std::list<FramePlan> plans_;                             // most recent first
  std::shared_ptr<const raster::FrameGeometry> geometry_;  // of the frame in flight
  std::optional<RawTensors> raw_;                          // made when first needed
  raster::ResizeScratch resize_scratch_;
  raster::PostprocessScratch postprocess_scratch_;
  std::vector<float> host_input_;
  StageTimes speed_;
  bool slow_ = false;
  std::size_t bytes_back_ = 0;
};

}  // namespace rfseg::pipeline
