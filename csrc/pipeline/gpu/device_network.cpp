#include "pipeline/gpu/device_network.hpp"

#include "network/half.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace rfseg::pipeline {

namespace {

bool narrow(network::ElementType type) { return type == network::ElementType::float16; }

}  // namespace

void DeviceNetwork::Tensor::enqueue_up(const cuda::Stream& stream, const float* values, int images) {
  const std::size_t bytes = image_bytes * static_cast<std::size_t>(images);
  if (narrow(type)) {
    std::transform(values, values + bytes / 2, reinterpret_cast<std::uint16_t*>(host.data()), network::half_from_float);
  } else {
    std::memcpy(host.data(), values, bytes);
  }
  cuda::enqueue_copy(stream, device, host, bytes);
}

void DeviceNetwork::Tensor::enqueue_down(const cuda::Stream& stream, int images) {
  cuda::enqueue_copy(stream, host, device, 0, image_bytes * static_cast<std::size_t>(images));
}

void DeviceNetwork::Tensor::read(float* values, int images) const {
  const std::size_t bytes = image_bytes * static_cast<std::size_t>(images);
  if (narrow(type)) {
    const auto* const from = reinterpret_cast<const std::uint16_t*>(host.data());
    std::transform(from, from + bytes / 2, values, network::float_from_half);
  } else {
    std::memcpy(values, host.data(), bytes);
  }
}

DeviceNetwork::Tensor DeviceNetwork::tensor(const char* name, std::size_t image_bytes, network::ElementType type,
                                            int images) const {
  const std::size_t bytes = image_bytes * static_cast<std::size_t>(images);
  return {cuda::PinnedBuffer(device_, bytes, std::string(name) + " for the host"),
          cuda::DeviceBuffer(device_, bytes, name), type, image_bytes};
}

DeviceNetwork::DeviceNetwork(cuda::SharedDevice device, network::TensorRtEngine engine, int most_images)
    : device_(std::move(device)),
      engine_(std::move(engine)),
      stream_(device_, "host stages' stream"),
      input_(tensor("network input", engine_.bytes().input, contract().input_type, most_images)),
      dets_(tensor("boxes", engine_.bytes().dets, contract().dets_type, most_images)),
      labels_(tensor("logits", engine_.bytes().labels, contract().labels_type, most_images)),
      masks_(tensor("mask logits", engine_.bytes().masks, contract().masks_type, most_images)),
      context_(engine_.make_context()) {
  const cuda::CurrentDevice current(*device_);
  context_.bind({input_.device.address(), dets_.device.address(), labels_.device.address(), masks_.device.address()});
}

DeviceNetwork::~DeviceNetwork() {
  try {
    const cuda::CurrentDevice current(*device_);
    stream_.wait_idle();
  } catch (const std::exception&) {  // the device is lost: nothing runs any more
  }
}

void DeviceNetwork::run(const network::HostTensors& tensors, int images) {
  const cuda::CurrentDevice current(*device_);
  context_.set_batch(images);
  input_.enqueue_up(stream_, tensors.input, images);
  context_.enqueue(stream_);
  for (Tensor* output : {&dets_, &labels_, &masks_}) output->enqueue_down(stream_, images);
  stream_.wait_idle();
  dets_.read(tensors.dets, images);
  labels_.read(tensors.labels, images);
  masks_.read(tensors.masks, images);
}

}  // namespace rfseg::pipeline
