// COCO's compressed counts of a stranger's file: any strings for an image of any size.
#include "checked_masks.hpp"

#include <rfseg/error.hpp>

#include <algorithm>

using namespace rfseg;

namespace {

ImageSize any_size(fuzz::Input& in) {
  switch (in.byte() % 4) {
    case 0: {
      const int height = in.number(0, 40);
      return {height, in.number(0, 40)};
    }
    case 1: {
      const int height = in.number(0, 70000);
      return {height, in.number(0, 70000)};
    }
    case 2: {
      const auto height = in.take<std::int32_t>();
      return {height, in.take<std::int32_t>()};
    }
    default: {
      const int height = 1 << in.number(0, 30);
      return {height, 1 << in.number(0, 30)};
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const ImageSize image = any_size(in);
  const bool in_alphabet = in.coin();  // most bytes then count
  std::string all = in.rest();
  if (in_alphabet) {
    for (char& letter : all) letter = static_cast<char>('0' + (static_cast<unsigned char>(letter) & 63));
  }
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('|', at), all.size());
    texts.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  try {
    fuzz::check_masks(Masks::from_coco(image, texts));
  } catch (const InputError&) {
  }
  return 0;
}
