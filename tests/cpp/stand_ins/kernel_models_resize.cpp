// The kernels that turn frames into the network's input, as triton_kernels/resize_*.py and gather.py define them.
#include "network/half.hpp"
#include "raster/frame_geometry.hpp"
#include "stand_ins/kernel_models.hpp"
#include "stand_ins/kernel_source.hpp"

#include <algorithm>
#include <cstring>

namespace stand_in {

namespace {

std::vector<abi::FrameParams> batch(Arguments& next) {
  const auto* const frames = next.pointer<const abi::FrameParams>();
  return {frames, frames + next.integer()};
}

constexpr float kMean[] = {0.485F, 0.456F, 0.406F}, kStd[] = {0.229F, 0.224F, 0.225F};

/// The network's input: float32 or float16 [frames, 3, height, width].
struct Input {
  explicit Input(Arguments& next) : size{next.integer(), 0}, data(nullptr) {
    size.width = next.integer();
    data = next.pointer<void>();
  }
  void store(int image, int plane, int y, int x, float value) const {
    const auto index = [](int a, int b, int c) {
      return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) + static_cast<std::size_t>(c);
    };
    const std::size_t row =
        index(image, 3, plane) * static_cast<std::size_t>(size.height) + static_cast<std::size_t>(y);
    const std::size_t place = row * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(x);
    const std::uint16_t narrow = rfseg::network::half_from_float(value);
    if (half) std::memcpy(static_cast<std::uint16_t*>(data) + place, &narrow, sizeof narrow);
    if (!half) std::memcpy(static_cast<float*>(data) + place, &value, sizeof value);
  }

  rfseg::ImageSize size;
  void* data;
  bool half = false;
};

/// Calls pixel(y, x, c) for every byte of a result.
template <class Pixel>
void for_each(rfseg::ImageSize size, const Pixel& pixel) {
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) pixel(y, x, c);
    }
  }
}

void expect(bool right, const char* complaint, Complaints& complaints) {
  if (!right) complaints.push_back(complaint);
}

void expect_grid(const Launch& launch, Complaints& complaints) {
  expect(launch.grid[0] % abi::kResizeProgramsPerSm == 0, "a resize's grid is not resize_grid()", complaints);
}

/// The table that FrameParams asks for: first[out], weight[taps][out].
std::vector<std::int32_t> packed(const rfseg::raster::PilAxis& axis) {
  if (axis.identity()) {
    std::vector<std::int32_t> table;
    for (int o = 0; o < axis.out; ++o) table.push_back(o);
    table.resize(2 * table.size(), 1 << rfseg::raster::PilAxis::kWeightBits);
    return table;
  }
  const int taps = *std::max_element(axis.count.begin(), axis.count.end());
  const auto out = static_cast<std::size_t>(axis.out);
  std::vector<std::int32_t> table(out * static_cast<std::size_t>(taps + 1));
  for (std::size_t o = 0; o < out; ++o) {
    table[o] = std::min(axis.first[o], axis.in - taps);
    const auto skipped = static_cast<std::size_t>(axis.first[o] - table[o]);
    for (std::size_t k = 0; k < static_cast<std::size_t>(axis.count[o]); ++k)
      table[(1 + skipped + k) * out + o] = axis.weight[o * static_cast<std::size_t>(axis.taps) + k];
  }
  return table;
}

/// One pass along one axis: its table, checked, and its sums.
class Pass {
 public:
  Pass(const abi::FrameParams& frame, bool down, int out, Complaints& complaints)
      : table_(at<const std::int32_t>(down ? frame.resize_y : frame.resize_x)),
        taps_(static_cast<int>(down ? frame.taps_y : frame.taps_x)),
        out_(out),
        down_(down) {
    const auto in = static_cast<int>(down ? frame.height : frame.width);
    const std::vector<std::int32_t> right = packed(rfseg::raster::make_pil_axis(in, out));
    const bool taps = right.size() == static_cast<std::size_t>(out) * static_cast<std::size_t>(taps_ + 1);
    expect(taps, "a resize axis has other taps than the geometry's", complaints);
    expect(!taps || std::equal(right.begin(), right.end(), table_), "a resize axis is not the geometry's", complaints);
  }
  int level(const Source& source, int y, int x, int c) const {
    const int result = down_ ? y : x;
    std::int32_t total = 1 << 21;
    for (int k = 0; k < taps_; ++k) {
      const int tap = table_[result] + k;
      total += table_[(1 + k) * out_ + result] * (down_ ? source.at(tap, x, c) : source.at(y, tap, c));
    }
    return std::clamp(total >> 22, 0, 255);
  }

 private:
  const std::int32_t* table_;
  int taps_, out_;
  bool down_;
};

rfseg::ImageSize between(const abi::FrameParams& frame) {
  return {static_cast<int>(frame.between_height), static_cast<int>(frame.between_width)};
}

rfseg::ImageSize source_size(const abi::FrameParams& frame) {
  return {static_cast<int>(frame.height), static_cast<int>(frame.width)};
}

