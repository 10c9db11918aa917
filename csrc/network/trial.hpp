// A network's first answer: whether it is made of numbers. Damaged weights, or those that float16 cannot hold, would
// otherwise find nothing in every frame, without a word.
#pragma once

#include "network/host_network.hpp"

#include <string>
#include <vector>

namespace rfseg::network {

/// Images of noise, normalised values from -2 to 2, the same on every machine: [images, 3, Hn, Wn].
std::vector<float> trial_images(const ModelContract& contract, int images);

/// @throws ModelError  always: `model` answers NaN or infinity in its output `tensor`
[[noreturn]] void refuse_answer(const std::string& model, const std::string& tensor);

/// Runs `network`, which `model` is, on `images` images, and waits.
/// @throws ModelError  it answers NaN or infinity
void try_out(HostNetwork& network, const std::string& model, int images);

}  // namespace rfseg::network
