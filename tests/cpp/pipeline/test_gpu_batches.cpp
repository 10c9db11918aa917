// Batches on a GPU: who goes together, that nobody's answer depends on it, and that nothing is made for a new size.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <random>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;

namespace {

std::vector<Frame> mixed(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Frame> made;
  for (int i = 0; i < count; ++i) {
    const ImageSize size{1 + static_cast<int>(random() % 90), 1 + static_cast<int>(random() % 90)};
    const auto layout = stand_in::kLayouts[random() % std::size(stand_in::kLayouts)];
    made.emplace_back(size, random(), random() % 2 == 0 ? PixelFormat::bgr8 : PixelFormat::rgb8, layout);
  }
  return made;
}

std::vector<pipeline::FrameRequest> requests(const GpuStand& stand, const std::vector<Frame>& frames) {
  const auto rule = std::make_shared<const raster::SelectionRule>(stand.rule);
  std::vector<pipeline::FrameRequest> made;
  for (const Frame& frame : frames) made.push_back({frame.view, rule});
  return made;
}

}  // namespace

TEST_CASE("gpu batches: frames given together run together, and each gets what it gets alone") {
  for (const int batch : {0, 4}) {
    for (const Resize resize : {Resize::pil, Resize::bilinear}) {
      CAPTURE(batch);
      stand_in::NetworkShape shape;
      shape.batch = batch;
      shape.half = resize == Resize::bilinear;
      GpuStand stand(shape);
      stand.settings.resize = resize;
      stand.settings.slots = 20;
      const auto pipeline = stand.pipeline();
      const int runs = stand.network_runs;
      CHECK(pipeline->counters().captures == (batch == 0 ? 4 : 1));
      for (const int count : {1, 2, 3, 4, 7, 8, 16}) {
        CAPTURE(count);
        const std::vector<Frame> sent = mixed(count, 100 + static_cast<std::uint64_t>(count));
        const auto flights = pipeline->submit(requests(stand, sent));
        for (std::size_t i = 0; i < sent.size(); ++i)
          stand.expect_equal(flights[i]->take(), stand.expected(sent[i].view));
      }
      // Sizes 1, 2, 4 and 8, rounded down: 1; 2; 2 + 1; 4; 4 + 2 + 1; 8; 8 + 8. Of fours: 1, 1, 1, 1, 2, 2, 4.
      CHECK(stand.network_runs - runs == (batch == 0 ? 11 : 12));
      CHECK(pipeline->counters().batches == stand.network_runs - runs);
      CHECK(pipeline->counters().frames == 41);
      CHECK(pipeline->counters().captures == (batch == 0 ? 4 : 1));
      CHECK(pipeline->counters().slow_frames == 0);
      CHECK(stand.instances > 40);
    }
  }
}

TEST_CASE("gpu batches: an idle lane takes what waits and never waits for more") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.settings.slots = 12;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = mixed(12, 5);
  stand.control.keep_busy(1 << 30);
  std::vector<std::shared_ptr<pipeline::Flight>> flights;
  for (const Frame& frame : sent) flights.push_back(stand.start(*pipeline, frame.view));
  const auto cancelled = flights[6];
  CHECK(cancelled->cancel());
  CHECK_FALSE(flights[0]->cancel());  // it went alone, at once
  stand.control.keep_busy(0);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (flights[i] == cancelled) continue;
    stand.expect_equal(flights[i]->take(), stand.expected(sent[i].view));
  }
  CHECK_THROWS_AS(cancelled->take(), InputError);
  CHECK(pipeline->counters().frames == 11);
  CHECK(pipeline->counters().batches == 3);  // 1, then 7 of the 8 that were counted, then 3 as 2 + 1 or 3 in 4
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu batches: rules, tensors and overflow are each frame's own") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  shape.queries = 300, shape.columns = 91;
  GpuStand stand(shape);
  bool all_tie = false;
  stand.adjust = [&all_tie](NetworkTensors& tensors) {
    all_tie = tensors.input[0] > 0;  // of bright frames
    if (all_tie) tensors.labels.assign(tensors.labels.size(), 1.0F);
  };
  stand.settings.slots = 8;
  const auto pipeline = stand.pipeline();
  std::vector<Frame> sent = mixed(6, 9);
  for (std::size_t i = 0; i < sent.size(); ++i)
    std::fill(sent[i].bytes.begin(), sent[i].bytes.end(), i % 2 == 0 ? 255 : static_cast<std::uint8_t>(i));
  auto asked = requests(stand, sent);
  raster::SelectionRule few = stand.rule;
  few.max_detections = 3;
  asked[1].rule = std::make_shared<const raster::SelectionRule>(few);
  asked[3].tensors = std::make_shared<NetworkTensors>();
  const auto flights = pipeline->submit(asked);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAPTURE(i);
    const raster::SelectionRule usual = stand.rule;
    if (i == 1) stand.rule = few;
    const Result right = stand.expected(sent[i].view);
    stand.rule = usual;
    stand.expect_equal(flights[i]->take(), right);
  }
  stand.expect_tensors(*asked[3].tensors, stand.tensors(sent[3].view));
  CHECK(pipeline->counters().slow_frames == 3);
  CHECK(stand.instances > 500);
}

