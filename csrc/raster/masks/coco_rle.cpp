// COCO's compressed run lengths: background and foreground lengths in turn, each as the difference from the length two
// places before, in groups of five bits. Owns that text format and its refusals; everything else sees runs.
#include "raster/masks/sparse_mask.hpp"

#include <rfseg/error.hpp>

#include <cstddef>
#include <utility>

namespace rfseg::raster {
namespace {

constexpr int kGroupBits = 5;
constexpr int kMaxGroups = 7;  // a length below 2^31, or the difference of two, fits 7 groups with its sign
constexpr std::int64_t kGroupMask = 0x1f, kSignBit = 0x10, kMoreBit = 0x20;
constexpr char kFirstSymbol = '0';
constexpr std::int64_t kSymbols = 64;

/// Gives the lengths of a mask one after the other as text.
class Encoder {
 public:
  void append(std::int64_t length) {
    // The first three lengths are written as they are, also the third, which has one two places before.
    std::int64_t rest = written_ > 2 ? length - two_before_ : length;
    for (bool more = true; more;) {
      std::int64_t group = rest & kGroupMask;
      rest >>= kGroupBits;
      more = (group & kSignBit) != 0 ? rest != -1 : rest != 0;
      if (more) group |= kMoreBit;
      text_.push_back(static_cast<char>(kFirstSymbol + group));
    }
    two_before_ = one_before_;
    one_before_ = length;
    ++written_;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t written_ = 0;
  std::int64_t two_before_ = 0, one_before_ = 0;
};

/// Reads one number of `counts` at `at` and moves `at` behind it.
std::int64_t read_number(std::string_view counts, std::size_t& at) {
  std::int64_t number = 0;
  for (int i = 0; i < kMaxGroups; ++i) {
    if (at == counts.size()) throw InputError("COCO counts end in the middle of a number");
    const std::int64_t group = static_cast<unsigned char>(counts[at]) - std::int64_t{kFirstSymbol};
    if (group < 0 || group >= kSymbols) {
      throw InputError("COCO counts have a byte of value " + std::to_string(group + kFirstSymbol) + " at position " +
                       std::to_string(at) + ": expected characters from '0' to 'o', as pycocotools writes them");
    }
    ++at;
    const std::int64_t weight = std::int64_t{1} << (kGroupBits * i);
    number += (group & kGroupMask) * weight;
    if ((group & kMoreBit) != 0) continue;
    return (group & kSignBit) != 0 ? number - (weight << kGroupBits) : number;
  }
  throw InputError("COCO counts have a number of more than " + std::to_string(kMaxGroups) + " characters, ending at " +
                   std::to_string(at) + ": no image is that large");
}

}  // namespace

std::string encode_coco(RunsView runs, ImageSize size) {
  Encoder encoder;
  std::int32_t end = 0;
  for (const Run run : runs) {
    encoder.append(run.start - end);
    encoder.append(run.end - run.start);
    end = run.end;
  }
  const std::int32_t pixels = size.height * size.width;
  if (end < pixels || runs.size == 0) encoder.append(pixels - end);
  return encoder.take();
}

void append_coco_runs(std::string_view counts, ImageSize size, std::vector<Run>& runs) {
  const std::int64_t pixels = validated_pixels(size);
  const std::size_t first = runs.size();
  std::int64_t position = 0, two_before = 0, one_before = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; at < counts.size(); ++i) {
    const std::int64_t length = read_number(counts, at) + (i > 2 ? two_before : 0);
    if (length < 0) throw InputError("COCO counts have a negative length, number " + std::to_string(i));
    position += length;
    if (position > pixels) break;
    if (i % 2 == 1 && length > 0) {
      const Run run{static_cast<std::int32_t>(position - length), static_cast<std::int32_t>(position)};
      // A background of length 0, which some writers emit, does not part two runs.
      if (runs.size() > first && runs.back().end == run.start) {
        runs.back().end = run.end;
      } else {
        runs.push_back(run);
      }
    }
    two_before = one_before;
    one_before = length;
  }
  if (position == pixels) return;
  throw InputError("COCO counts cover " + std::string(position > pixels ? "more" : "fewer") + " than the " +
                   std::to_string(pixels) + " pixels of an image of height " + std::to_string(size.height) +
                   " and width " + std::to_string(size.width) + ": check the order of \"size\", [height, width]");
}

}  // namespace rfseg::raster
