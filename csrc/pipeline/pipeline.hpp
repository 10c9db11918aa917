// What both pipelines offer to the Segmenter, and what they are told to do with every frame. One is written per device.
#pragma once

#include "network/model_contract.hpp"
#include "raster/detections/select.hpp"
#include "raster/resize/resize.hpp"

#include <rfseg/ops.hpp>
#include <rfseg/segmenter.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace rfseg::pipeline {

struct PipelineSettings {
  raster::SelectionRule rule;
  Resize resize = Resize::pil;
  std::optional<OutlineMode> outlines;
  std::shared_ptr<const ClassNames> names;
  int slots = 1;  ///< frames in flight
  Stages stages = Stages::host;
  raster::Normalisation normalisation = {};
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;  ///< waits for the frames in flight

  /// Starts `frame`; waits while it is read. A slot must be free.
  /// @throws InputError  a frame that cannot be used; nothing was started then
  virtual void submit(const ImageView& frame) = 0;

  /// Waits for the oldest frame's result. A frame must be in flight. Throws what the frame failed with; its slot is
  /// free again. `tensors`: also receives what the network saw and said, when not null.
  virtual Result collect(NetworkTensors* tensors) = 0;

  virtual int pending() const = 0;

  /// Milliseconds a frame of the network alone, `runs` frames over `contexts` contexts at once. Nothing is in flight.
  virtual double network_ms(int runs, int contexts) = 0;

  virtual Counters counters() const { return {}; }

  /// Memory for a packed frame of `bytes` bytes, kept alive by the pointer.
  virtual std::shared_ptr<std::uint8_t> frame_memory(std::size_t bytes) const = 0;

  /// As Segmenter::frame_stream.
  virtual std::uintptr_t frame_stream() const { return 0; }

  /// As Segmenter::on_device.
  virtual void on_device(const std::function<void()>& work) const { work(); }
};

/// The outputs among `tensors`, which stay where they are.
inline ops::RawOutputs outputs_of(const NetworkTensors& tensors, const network::ModelContract& contract) {
  return {tensors.dets.data(), tensors.labels.data(), tensors.masks.data(),
          contract.queries,    contract.columns,      contract.mask_size};
}

}  // namespace rfseg::pipeline
