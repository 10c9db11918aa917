// The kernels that turn a frame into the network's input, as triton_kernels/preprocess.py defines them.
#include "network/half.hpp"
#include "stand_ins/kernel_models.hpp"

#include <kernel_abi.hpp>

#include <algorithm>
#include <cstring>

namespace stand_in {

namespace abi = rfseg::kernel_abi;

namespace {

constexpr float kMean[] = {0.485F, 0.456F, 0.406F}, kStd[] = {0.229F, 0.224F, 0.225F};

struct Source {
  explicit Source(Arguments& next)
      : data(next.pointer<const std::uint8_t>()),
        row(next.next<std::int64_t>()),
        pixel(next.next<std::int64_t>()),
        channel(next.next<std::int64_t>()) {}
  int at(std::int64_t y, std::int64_t x, int c) const { return data[y * row + x * pixel + c * channel]; }

  const std::uint8_t* data;
  std::int64_t row, pixel, channel;
};

void expect_grid(const Launch& launch, int height, int width, Complaints& complaints) {
  if (launch.grid[0] != abi::resize_grid(height, width)) complaints.push_back("a resize has another grid");
}

void store(void* network, std::size_t place, float value, bool half) {
  const std::uint16_t narrow = rfseg::network::half_from_float(value);
  if (half) std::memcpy(static_cast<std::uint16_t*>(network) + place, &narrow, sizeof narrow);
  if (!half) std::memcpy(static_cast<float*>(network) + place, &value, sizeof value);
}

/// Calls pixel(y, x, c) for every byte of a result.
template <class Pixel>
void for_each(int height, int width, const Pixel& pixel) {
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) pixel(y, x, c);
    }
  }
}

std::size_t place_of(int plane, int height, int y, int width, int x) {
  return (static_cast<std::size_t>(plane) * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

}  // namespace

void run_resize_pass(const Launch& launch, bool down, bool final, Complaints& complaints) {
  Arguments next(launch);
  const Source source(next);
  const auto* const axis = next.pointer<const std::int32_t>();
  const int taps = next.integer(), height = next.integer(), width = next.integer();
  auto* const target = next.pointer<std::uint8_t>();
  const auto* const normalised = next.pointer<const float>();
  const bool bgr = next.integer() != 0, half = next.integer() != 0;
  expect_grid(launch, height, width, complaints);
  const int results = down ? height : width;
  for_each(height, width, [&](int y, int x, int c) {
    const int result = down ? y : x;
    std::int32_t total = 1 << 21;
    for (int k = 0; k < axis[results + result]; ++k) {
      const int tap = axis[result] + k;
      total += axis[2 * results + result * taps + k] * (down ? source.at(tap, x, c) : source.at(y, tap, c));
    }
    const int level = std::clamp(total >> 22, 0, 255), rgb = bgr ? 2 - c : c;
    if (final) store(target, place_of(rgb, height, y, width, x), normalised[rgb * 256 + level], half);
    if (!final) target[place_of(y, width, x, 3, c)] = static_cast<std::uint8_t>(level);
  });
}

void run_resize_bilinear(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  const Source source(next);
  const auto* const axis_x = next.pointer<const std::int32_t>();
  const auto* const axis_y = next.pointer<const std::int32_t>();
  const int height = next.integer(), width = next.integer();
  auto* const target = next.pointer<void>();
  const bool bgr = next.integer() != 0, half = next.integer() != 0;
  expect_grid(launch, height, width, complaints);
  const auto weight = [](const std::int32_t* bits) {
    float value = 0;
    std::memcpy(&value, bits, sizeof value);
    return value;
  };
  for_each(height, width, [&](int y, int x, int c) {
    const auto row = [&](int y_source) {
      const float left = static_cast<float>(source.at(y_source, axis_x[x], c)) / 255.0F;
      const float right = static_cast<float>(source.at(y_source, axis_x[width + x], c)) / 255.0F;
      return weight(axis_x + 2 * width + x) * left + weight(axis_x + 3 * width + x) * right;
    };
    const float value =
        weight(axis_y + 2 * height + y) * row(axis_y[y]) + weight(axis_y + 3 * height + y) * row(axis_y[height + y]);
    const int rgb = bgr ? 2 - c : c;
    store(target, place_of(rgb, height, y, width, x), (value - kMean[rgb]) / kStd[rgb], half);
  });
}

}  // namespace stand_in
