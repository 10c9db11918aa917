// Shows that mask_runs.cpp is compiled without FMA contraction: in each mask the two rounded products cancel to
// exactly 0 at one pixel, which is background, while a fused product leaves a positive remainder there.
#include "doctest.h"
#include "raster/masks/mask_runs.hpp"

#include <cmath>

namespace {

using rfseg::ImageSize;
using rfseg::Resize;
using rfseg::Run;
using rfseg::raster::append_mask_runs;
using rfseg::raster::BilinearAxis;
using rfseg::raster::FrameGeometry;
using rfseg::raster::make_bilinear_axis;
using rfseg::raster::MaskRunScratch;

/// Two nodes and the pixel among `length` where they cancel.
struct Cancellation {
  int length;
  int pixel;
  float first;
  float second;
};

// Found by search over random significands: for both ways of fusing, the remainder is positive.
constexpr Cancellation kCancellations[] = {
    {5, 3, 0x1.43e0dp+0F, -0x1.1fe44cp-3F},    {7, 2, 0x1.f0098ep+0F, -0x1.c6b368p+2F},
    {11, 6, 0x1.e40942p+0F, -0x1.c3c456p-1F},  {13, 4, 0x1.75267ep+0F, -0x1.87ceccp+2F},
    {37, 17, 0x1.745b6cp+0F, -0x1.cea01cp+0F}, {37, 27, 0x1.9b20b6p+0F, -0x1.68705ep-6F},
};

std::vector<Run> runs_of(const Cancellation& nodes, ImageSize source, ImageSize grid) {
  const FrameGeometry geometry(source, {grid.height * 4, grid.width * 4}, grid, Resize::bilinear);
  const float logits[] = {nodes.first, nodes.second};
  MaskRunScratch scratch;
  std::vector<Run> runs;
  append_mask_runs(logits, geometry, scratch, runs);
  return runs;
}

}  // namespace

TEST_CASE("the masks of this file tell a fused product from two rounded ones") {
  for (const Cancellation& nodes : kCancellations) {
    CAPTURE(nodes.pixel);
    const BilinearAxis axis = make_bilinear_axis(2, nodes.length);
    const auto pixel = static_cast<std::size_t>(nodes.pixel);
    const volatile float first = axis.l0[pixel] * nodes.first;  // volatile: rounded whatever the flags
    const volatile float second = axis.l1[pixel] * nodes.second;
    CHECK(first + second == 0.0F);
    CHECK(std::fma(axis.l0[pixel], nodes.first, second) > 0.0F);
    CHECK(std::fma(axis.l1[pixel], nodes.second, first) > 0.0F);
  }
}

TEST_CASE("no contraction: products that cancel along y are background") {
  for (const Cancellation& nodes : kCancellations) {
    CAPTURE(nodes.pixel);
    CHECK(runs_of(nodes, {nodes.length, 1}, {2, 1}) == std::vector<Run>{{0, nodes.pixel}});
  }
}

TEST_CASE("no contraction: products that cancel along x are background") {
  for (const Cancellation& nodes : kCancellations) {
    CAPTURE(nodes.pixel);
    CHECK(runs_of(nodes, {1, nodes.length}, {1, 2}) == std::vector<Run>{{0, nodes.pixel}});
  }
}
