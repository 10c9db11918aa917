// One mask as runs: validity, size, place, overlap, and the way to and from dense pixels. Owns the walk over runs
// column by column; knows neither COCO's text nor who keeps the runs.
#include "raster/masks/sparse_mask.hpp"

#include "raster/masks/column_pieces.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

namespace rfseg::raster {
namespace {

std::string text(Run run) { return "[" + std::to_string(run.start) + ", " + std::to_string(run.end) + ")"; }

/// Says what is wrong with run `i`; empty when nothing is. `previous_end`: -1 before the first run.
std::string flaw(Run run, std::int32_t previous_end, std::int64_t pixels) {
  if (run.end <= run.start) return "is empty or reversed: expected start < end";
  if (run.start < 0 || run.end > pixels) return "leaves the image, which has " + std::to_string(pixels) + " pixels";
  if (run.start < previous_end) return "begins before the run before it ends, at " + std::to_string(previous_end);
  if (run.start == previous_end) return "touches the run before it: join the two";
  return {};
}

struct Flip {
  std::int32_t x, y;
};

/// Appends where `row` and `above` differ in being foreground. Rows of a mask are mostly like the row above.
void append_flips(const std::uint8_t* row, const std::uint8_t* above, std::int32_t width, std::int32_t y,
                  std::vector<Flip>& flips) {
  constexpr std::int32_t kBlock = 32;
  for (std::int32_t x0 = 0; x0 < width; x0 += kBlock) {
    const std::int32_t x1 = std::min(width - x0, kBlock) + x0;
    if (std::memcmp(row + x0, above + x0, static_cast<std::size_t>(x1 - x0)) == 0) continue;
    for (std::int32_t x = x0; x < x1; ++x) {
      if ((row[x] != 0) != (above[x] != 0)) flips.push_back({x, y});
    }
  }
}

/// Positions x * height + y of `flips`, which ascend in y: stable counting sort by column.
std::vector<std::int32_t> column_major(const std::vector<Flip>& flips, ImageSize size) {
  std::vector<std::size_t> slot(static_cast<std::size_t>(size.width) + 1);
  for (const Flip& flip : flips) ++slot[static_cast<std::size_t>(flip.x) + 1];
  for (std::size_t x = 1; x < slot.size(); ++x) slot[x] += slot[x - 1];
  std::vector<std::int32_t> positions(flips.size());
  for (const Flip& flip : flips) positions[slot[static_cast<std::size_t>(flip.x)]++] = flip.x * size.height + flip.y;
  return positions;
}

}  // namespace

void validate_runs(RunsView runs, ImageSize size) {
  const std::int64_t pixels = validated_pixels(size);
  // Every frame's runs pass here: one branch-free walk finds whether there is a flaw, a second one which.
  bool flawed = runs.size > 0 && runs.data[runs.size - 1].end > pixels;
  std::int32_t previous_end = -1;
  for (const Run run : runs) {
    flawed |= (run.start <= previous_end) | (run.end <= run.start);
    previous_end = run.end;
  }
  if (!flawed) return;
  previous_end = -1;
  for (std::size_t i = 0; i < runs.size; ++i) {
    const std::string what = flaw(runs.data[i], previous_end, pixels);
    if (!what.empty()) throw InputError("run " + std::to_string(i) + " " + text(runs.data[i]) + " " + what);
    previous_end = runs.data[i].end;
  }
}

std::int64_t validated_pixels(ImageSize size) {
  const std::int64_t pixels = std::int64_t{size.height} * size.width;
  if (size.height >= 0 && size.width >= 0 && pixels <= std::numeric_limits<std::int32_t>::max()) return pixels;
  throw InputError("an image of height " + std::to_string(size.height) + " and width " + std::to_string(size.width) +
                   " cannot have masks: expected sizes of at least 0 and fewer than 2^31 pixels");
}

std::int64_t area(RunsView runs) {
  std::int64_t sum = 0;
  for (const Run run : runs) sum += run.end - run.start;
  return sum;
}

PixelBounds bounds(RunsView runs, ImageSize size) {
  if (runs.size == 0) return {};
  const std::int32_t height = size.height;
  PixelBounds tight{runs.data[0].start / height, height, (runs.data[runs.size - 1].end - 1) / height + 1, 0};
  for_each_piece(runs, height, [&](std::int32_t, std::int32_t y0, std::int32_t y1) {
    tight.y0 = std::min(tight.y0, y0);
    tight.y1 = std::max(tight.y1, y1);
  });
  return tight;
}

std::int64_t intersection_area(RunsView a, RunsView b) {
  std::int64_t sum = 0;
  const Run* p = a.begin();
  const Run* q = b.begin();
  while (p != a.end() && q != b.end()) {
    sum += std::max(std::min(p->end, q->end) - std::max(p->start, q->start), 0);
    const bool p_ends_first = p->end < q->end;
    p += p_ends_first;
    q += !p_ends_first;
  }
  return sum;
}

void decode_crop(RunsView runs, ImageSize size, PixelBounds crop, std::uint8_t* pixels, std::ptrdiff_t row_bytes) {
  // Only the bytes that differ from the byte above are stored one by one; the rows then fill each other, many pixels at
  // a time. Storing whole columns instead would touch a cache line for every foreground pixel.
  for_each_piece(runs, size.height, [&](std::int32_t x, std::int32_t y0, std::int32_t y1) {
    std::uint8_t* const column = pixels + (x - crop.x0);
    column[(y0 - crop.y0) * row_bytes] = 1;
    if (y1 < crop.y1) column[(y1 - crop.y0) * row_bytes] = 1;
  });
  const std::ptrdiff_t width = crop.x1 - crop.x0;
  for (std::int32_t y = crop.y0 + 1; y < crop.y1; ++y) {
    const std::uint8_t* const above = pixels;
    pixels += row_bytes;
    for (std::ptrdiff_t x = 0; x < width; ++x) pixels[x] ^= above[x];
  }
}

void decode_dense(RunsView runs, ImageSize size, std::uint8_t* pixels) {
  const std::ptrdiff_t width = size.width;
  std::fill_n(pixels, size.height * width, std::uint8_t{0});
  const PixelBounds tight = bounds(runs, size);
  decode_crop(runs, size, tight, pixels + tight.y0 * width + tight.x0, width);
}

std::vector<std::int32_t> crop_lengths(RunsView runs, ImageSize size) {
  if (runs.size == 0) return {1};
  const PixelBounds crop = bounds(runs, size);
  const std::int32_t height = crop.y1 - crop.y0;
  std::vector<std::int32_t> lengths;
  std::int32_t end = 0;
  for_each_piece(runs, size.height, [&](std::int32_t x, std::int32_t y0, std::int32_t y1) {
    const std::int32_t start = (x - crop.x0) * height + y0 - crop.y0;
    if (start == end && !lengths.empty()) {  // from the bottom of the crop on to its top
      lengths.back() += y1 - y0;
    } else {
      lengths.insert(lengths.end(), {start - end, y1 - y0});
    }
    end = start + y1 - y0;
  });
  const std::int32_t rest = (crop.x1 - crop.x0) * height - end;
  if (rest > 0) lengths.push_back(rest);
  return lengths;
}

void append_dense_runs(const std::uint8_t* pixels, ImageSize size, std::vector<Run>& runs) {
  if (size.height == 0 || size.width == 0) return;
  // Above the top row lies, in column-major order, the bottom row one column to the left.
  const std::ptrdiff_t width = size.width;
  const std::uint8_t* const bottom = pixels + (size.height - 1) * width;
  std::vector<std::uint8_t> before_top(static_cast<std::size_t>(width));
  std::copy(bottom, bottom + width - 1, before_top.begin() + 1);

  std::vector<Flip> flips;
  append_flips(pixels, before_top.data(), size.width, 0, flips);
  for (std::int32_t y = 1; y < size.height; ++y) {
    const std::uint8_t* const row = pixels + y * width;
    append_flips(row, row - width, size.width, y, flips);
  }
  std::vector<std::int32_t> positions = column_major(flips, size);
  if (positions.size() % 2 == 1) positions.push_back(size.height * size.width);
  for (std::size_t i = 0; i < positions.size(); i += 2) runs.push_back({positions[i], positions[i + 1]});
}

}  // namespace rfseg::raster
