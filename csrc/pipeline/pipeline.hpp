// What both pipelines offer to the Segmenter, and what they are told to do with every frame. One is written per device.
#pragma once

#include "network/model_contract.hpp"
#include "pipeline/flight.hpp"
#include "raster/detections/select.hpp"
#include "raster/resize/resize.hpp"

#include <rfseg/ops.hpp>
#include <rfseg/segmenter.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace rfseg::pipeline {

struct PipelineSettings {
  Resize resize = Resize::pil;
  std::optional<OutlineMode> outlines;
  std::shared_ptr<const ClassNames> names;
  int max_detections = 300;  ///< of every rule
  int slots = 1;             ///< frames in flight
  int lanes = 1;
  int max_batch = 1;
  Normalisation normalisation = {};
};

/// A frame and what is asked for it.
struct FrameRequest {
  ImageView image;  ///< as_meant
  std::shared_ptr<const raster::SelectionRule> rule;
  std::shared_ptr<NetworkTensors> tensors = {};  ///< filled before the frame is ready, when not null
};

/// Every thread may call everything.
class Pipeline {
 public:
  virtual ~Pipeline() = default;  ///< waits for the frames in flight

  /// Starts frames, in order, those that fit into one execution together. Waits while there is no place, and while the
  /// frames are read.
  /// @throws InputError  a frame that cannot be used; those before it are cancelled then, or finished and dropped
  virtual std::vector<std::shared_ptr<Flight>> submit(const std::vector<FrameRequest>& requests) = 0;

  /// As Segmenter::network_ms, its numbers in range.
  virtual double network_ms(int runs, int contexts, int batch) = 0;

  virtual Counters counters() const = 0;

  /// Memory for a packed frame of `bytes` bytes, kept alive by the pointer.
  virtual std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const = 0;

  /// As Segmenter::frame_stream.
  virtual std::uintptr_t frame_stream(int /*gpu*/) const { return 0; }

  /// As Segmenter::on_device.
  virtual void on_device(const std::function<void()>& work, int /*gpu*/) const { work(); }
};

/// The outputs among `tensors`, which stay where they are.
inline ops::RawOutputs outputs_of(const NetworkTensors& tensors, const network::ModelContract& contract) {
  return {tensors.dets.data(), tensors.labels.data(), tensors.masks.data(),
          contract.queries,    contract.columns,      contract.mask_size};
}

}  // namespace rfseg::pipeline
