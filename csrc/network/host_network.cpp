#include "network/host_network.hpp"

#include <cstddef>

namespace rfseg::network {

namespace {

std::size_t pixels(ImageSize size) {
  return static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
}

}  // namespace

NetworkTensors make_tensors(const ModelContract& contract, int images) {
  const auto count = static_cast<std::size_t>(images), queries = count * static_cast<std::size_t>(contract.queries);
  NetworkTensors tensors;
  tensors.input.resize(count * 3 * pixels(contract.network_size));
  tensors.dets.resize(queries * 4);
  tensors.labels.resize(queries * static_cast<std::size_t>(contract.columns));
  tensors.masks.resize(queries * pixels(contract.mask_size));
  return tensors;
}

}  // namespace rfseg::network
