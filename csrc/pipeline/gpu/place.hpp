// One image in flight on a GPU: its pixels there, its tables, what is asked for it, and the memory in which the device
// hands its result back. Grows to the largest frame it has held and is used again for every later one. Knows no
// network.
#pragma once

#include "cuda/stream.hpp"
#include "pipeline/gpu/frame_layout.hpp"
#include "pipeline/gpu/frame_tables.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "pipeline/gpu/growing.hpp"

#include <kernel_abi.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace rfseg::pipeline {

/// Toggles that every place makes room for: grows when a frame had more, so that the same frame is slow once.
class RunCapacity {
 public:
  int toggles() const { return toggles_.load(std::memory_order_relaxed); }

  /// A frame had `toggles`. Beyond kMost, 64 MB a place on the device and as much page-locked, frames stay slow.
  void note(int toggles);

  static constexpr int kFirst = 1 << 18;
  static constexpr int kMost = 1 << 24;

 private:
  std::atomic<int> toggles_{kFirst};
};

class Place {
 public:
  /// Waits. Makes the device current itself.
  Place(const GpuModel& model, int number);
  ~Place() { drain(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // The frame in it.
  bool used = false;               ///< there was one
  std::shared_ptr<Flight> flight;  ///< null when there is none
  std::shared_ptr<const raster::SelectionRule> rule;
  std::shared_ptr<NetworkTensors> tensors;  ///< to be filled, when not null
  StageTimes speed;
  bool slow = false;  ///< the host makes its result, from `tensors`

  /// Waits until nothing queued here runs any more. Makes the device current itself.
  void drain() const noexcept;

  bool holds(const FrameTables* tables) const { return tables_.get() == tables; }

  /// Makes room for a frame of this size and brings its tables to the device, unless they are there. Waits for an
  /// earlier frame's upload. The device is current.
  /// @throws CudaError  out of memory; the place stays usable
  void prepare(std::shared_ptr<const FrameTables> tables, int toggle_capacity);

  /// Makes room for the pixels of `frame`, which follow. Nothing queued here uses those of another.
  /// @throws CudaError  out of memory; the place stays usable
  void expect(const ImageView& frame);

  const FrameLayout& layout() const { return layout_; }  ///< of source()
  const raster::FrameGeometry& geometry() const { return tables_->geometry; }
  const cuda::Stream& stream() const { return stream_; }
  const cuda::Event& arrived() const { return arrived_; }        ///< behind everything that brings the frame
  const cuda::DeviceBuffer& source() const { return *source_; }  ///< as layout() says
  Growing<cuda::PinnedBuffer>& upload() { return upload_; }      ///< for frames in ordinary memory

  /// What the kernels read; without the logit cuts, which lie where its lane has them.
  kernel_abi::FrameParams params() const;

  const kernel_abi::HandBack& hand_back() const;
  const Run* runs() const { return reinterpret_cast<const Run*>(host_toggles_->data()); }

 private:
  DeviceAddress table(std::size_t word) const { return device_tables_->address() + word * sizeof(std::int32_t); }

  const GpuModel& model_;
  cuda::Stream stream_;
  cuda::Event arrived_;
  Growing<cuda::PinnedBuffer> upload_;
  Growing<cuda::DeviceBuffer> source_;
  FrameLayout layout_;
  Growing<cuda::DeviceBuffer> between_;  ///< bytes between the two passes of a resize, in either order
  Growing<cuda::PinnedBuffer> host_tables_;
  Growing<cuda::DeviceBuffer> device_tables_;
  Growing<cuda::DeviceBuffer> column_toggles_, toggles_;
  Growing<cuda::PinnedBuffer> host_toggles_;  ///< written by the device: pairs are runs
  cuda::PinnedBuffer hand_back_;
  std::shared_ptr<const FrameTables> tables_;  ///< on the device
};

}  // namespace rfseg::pipeline
