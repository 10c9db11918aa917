// One execution at a time on a GPU: a stream, an execution context, the network's tensors for a whole batch, and one
// captured graph for each batch size, made when the model is opened. Frames' sizes and what is asked for them reach the
// graphs through records in device memory. Knows where its frames lie, not where they come from or go.
#pragma once

#include "cuda/graph.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "pipeline/gpu/place.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rfseg::pipeline {

class Lane {
 public:
  using Clock = host::Rhythm::Clock;

  /// Waits: allocates, runs the network and captures a graph for every batch size. Makes the device current itself.
  /// @throws CudaError, BackendError  also when the engine cannot be captured
  Lane(const GpuModel& model, int number);
  ~Lane();  ///< waits for the stream
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  bool idle() const { return batch_.empty(); }
  const std::vector<Place*>& batch() const { return batch_; }

  /// Starts the frames in `batch`, one to settings.max_batch, when they have arrived. Does not wait. The lane is idle
  /// and the device current. When it throws, nothing of it runs any more, and the lane is idle.
  /// @throws CudaError
  void launch(std::vector<Place*> batch);

  /// When the batch will be done, by the batches of its size before it.
  Clock::time_point expected_end() const { return expected_end_; }

  /// True, once, when the batch is done. Does not wait. The device is current.
  /// @throws CudaError  it failed
  bool done();

  /// Reads what frame `i` of the batch was given and answered. The batch is done. Waits; the device is current.
  NetworkTensors tensors(std::size_t i);

  /// Milliseconds that the device worked on the batch, which is done.
  float elapsed_ms() const { return cuda::elapsed_ms(begun_, done_); }

  /// Ends the batch and gives it back; it is done or has failed. Nothing of it runs any more.
  std::vector<Place*> clear() noexcept;

  /// Queues the network alone, for `images` images, as one graph. The lane is idle and the device current.
  void enqueue_network(int images);
  void wait_idle() const { stream_.wait_idle(); }

 private:
  /// Device memory of the network for a whole batch, and what crosses the border for every batch.
  struct Buffers {
    Buffers(const GpuModel& model, const std::string& lane);
    cuda::DeviceBuffer input, dets, labels, masks;
    cuda::DeviceBuffer selection;  ///< kernel_abi::Selection [batch]
    cuda::PinnedBuffer host_params;
    cuda::DeviceBuffer params;  ///< kernel_abi::FrameParams [batch], logit cuts float32 [batch][C]
  };

  template <class Work>
  cuda::GraphExec record(const Work& work) const;
  void capture(int images);
  void enqueue_frames(int images);
  void write_params();
  void drain() noexcept;

  const GpuModel& model_;
  std::string name_;
  cuda::Stream stream_;
  cuda::Event begun_, done_;  // around the graph, with timing
  Buffers buffers_;
  cuda::PinnedBuffer host_tensor_;  // for one of one image, whichever
  network::TensorRtContext context_;
  std::map<int, cuda::GraphExec> graphs_, network_graphs_;  // by batch size
  std::map<int, Clock::duration> usual_;                    // from launch to done
  std::vector<Place*> batch_;
  int images_ = 0;  // batch size of the graph that runs
  Clock::time_point launched_, expected_end_;
};

}  // namespace rfseg::pipeline
