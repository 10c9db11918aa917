#include "pipeline/gpu/raw_tensors.hpp"

#include "network/half.hpp"

#include <algorithm>
#include <cstring>

namespace rfseg::pipeline {

namespace {

std::vector<float> floats(const cuda::PinnedBuffer& buffer, network::ElementType type) {
  if (type == network::ElementType::float32) {
    const auto* data = reinterpret_cast<const float*>(buffer.data());
    return {data, data + buffer.bytes() / sizeof(float)};
  }
  const auto* data = reinterpret_cast<const std::uint16_t*>(buffer.data());
  std::vector<float> values(buffer.bytes() / sizeof(std::uint16_t));
  std::transform(data, data + values.size(), values.begin(), network::float_from_half);
  return values;
}

}  // namespace

RawTensors::RawTensors(const GpuModel& model)
    : contract_(model.contract),
      input_(model.device, model.bytes.input, "network input for the host"),
      dets_(model.device, model.bytes.dets, "boxes for the host"),
      labels_(model.device, model.bytes.labels, "logits for the host"),
      masks_(model.device, model.bytes.masks, "mask logits for the host") {}

void RawTensors::enqueue_input(const cuda::Stream& stream, const NetworkBuffers& network,
                               const std::vector<float>& network_chw) {
  if (contract_.input_type == network::ElementType::float32) {
    std::memcpy(input_.data(), network_chw.data(), input_.bytes());
  } else {
    auto* data = reinterpret_cast<std::uint16_t*>(input_.data());
    std::transform(network_chw.begin(), network_chw.end(), data, network::half_from_float);
  }
  cuda::enqueue_copy(stream, network.input, input_, input_.bytes());
}

void RawTensors::enqueue_download(const cuda::Stream& stream, const NetworkBuffers& network) {
  cuda::enqueue_copy(stream, input_, network.input, input_.bytes());
  cuda::enqueue_copy(stream, dets_, network.dets, dets_.bytes());
  cuda::enqueue_copy(stream, labels_, network.labels, labels_.bytes());
  cuda::enqueue_copy(stream, masks_, network.masks, masks_.bytes());
}

NetworkTensors RawTensors::tensors() const {
  return {floats(input_, contract_.input_type), floats(dets_, contract_.dets_type),
          floats(labels_, contract_.labels_type), floats(masks_, contract_.masks_type)};
}

}  // namespace rfseg::pipeline
