// The pixels of a frame as the models of the kernels see them: packed, or planes, by the numbers of its FrameParams.
#pragma once

#include <kernel_abi.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace stand_in {

class Source {
 public:
  /// The frame itself.
  explicit Source(const rfseg::kernel_abi::FrameParams& frame) : frame_(frame) {}

  /// What is between its two passes.
  static Source between(rfseg::kernel_abi::FrameParams frame) {
    frame.source = frame.between, frame.row_bytes = 3 * frame.between_width;
    frame.pixel_bytes = 3, frame.channel_bytes = 1, frame.sample_bytes = 0;
    return Source(frame);
  }

  /// Channel `c` in the source's own order; planes have red first.
  int at(std::int64_t y, std::int64_t x, int c) const {
    if (frame_.sample_bytes == 0)
      return *byte(frame_.source, y * frame_.row_bytes + x * frame_.pixel_bytes + c * frame_.channel_bytes);
    const std::int64_t chroma_row = (y >> frame_.chroma_shift_y) * frame_.chroma_row_bytes;
    const std::int64_t chroma = (x >> frame_.chroma_shift_x) * frame_.chroma_step;
    const std::int64_t luma = frame_.luma * sample(frame_.source, y * frame_.row_bytes, x);
    const std::int64_t cb = sample(frame_.cb, chroma_row, chroma), cr = sample(frame_.cr, chroma_row, chroma);
    const std::int64_t sums[] = {luma + frame_.cr_red * cr + frame_.red,
                                 luma + frame_.cb_green * cb + frame_.cr_green * cr + frame_.green,
                                 luma + frame_.cb_blue * cb + frame_.blue};
    return static_cast<int>(std::clamp<std::int64_t>(sums[c] >> frame_.color_shift, 0, 255));
  }

 private:
  static const std::uint8_t* byte(std::uint64_t address, std::int64_t offset) {
    return reinterpret_cast<const std::uint8_t*>(address) + offset;
  }
  std::int64_t sample(std::uint64_t plane, std::int64_t row, std::int64_t index) const {
    if (frame_.sample_bytes == 1) return *byte(plane, row + index);
    std::uint16_t word = 0;
    std::memcpy(&word, byte(plane, row + 2 * index), sizeof word);
    return (word >> frame_.sample_shift) & 1023;
  }

  rfseg::kernel_abi::FrameParams frame_;
};

}  // namespace stand_in
