// What the GPU pipeline does with frames that hold more than its buffers, with nothing, and with what it cannot take.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;

TEST_CASE("gpu capacity: more toggles than there is room for are slow once") {
  stand_in::NetworkShape shape;
  shape.network = {8, 16}, shape.mask = {4, 8};
  GpuStand stand(shape);
  stand.settings.slots = 2;
  bool striped = true;
  stand.adjust = [&](NetworkTensors& tensors) {
    for (std::size_t i = 0; striped && i < tensors.masks.size(); ++i) tensors.masks[i] = i / 8 % 2 == 0 ? 1.0F : -1.0F;
    tensors.labels[0] = 2;  // query 0 at least, and its mask has four toggles in each column
  };
  const auto pipeline = stand.pipeline();
  const Frame frame({4, pipeline::RunCapacity::kFirst / 4 + 1}, 5), small({4, 40}, 6);
  stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
  CHECK(pipeline->counters().slow_frames == 0);
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->counters().slow_frames == 1);
  const std::size_t raw = 4U * 6 * (4 + 5 + 32);
  CHECK(pipeline->counters().bytes_back == static_cast<std::int64_t>(raw));
  for (int round = 0; round < 3; ++round)
    stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->counters().slow_frames == 1);
  CHECK(pipeline->counters().bytes_back > static_cast<std::int64_t>(raw));
  const std::int64_t allocations = pipeline->counters().device_allocations;
  striped = false;
  stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->counters().slow_frames == 1);
  CHECK(pipeline->counters().device_allocations == allocations);
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu capacity: room grows in steps, and not beyond its bound") {
  pipeline::RunCapacity room;
  constexpr int kFirst = pipeline::RunCapacity::kFirst, kMost = pipeline::RunCapacity::kMost;
  CHECK(room.toggles() == kFirst);
  room.note(kFirst);
  CHECK(room.toggles() == kFirst);
  room.note(kFirst + 1);
  CHECK(room.toggles() == 2 * kFirst);
  room.note(kMost + 1);
  CHECK(room.toggles() == 2 * kFirst);
  room.note(kMost);
  CHECK(room.toggles() == kMost);
  room.note(1);
  CHECK(room.toggles() == kMost);
}

TEST_CASE("gpu capacity: more ties than the device ranks take the host's stages") {
  stand_in::NetworkShape shape;
  shape.queries = 300, shape.columns = 91;
  GpuStand stand(shape);
  stand.adjust = [](NetworkTensors& tensors) { tensors.labels.assign(tensors.labels.size(), 1.0F); };
  const auto pipeline = stand.pipeline();
  const Frame frame({20, 30}, 7);
  const Result right = stand.expected(frame.view);
  CHECK(right.size() == 300 - 4);  // the first 300 pairs are those of queries 0..3, and column 3 is no class
  stand.expect_equal(stand.infer(*pipeline, frame.view), right);
  CHECK(pipeline->counters().slow_frames == 1);
}

TEST_CASE("gpu capacity: networks and frames that the device's stages cannot take") {
  stand_in::NetworkShape shape;
  shape.queries = 1025;
  GpuStand stand(shape);
  CHECK(stand_in::contains(stand_in::thrown<BackendError>([&] { stand.pipeline(); }), "at most 1024; use stages host"));
  const auto pipeline = stand.host_pipeline();
  const Frame frame({20, 30}, 8);
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu capacity: nothing found, and no class left") {
  GpuStand stand;
  stand.adjust = [](NetworkTensors& tensors) { tensors.labels.assign(tensors.labels.size(), -9.0F); };
  {
    const auto pipeline = stand.pipeline();
    const Frame frame({20, 30}, 9);
    CHECK(stand.infer(*pipeline, frame.view).size() == 0);
    CHECK(pipeline->counters().bytes_back == 32);
  }
  stand.adjust = nullptr;
  stand.rule.logit_cut.assign(5, raster::logit_above(1.0F));
  const auto pipeline = stand.pipeline();
  const Frame frame({20, 30}, 10);
  CHECK(stand.infer(*pipeline, frame.view).size() == 0);
}

TEST_CASE("gpu capacity: outlines are traced ahead once they are asked for, and no longer than they are") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const Frame frame({33, 50}, 12);
  const auto traced_ahead = [&] { return stand.infer(*pipeline, frame.view).speed.outlines_ms > 0.0F; };
  const Result right = stand.expected(frame.view);
  REQUIRE(right.size() > 0);
  stand.infer(*pipeline, frame.view).masks.polygons(0, OutlineMode::tree);
  int ahead = 0;
  for (int i = 0; i < 2 * raster::OutlineDemand::kFrames; ++i) ahead += traced_ahead() ? 1 : 0;
  CHECK(ahead == raster::OutlineDemand::kFrames);
  const Result asked = stand.infer(*pipeline, frame.view);
  for (int k = 0; k < right.size(); ++k) {
    const auto &ours = asked.masks.polygons(k, OutlineMode::tree), &theirs = right.masks.polygons(k, OutlineMode::tree);
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i].exterior == theirs[i].exterior);
  }
}