void expect_passes(const abi::FrameParams& frame, rfseg::ImageSize network, Complaints& complaints) {
  const rfseg::raster::FrameGeometry geometry(source_size(frame), network, {1, 1}, rfseg::Resize::pil);
  const bool across = !geometry.pil_x().identity(), down = !geometry.pil_y().identity();
  expect(frame.passes == (across && down ? 2 : 1), "an image has the wrong number of passes", complaints);
  const bool down_first = geometry.passes().first_down;
  const bool down_last = down && !(across && down_first);
  expect(frame.last_down == (down_last ? 1 : 0), "the last pass goes along the wrong axis", complaints);
  if (frame.passes != 2) return;
  expect(frame.first_down == (down_first ? 1 : 0), "the first pass goes along the wrong axis", complaints);
  const rfseg::ImageSize middle = down_first ? rfseg::ImageSize{network.height, geometry.source().width}
                                             : rfseg::ImageSize{geometry.source().height, network.width};
  expect(between(frame) == middle, "what is between the passes has the wrong size", complaints);
}

float float_of(std::int32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

float bilinear(const abi::FrameParams& frame, rfseg::ImageSize size, int y, int x, int c) {
  const auto* const axis_x = at<const std::int32_t>(frame.resize_x);
  const auto* const axis_y = at<const std::int32_t>(frame.resize_y);
  const Source source(frame);
  const auto row = [&](int y_source) {
    const float left = static_cast<float>(source.at(y_source, axis_x[x], c)) / 255.0F;
    const float right = static_cast<float>(source.at(y_source, axis_x[size.width + x], c)) / 255.0F;
    return float_of(axis_x[2 * size.width + x]) * left + float_of(axis_x[3 * size.width + x]) * right;
  };
  return float_of(axis_y[2 * size.height + y]) * row(axis_y[y]) +
         float_of(axis_y[3 * size.height + y]) * row(axis_y[size.height + y]);
}

}  // namespace

void run_resize_first(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  expect_grid(launch, complaints);
  for (const abi::FrameParams& frame : batch(next)) {
    if (frame.passes != 2) continue;
    const bool down = frame.first_down != 0;
    const rfseg::ImageSize size = between(frame);
    const Pass pass(frame, down, down ? size.height : size.width, complaints);
    auto* target = at<std::uint8_t>(frame.between);
    for_each(size, [&, source = Source(frame)](int y, int x, int c) {
      *target++ = static_cast<std::uint8_t>(pass.level(source, y, x, c));
    });
  }
}

void run_resize_last(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  expect_grid(launch, complaints);
  const std::vector<abi::FrameParams> frames = batch(next);
  Input input(next);
  const auto* const normalised = next.pointer<const float>();
  input.half = next.integer() != 0;
  for (std::size_t image = 0; image < frames.size(); ++image) {
    const abi::FrameParams& frame = frames[image];
    if (frame.passes == 0) continue;
    expect_passes(frame, input.size, complaints);
    const Source source = frame.passes == 2 ? Source::between(frame) : Source(frame);
    const bool down = frame.last_down != 0;
    const Pass pass(frame, down, down ? input.size.height : input.size.width, complaints);
    for_each(input.size, [&](int y, int x, int c) {
      const int rgb = frame.bgr != 0 ? 2 - c : c;
      input.store(static_cast<int>(image), rgb, y, x, normalised[rgb * 256 + pass.level(source, y, x, c)]);
    });
  }
}

void run_resize_bilinear(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  expect_grid(launch, complaints);
  const std::vector<abi::FrameParams> frames = batch(next);
  Input input(next);
  input.half = next.integer() != 0;
  for (std::size_t image = 0; image < frames.size(); ++image) {
    const abi::FrameParams& frame = frames[image];
    if (frame.passes == 0) continue;
    const rfseg::raster::FrameGeometry geometry(source_size(frame), input.size, {1, 1}, rfseg::Resize::bilinear);
    expect_axis(at<const std::int32_t>(frame.resize_x), geometry.bilinear_x(), complaints);
    expect_axis(at<const std::int32_t>(frame.resize_y), geometry.bilinear_y(), complaints);
    for_each(input.size, [&](int y, int x, int c) {
      const int rgb = frame.bgr != 0 ? 2 - c : c;
      const float value = bilinear(frame, input.size, y, x, c);
      input.store(static_cast<int>(image), rgb, y, x, (value - kMean[rgb]) / kStd[rgb]);
    });
  }
}

void run_gather(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  expect_grid(launch, complaints);
  abi::FrameParams given{};
  given.source = next.next<std::uint64_t>(), given.row_bytes = next.next<std::int64_t>();
  given.pixel_bytes = next.next<std::int64_t>(), given.channel_bytes = next.next<std::int64_t>();
  rfseg::ImageSize size{next.integer(), 0};
  size.width = next.integer();
  auto* target = next.pointer<std::uint8_t>();
  for_each(size, [&, source = Source(given)](int y, int x, int c) {
    *target++ = static_cast<std::uint8_t>(source.at(y, x, c));
  });
}

void run_gather_rows(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  expect_grid(launch, complaints);
  const auto* const source = next.pointer<const std::uint8_t>();
  const auto row_bytes = next.next<std::int64_t>();
  const int length = next.integer(), height = next.integer();
  auto* target = next.pointer<std::uint8_t>();
  for (int y = 0; y < height; ++y, target += length) std::copy_n(source + y * row_bytes, length, target);
}

}  // namespace stand_in
