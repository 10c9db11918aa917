// The copy past the caches is a copy: every byte, no byte more, at any alignment.
#include "doctest.h"
#include "host/streaming_copy.hpp"

#include <cstring>
#include <random>
#include <vector>

TEST_CASE("streaming copy: equals memcpy at any alignment and length, and touches nothing else") {
  std::mt19937 random(1);
  const auto upto = [&random](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  std::vector<std::uint8_t> from(5000);
  for (std::uint8_t& byte : from) byte = static_cast<std::uint8_t>(upto(255));
  for (int round = 0; round < 2000; ++round) {
    const std::size_t bytes = upto(round % 2 == 0 ? 150 : 4000), source = upto(500), target = upto(500);
    std::vector<std::uint8_t> copied(5000, 0xAB), expected(5000, 0xAB);
    std::memcpy(expected.data() + target, from.data() + source, bytes);
    rfseg::host::copy_streaming(copied.data() + target, from.data() + source, bytes);
    REQUIRE(copied == expected);
  }
}
