// What the GPU pipeline keeps for a frame size, when it makes it anew, and what it does with frames that hold more than
// the buffers.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <set>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;

namespace {

/// Counts what a plan costs: one capture, and allocations.
struct Costs {
  int captures;
  std::int64_t allocations;
};

Costs costs(const GpuStand& stand, const pipeline::Pipeline& pipeline) {
  return {stand.control.calls("cuStreamBeginCapture_v2"), pipeline.counters().device_allocations};
}

}  // namespace

TEST_CASE("gpu plans: a new size costs each slot that needs it one plan, a known one nothing") {
  GpuStand stand;
  stand.settings.slots = 3;
  const auto pipeline = stand.pipeline();
  const Frame frame({33, 50}, 1);
  const Costs ready = costs(stand, *pipeline);
  CHECK(ready.captures == 0);
  const std::int64_t loads = pipeline->counters().module_loads;
  CHECK(loads == stand.control.calls("cuModuleLoadDataEx"));
  CHECK(loads > 0);
  for (int i = 0; i < 4; ++i) stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  Costs before = costs(stand, *pipeline);
  CHECK(before.captures == 1);  // one at a time: always in the slot that knows the size
  std::set<std::int64_t> added{before.allocations - ready.allocations};
  for (int slot = 1; slot <= 3; ++slot) {
    pipeline->submit(frame.view);
    const Costs after = costs(stand, *pipeline);
    CHECK(after.captures == slot);
    if (slot > 1) added.insert(after.allocations - before.allocations);
    before = after;
  }
  for (int slot = 1; slot <= 3; ++slot) stand.expect_equal(pipeline->collect(nullptr), stand.expected(frame.view));
  CHECK(added.size() == 1);  // every slot makes the same
  CHECK(pipeline->counters().module_loads == loads);
  CHECK(*added.begin() > 0);
  const int runs = stand.network_runs;
  for (int i = 0; i < 12; ++i) stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(stand.network_runs == runs + 12);  // the graph alone
  CHECK(costs(stand, *pipeline).captures == 3);
  CHECK(costs(stand, *pipeline).allocations == before.allocations);
  const int live = stand.control.live().at("device memory");
  const Frame rgb({33, 50}, 2, PixelFormat::rgb8);
  stand.expect_equal(stand.infer(*pipeline, rgb.view), stand.expected(rgb.view));
  CHECK(costs(stand, *pipeline).captures == 4);
  CHECK(stand.control.live().at("device memory") > live);
}

TEST_CASE("gpu plans: four sizes are kept, the one used longest ago makes room") {
  GpuStand stand;
  stand.settings.slots = 1;
  const auto pipeline = stand.pipeline();
  const ImageSize a{20, 30}, b{30, 20}, c{40, 41}, d{16, 24}, e{8, 9};
  int captures = 0, live = 0;
  const auto run = [&](ImageSize size, bool made) {
    const Frame frame(size, static_cast<std::uint64_t>(size.width));
    stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
    captures += made ? 1 : 0;
    CHECK(costs(stand, *pipeline).captures == captures);
  };
  for (const ImageSize size : {a, b, c, d}) run(size, true);
  live = stand.control.live().at("device memory");
  run(a, false);
  run(e, true);  // b goes
  CHECK(stand.control.live().at("device memory") == live);
  for (const ImageSize size : {a, c, d, e}) run(size, false);
  run(b, true);  // a goes
  run(c, false);
  run(a, true);
  CHECK(stand.control.live().at("device memory") == live);
  CHECK(stand.control.live().at("graph exec") == 4);
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu plans: more toggles than the buffer holds take the host's stages") {
  stand_in::NetworkShape shape;
  shape.network = {8, 16}, shape.mask = {4, 8};
  GpuStand stand(shape);
  stand.settings.slots = 1;
  bool striped = true;
  stand.adjust = [&](NetworkTensors& tensors) {
    for (std::size_t i = 0; striped && i < tensors.masks.size(); ++i) tensors.masks[i] = i / 8 % 2 == 0 ? 1.0F : -1.0F;
    tensors.labels[0] = 2;  // query 0 at least, and its mask has four toggles in each column
  };
  const auto pipeline = stand.pipeline();
  const Frame frame({4, pipeline::FramePlan::kToggleCapacity / 4 + 1}, 5), small({4, 40}, 6);
  stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
  CHECK(pipeline->counters().slow_frames == 0);
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->counters().slow_frames == 1);
  const std::size_t raw = 4U * 6 * (4 + 5 + 32);
  CHECK(pipeline->counters().bytes_back == static_cast<std::int64_t>(raw));
  const std::int64_t allocations = pipeline->counters().device_allocations;
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->counters().slow_frames == 2);
  striped = false;
  stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
  CHECK(pipeline->counters().slow_frames == 2);
  CHECK(pipeline->counters().bytes_back != static_cast<std::int64_t>(raw));
  CHECK(pipeline->counters().device_allocations == allocations);
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu plans: more ties than the device ranks take the host's stages") {
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

TEST_CASE("gpu plans: frames and networks that the device's stages cannot take") {
  stand_in::NetworkShape shape;
  shape.queries = 1025;
  GpuStand stand(shape);
  CHECK(stand_in::contains(stand_in::thrown<BackendError>([&] { stand.pipeline(); }), "at most 1024; use stages host"));
  stand.settings.stages = Stages::host;
  const auto pipeline = stand.pipeline();
  const Frame frame({20, 30}, 8);
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu plans: nothing found, and no class left") {
  GpuStand stand;
  stand.adjust = [](NetworkTensors& tensors) { tensors.labels.assign(tensors.labels.size(), -9.0F); };
  {
    const auto pipeline = stand.pipeline();
    const Frame frame({20, 30}, 9);
    CHECK(stand.infer(*pipeline, frame.view).size() == 0);
    CHECK(pipeline->counters().bytes_back == 32);
  }
  stand.adjust = nullptr;
  stand.settings.rule.logit_cut.assign(5, raster::logit_above(1.0F));
  const auto pipeline = stand.pipeline();
  const Frame frame({20, 30}, 10);
  CHECK(stand.infer(*pipeline, frame.view).size() == 0);
}
