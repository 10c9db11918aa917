// The two ends of the pipeline by themselves, for those who run the network on their own.
#pragma once

#include <rfseg/export.hpp>
#include <rfseg/image.hpp>
#include <rfseg/result.hpp>

#include <optional>
#include <vector>

namespace rfseg::ops {

/// Stretches and normalises a frame for the network (contract.md, section 2).
///
/// Writes `network_chw` float32 [3, size.height, size.width], RGB. Host work on the calling thread.
/// @throws InputError  the frame is empty, a size is not positive, or `by` holds what no network can be trained with
RFSEG_API void preprocess(const ImageView& frame, ImageSize size, Resize resize, float* network_chw,
                          const Normalisation& by = {});

/// Turns a host frame of planes into packed pixels (contract.md, section 6), for drawing and saving.
///
/// Writes `pixels` uint8 [frame.height, frame.width, 3] in the order that `order`, bgr8 or rgb8, says. Host work on the
/// calling thread.
/// @throws InputError  the frame is empty, already packed, or in device memory; its planes cannot be used; no such
/// order
RFSEG_API void convert(const ImageView& frame, PixelFormat order, std::uint8_t* pixels);

/// Raw outputs of the network for one image, float32, C-contiguous, in host memory; read only during the call.
struct RawOutputs {
  const float* dets = nullptr;    ///< [queries, 4] cx cy w h, normalised
  const float* labels = nullptr;  ///< [queries, columns] logits
  const float* masks = nullptr;   ///< [queries, mask_size.height, mask_size.width] logits
  int queries = 0;
  int columns = 0;
  ImageSize mask_size;
};

/// Turns raw outputs into instances (contract.md, section 3).
///
/// `image_size`: of the source frame, px. `num_classes`: class columns from there on are dropped; nullopt keeps all.
/// Host work on the calling thread.
/// @throws InputError  a size is not positive, threshold is not in [0, 1], max_detections < 1, num_classes > columns
RFSEG_API Result postprocess(const RawOutputs& outputs, ImageSize image_size, float threshold = 0.5F,
                             int max_detections = 300, std::optional<int> num_classes = std::nullopt);

}  // namespace rfseg::ops
