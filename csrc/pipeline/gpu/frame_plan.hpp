// The frame-sized half of a slot: what must be made anew when a frame's size or format changes, and is kept while they
// stay. Owns the source pixels, the geometry's tables on the device, the run buffers, and the captured graph.
#pragma once

#include "cuda/graph.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "raster/frame_geometry.hpp"

#include <memory>
#include <optional>

namespace rfseg::pipeline {

/// The tensors and scratch of a slot that do not depend on the frame's size.
struct NetworkBuffers {
  NetworkBuffers(const GpuModel& model, const std::string& slot);

  cuda::DeviceBuffer input, dets, labels, masks;
  cuda::DeviceBuffer selection;  ///< kernel_abi::Selection
  cuda::DeviceBuffer nodes;      ///< scratch of the mask kernels
  cuda::PinnedBuffer hand_back;  ///< kernel_abi::HandBack

  network::DeviceTensors tensors() const {
    return {input.address(), dets.address(), labels.address(), masks.address()};
  }
};

class FramePlan {
 public:
  /// Runs of a frame that come back by the fast path: 2^18 toggles, 1 MB. A frame with more takes the host's stages.
  static constexpr int kToggleCapacity = 1 << 18;

  /// `network` outlives the plan. Waits: uploads the tables. The device is current.
  /// @throws InputError  a side of the source is too long for the kernels
  /// @throws CudaError   out of memory
  FramePlan(const GpuModel& model, NetworkBuffers& network, std::shared_ptr<const raster::FrameGeometry> geometry,
            PixelFormat format, const cuda::Stream& stream);

  /// True when it is for frames of this size and format.
  bool serves(ImageSize source, PixelFormat format) const { return geometry_->source() == source && format_ == format; }
  cuda::PinnedBuffer& upload() { return upload_; }              ///< packed [Hs, Ws, 3], for the host to fill
  const cuda::DeviceBuffer& source() const { return source_; }  ///< packed [Hs, Ws, 3]
  const Run* runs() const { return reinterpret_cast<const Run*>(host_toggles_.data()); }

  /// Queue a stage on `stream`: from source() to the network's input, and from its outputs to hand_back and runs().
  void enqueue_preprocess(const cuda::Stream& stream) const;
  void enqueue_postprocess(const cuda::Stream& stream) const;

  /// Queues a copy of a frame on this device, of any strides, to source().
  void enqueue_gather(const cuda::Stream& stream, const DeviceSource& frame) const;

 private:
  struct Tables {  ///< offsets into tables_, in int32
    std::size_t resize_x = 0, resize_y = 0, mask_x = 0, mask_y = 0, node_row = 0, whole_rows = 0;
  };
  std::vector<std::int32_t> build_tables();
  DeviceAddress table(std::size_t offset) const { return tables_->address() + offset * sizeof(std::int32_t); }
  void enqueue_pass(const cuda::Stream& stream, const ResizePass& pass, const DeviceSource& from, bool along_y,
                    ImageSize result, DeviceAddress target) const;
  void enqueue_resize(const cuda::Stream& stream) const;
  DeviceSource packed(DeviceAddress pixels, int width) const { return {pixels, 3LL * width, 3, 1}; }
  void enqueue_mask_pass(const cuda::Stream& stream, const MaskPass& pass) const;

  const GpuModel& model_;
  NetworkBuffers& network_;
  std::shared_ptr<const raster::FrameGeometry> geometry_;
  PixelFormat format_;
  cuda::PinnedBuffer upload_;
  cuda::DeviceBuffer source_;
  cuda::DeviceBuffer first_pass_;  ///< bytes between the two resize passes
  cuda::DeviceBuffer column_toggles_, toggles_;
  cuda::PinnedBuffer host_toggles_;  ///< written by the device: pairs are runs
  Tables at_;
  std::optional<cuda::DeviceBuffer> tables_;

 public:
  std::optional<cuda::GraphExec> graph;  ///< captured by the slot: both stages and the network; ends first
};

}  // namespace rfseg::pipeline
