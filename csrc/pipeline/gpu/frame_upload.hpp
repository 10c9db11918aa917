// Brings a caller's frame to the device, by the shortest way its memory allows. Owns the choice of the way.
#pragma once

#include "cuda/stream.hpp"
#include "host/crew.hpp"
#include "pipeline/gpu/frame_plan.hpp"

#include <rfseg/image.hpp>

namespace rfseg::pipeline {

/// Queues what brings `frame` to plan.source(). Ordinary memory is copied to pinned memory first, section by section
/// with `crew` helping, each section uploaded while the next is copied; pinned memory is uploaded as it is; device
/// memory is gathered on the device after its producer's stream. Returns true when the caller's memory is read until
/// `uploaded` is reached, false when nothing reads it any more. The device is current.
/// @throws InputError  device memory of another device
/// @throws CudaError
[[nodiscard]] bool enqueue_upload(const cuda::Stream& stream, const ImageView& frame, FramePlan& plan,
                                  const cuda::Event& uploaded, host::Crew& crew);

}  // namespace rfseg::pipeline
