#include "network/trial.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace rfseg::network {

namespace {

std::size_t count(int a, int b, int c, int d) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c) *
         static_cast<std::size_t>(d);
}

}  // namespace

std::vector<float> trial_images(const ModelContract& contract, int images) {
  std::vector<float> values(count(images, 3, contract.network_size.height, contract.network_size.width));
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
  const std::vector<float> input = trial_images(c, images);
  std::vector<float> dets(count(images, c.queries, 4, 1)), labels(count(images, c.queries, c.columns, 1)),
      masks(count(images, c.queries, c.mask_size.height, c.mask_size.width));
  network.run({input.data(), dets.data(), labels.data(), masks.data()}, images);
  const auto require_finite = [&](const std::vector<float>& values, const std::string& tensor) {
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
      refuse_answer(model, tensor);
  };
  require_finite(dets, c.dets);
  require_finite(labels, c.labels);
  require_finite(masks, c.masks);
}

}  // namespace rfseg::network
