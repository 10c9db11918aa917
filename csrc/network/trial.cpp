#include "network/trial.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace rfseg::network {

std::vector<float> trial_images(const ModelContract& contract, int images) {
  std::vector<float> values(3 * static_cast<std::size_t>(images) *
                            static_cast<std::size_t>(contract.network_size.height) *
                            static_cast<std::size_t>(contract.network_size.width));
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 24) / 64.0F - 2.0F;
  }
  return values;
}

void refuse_answer(const std::string& model, const std::string& tensor) {
  throw ModelError(model + " answers a test image with NaN or infinity in '" + tensor +
                   "': its weights are damaged, or too large for float16: export or build it again");
}

void try_out(HostNetwork& network, const std::string& model, int images) {
  const ModelContract& c = network.contract();
  NetworkTensors tensors = make_tensors(c, images);
  tensors.input = trial_images(c, images);
  network.run({tensors.input.data(), tensors.dets.data(), tensors.labels.data(), tensors.masks.data()}, images);
  const auto require_finite = [&](const std::vector<float>& values, const std::string& tensor) {
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
      refuse_answer(model, tensor);
  };
  require_finite(tensors.dets, c.dets);
  require_finite(tensors.labels, c.labels);
  require_finite(tensors.masks, c.masks);
}

}  // namespace rfseg::network