TEST_CASE("gpu batches: a batch that fails fails its frames, and the next one is right") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.settings.slots = 8;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = mixed(8, 10);
  for (const char* symbol : {"cuGraphLaunch", "cuEventQuery", "cuStreamWaitEvent"}) {
    CAPTURE(symbol);
    stand.control.fail(symbol, 1, 3);
    for (const auto& flight : pipeline->submit(requests(stand, sent))) CHECK_THROWS_AS(flight->take(), CudaError);
    CHECK_FALSE(stand.control.failures_pending());
    const auto flights = pipeline->submit(requests(stand, sent));
    for (std::size_t i = 0; i < sent.size(); ++i) stand.expect_equal(flights[i]->take(), stand.expected(sent[i].view));
  }
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu batches: a frame that cannot be used takes nobody with it") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.settings.slots = 4;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = mixed(3, 11);
  auto asked = requests(stand, sent);
  asked[2].image.memory = MemoryKind::device;
  CHECK_THROWS_AS(pipeline->submit(asked), InputError);
  asked.pop_back();
  const auto flights = pipeline->submit(asked);
  for (std::size_t i = 0; i < 2; ++i) stand.expect_equal(flights[i]->take(), stand.expected(sent[i].view));
  for (int round = 0; round < 3; ++round)
    stand.expect_equal(stand.infer(*pipeline, sent[2].view), stand.expected(sent[2].view));
}

TEST_CASE("gpu batches: a thousand sizes capture nothing and, below the largest, allocate nothing") {
  stand_in::NetworkShape shape;
  shape.batch = 0;
  GpuStand stand(shape);
  stand.settings.slots = 6;
  stand.settings.lanes = 2;
  const auto pipeline = stand.pipeline();
  const Frame largest({90, 90}, 1);
  for (int i = 0; i < 30; ++i) stand.start(*pipeline, largest.view);
  stand.expect_equal(stand.infer(*pipeline, largest.view), stand.expected(largest.view));
  const Counters before = pipeline->counters();
  CHECK(before.captures == 2 * 4);
  for (int round = 0; round < 100; ++round) {
    const std::vector<Frame> sent = mixed(10, 1000 + static_cast<std::uint64_t>(round));
    std::vector<std::shared_ptr<pipeline::Flight>> flights;
    for (const Frame& frame : sent) flights.push_back(stand.start(*pipeline, frame.view));
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const Result result = flights[i]->take();
      if (i == 0) stand.expect_equal(result, stand.expected(sent[i].view));
    }
  }
  const Counters after = pipeline->counters();
  CHECK(after.frames >= before.frames + 1000);
  CHECK(after.captures == before.captures);
  CHECK(after.device_allocations == before.device_allocations);
  CHECK(after.module_loads == before.module_loads);
  CHECK(stand.instances > 100);
}
