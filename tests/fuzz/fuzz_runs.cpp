// The columns that masks are restored from: any runs, offsets and indices.
#include "checked_masks.hpp"

#include <rfseg/error.hpp>

using namespace rfseg;

namespace {

/// The runs of one mask: ascending ones, of which most are valid, or anything.
void append_runs(fuzz::Input& in, bool ascending, std::vector<Run>& runs) {
  std::int32_t at = 0;
  for (int left = in.byte(); left > 0 && !in.empty(); --left) {
    if (ascending) {
      const std::int32_t start = at + in.byte() % 16;
      at = start + in.byte() % 200;
      runs.push_back({start, at});
    } else {
      const auto start = in.take<std::int32_t>();
      runs.push_back({start, in.take<std::int32_t>()});
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const std::uint8_t kind = in.byte();
  const bool small = kind % 2 == 0, ascending = kind % 4 < 2, any_offsets = kind % 8 == 7;
  const int height = small ? in.number(0, 64) : in.take<std::int32_t>();
  const int width = small ? in.number(0, 64) : in.take<std::int32_t>();
  const int masks = in.number(0, 5);
  std::vector<std::int32_t> mask_of_instance;
  for (int left = in.number(0, 6); left > 0; --left) mask_of_instance.push_back(in.take<std::int8_t>() % (masks + 1));
  std::vector<std::int64_t> offsets;
  std::vector<Run> runs;
  for (int mask = 0; mask <= masks; ++mask) {
    offsets.push_back(any_offsets ? in.take<std::int64_t>() : static_cast<std::int64_t>(runs.size()));
    if (mask < masks) append_runs(in, ascending, runs);
  }
  try {
    fuzz::check_masks(Masks::from_runs({height, width}, runs, offsets, mask_of_instance));
  } catch (const InputError&) {
  }
  return 0;
}
