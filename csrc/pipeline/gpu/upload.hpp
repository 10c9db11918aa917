// Brings a caller's frame to its place on the device, by the shortest way its memory allows.
#pragma once

#include "host/crew.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "pipeline/gpu/place.hpp"

#include <rfseg/image.hpp>

namespace rfseg::pipeline {

/// Queues what brings `frame` to place.source(), as place.layout() says, and records place.arrived() behind it. Planes
/// stay planes: the kernels make their colours. Ordinary memory is copied to pinned memory first, section by section
/// with `crew` helping, each section uploaded while the next is copied; pinned memory is uploaded as it is; device
/// memory is gathered on the device after its producer's stream. Returns true when the caller's memory is read until
/// place.arrived() is reached, false when nothing reads it any more. `place` is prepared for the frame's size; the
/// device is current. `in_a_row`: it has other frames to work on meanwhile, so that few sections will do.
/// @throws InputError  device memory of another device
/// @throws CudaError
[[nodiscard]] bool enqueue_upload(const GpuModel& model, const ImageView& frame, Place& place, host::Crew& crew,
                                  bool in_a_row);

}  // namespace rfseg::pipeline
