// What the targets of pre-processing share: samples of noise, and what the network gets of a frame.
#pragma once

#include "input.hpp"

#include <rfseg/ops.hpp>

#include <vector>

namespace fuzz {

/// Fills `bytes` with noise that four bytes of the input choose.
inline void add_noise(Input& in, std::vector<std::uint8_t>& bytes) {
  auto noise = in.take<std::uint32_t>();
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>((noise = noise * 1664525U + 1013904223U) >> 24U);
}

/// Requires that both frames give the network the same input, bit for bit.
inline void require_same_input(const rfseg::ImageView& frame, const rfseg::ImageView& other, rfseg::ImageSize network,
                               rfseg::Resize resize, const char* promise) {
  const auto input_of = [&](const rfseg::ImageView& one) {
    std::vector<float> input(3U * static_cast<std::size_t>(network.height) * static_cast<std::size_t>(network.width));
    rfseg::ops::preprocess(one, network, resize, input.data());
    return input;
  };
  const std::vector<float> input = input_of(frame), right = input_of(other);
  require(std::memcmp(input.data(), right.data(), right.size() * sizeof(float)) == 0, promise);
}

}  // namespace fuzz
