// The geometries of the sizes seen last.
#include "doctest.h"
#include "pipeline/geometry_cache.hpp"

#include <rfseg/error.hpp>

using rfseg::ImageSize;
using rfseg::pipeline::GeometryCache;

TEST_CASE("geometry cache: a size is built once, and the one used longest ago makes room") {
  GeometryCache cache({16, 24}, {4, 6}, rfseg::Resize::bilinear);
  const auto first = cache.find({10, 20});
  CHECK(first->source() == ImageSize{10, 20});
  CHECK(first->network() == ImageSize{16, 24});
  CHECK(first->mask() == ImageSize{4, 6});
  CHECK(first->resize() == rfseg::Resize::bilinear);
  const auto second = cache.find({20, 10});
  CHECK(second->source() == ImageSize{20, 10});
  const int capacity = static_cast<int>(GeometryCache::kCapacity);
  for (int i = 2; i < capacity; ++i) cache.find({30, 30 + i});
  CHECK((cache.find({10, 20}) == first));  // full, and this one is the most recent
  cache.find({40, 40});                    // {20, 10} goes
  CHECK((cache.find({10, 20}) == first));
  const auto again = cache.find({20, 10});
  CHECK((again != second));
  CHECK(again->source() == ImageSize{20, 10});
  CHECK(second->source() == ImageSize{20, 10});  // whoever holds one keeps it
}

TEST_CASE("geometry cache: a size that is refused takes no room") {
  GeometryCache cache({16, 24}, {4, 6}, rfseg::Resize::pil);
  const auto kept = cache.find({10, 20});
  for (int i = 0; i < 20; ++i) CHECK_THROWS_AS(cache.find({0, 20}), rfseg::InputError);
  CHECK((cache.find({10, 20}) == kept));
}
