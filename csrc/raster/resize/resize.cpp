// The order of the passes, the normalisation, and the two-tap resize. Knows views and geometries, no instruction set.
#include "raster/resize/resize.hpp"

#include "raster/resize/packed_rows.hpp"
#include "raster/resize/resize_rows.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace rfseg::raster {
namespace {

float unit(int byte) { return static_cast<float>(byte) / 255.0F; }

ImageView packed_view(const std::vector<std::uint8_t>& pixels, ImageSize size) {
  return {pixels.data(), size.height, size.width, static_cast<std::ptrdiff_t>(size.width) * 3};
}

void copy(const ImageView& in, std::vector<std::uint8_t>& packed_row, std::uint8_t* out) {
  PackedRows source(in, 1, packed_row);
  const std::size_t row_bytes = packed_bytes({1, in.width});
  for (int y = 0; y < in.height; ++y, out += row_bytes) std::memcpy(out, source.row(y), row_bytes);
}

void pass_across(const ImageView& in, const FrameGeometry& geometry, std::vector<std::uint8_t>& packed_row,
                 std::uint8_t* out) {
  const RowKernels kernels = row_kernels();
  PackedRows source(in, kRowsAcross, packed_row);
  const std::size_t row_bytes = packed_bytes({1, geometry.pil_x().out});
  for (int y = 0; y < in.height; y += kRowsAcross) {
    const std::uint8_t* rows[kRowsAcross];
    std::uint8_t* results[kRowsAcross];
    for (int i = 0; i < kRowsAcross; ++i) {
      const int row = std::min(y + i, in.height - 1);
      rows[i] = source.row(row);
      results[i] = out + static_cast<std::size_t>(row) * row_bytes;
    }
    kernels.across(rows, geometry.pil_x(), geometry.pil_x_blocks(), results);
  }
}

void pass_down(const ImageView& in, const PilAxis& axis, ResizeScratch& scratch, std::uint8_t* out) {
  const RowKernels kernels = row_kernels();
  PackedRows source(in, axis.taps, scratch.packed_row);
  const std::size_t row_bytes = packed_bytes({1, in.width});
  const std::int32_t* weight = axis.weight.data();
  for (std::size_t o = 0; o < axis.first.size(); ++o, out += row_bytes, weight += axis.taps) {
    scratch.rows.clear();
    for (int k = 0; k < axis.count[o]; ++k) scratch.rows.push_back(source.row(axis.first[o] + k));
    kernels.down(scratch.rows.data(), weight, axis.count[o], row_bytes, out);
  }
}

std::size_t byte_of_channel(PixelFormat format, std::size_t channel) {
  return format == PixelFormat::rgb8 ? channel : 2 - channel;
}

void normalise(const std::uint8_t* pixels, std::size_t count, PixelFormat format, const Normalisation& by, float* chw) {
  const std::vector<float> bytes = normalised_bytes(by);
  const float* table[3];
  float* plane[3];
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t byte = byte_of_channel(format, c);
    table[byte] = bytes.data() + 256 * c;
    plane[byte] = chw + c * count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < 3; ++byte) plane[byte][i] = table[byte][pixels[3 * i + byte]];
  }
}

// Reads four source pixels an output, so it takes any strides as they are; of planes it has the rows converted.
void preprocess_bilinear(const ImageView& frame, const BilinearAxis& axis_x, const BilinearAxis& axis_y,
                         const Normalisation& by, std::vector<std::uint8_t>& packed_rows, float* chw) {
  std::array<float, 256> units{};
  for (int byte = 0; byte < 256; ++byte) units[static_cast<std::size_t>(byte)] = unit(byte);
  const std::size_t width = axis_x.i0.size(), count = axis_y.i0.size() * width;
  PackedRows converted(frame, 2, packed_rows);
  const bool planar = is_planar(frame.format);
  const auto row = [&](int y) { return planar ? converted.row(y) : frame.data + y * frame.row_bytes; };
  const std::ptrdiff_t pixel = planar ? 3 : frame.pixel_bytes, step = planar ? 1 : frame.channel_bytes;
  for (std::size_t y = 0; y < axis_y.i0.size(); ++y) {
    const std::uint8_t* upper = row(axis_y.i0[y]);
    const std::uint8_t* lower = row(axis_y.i1[y]);
    for (std::size_t c = 0; c < 3; ++c) {
      const auto byte = static_cast<std::ptrdiff_t>(byte_of_channel(packed_format(frame.format), c));
      float* out = chw + c * count + y * width;
      for (std::size_t x = 0; x < width; ++x) {
        const std::ptrdiff_t left = axis_x.i0[x] * pixel + byte * step;
        const std::ptrdiff_t right = axis_x.i1[x] * pixel + byte * step;
        const float top = axis_x.l0[x] * units[upper[left]] + axis_x.l1[x] * units[upper[right]];
        const float bottom = axis_x.l0[x] * units[lower[left]] + axis_x.l1[x] * units[lower[right]];
        out[x] = (axis_y.l0[y] * top + axis_y.l1[y] * bottom - by.mean[c]) / by.deviation[c];
      }
    }
  }
}

}  // namespace

std::vector<float> normalised_bytes(const Normalisation& by) {
  std::vector<float> table;
  for (std::size_t c = 0; c < 3; ++c)
    for (int byte = 0; byte < 256; ++byte) table.push_back((unit(byte) - by.mean[c]) / by.deviation[c]);
  return table;
}

void resize_pil(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch) {
  const ResizePasses passes = geometry.passes();
  scratch.resized.resize(packed_bytes(geometry.network()));
  const auto pass = [&](bool down, const ImageView& from, std::uint8_t* to) {
    if (down) return pass_down(from, geometry.pil_y(), scratch, to);
    if (geometry.pil_x().identity()) return copy(from, scratch.packed_row, to);
    pass_across(from, geometry, scratch.packed_row, to);
  };
  std::uint8_t* const resized = scratch.resized.data();
  if (passes.count == 1) return pass(passes.last_down, frame, resized);
  scratch.first_pass.resize(packed_bytes(passes.between));
  pass(passes.first_down, frame, scratch.first_pass.data());
  pass(passes.last_down, packed_view(scratch.first_pass, passes.between), resized);
}

void preprocess(const ImageView& frame, const FrameGeometry& geometry, ResizeScratch& scratch, float* network_chw,
                const Normalisation& by) {
  const ImageView view = forward_channels(frame);
  if (geometry.resize() == Resize::bilinear) {
    return preprocess_bilinear(view, geometry.bilinear_x(), geometry.bilinear_y(), by, scratch.packed_row, network_chw);
  }
  resize_pil(view, geometry, scratch);
  normalise(scratch.resized.data(), scratch.resized.size() / 3, packed_format(view.format), by, network_chw);
}

}  // namespace rfseg::raster
