// Several frames on a GPU at once, and the Segmenter's rules for them.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <iterator>
#include <optional>

using namespace rfseg;
using stand_in::contains;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::thrown;

namespace {

std::vector<Frame> frames(int count) {
  constexpr ImageSize kSizes[] = {{33, 50}, {33, 50}, {60, 30}, {16, 24}, {33, 50}, {700, 301}, {25, 25}};
  constexpr int kCount = std::size(kSizes);  // five sizes, one more than a slot keeps plans for
  std::vector<Frame> made;
  for (int i = 0; i < count; ++i) made.emplace_back(kSizes[i % kCount], 1000 + static_cast<std::uint64_t>(i));
  return made;
}

}  // namespace

TEST_CASE("gpu in flight: results come in order and belong to their frames") {
  for (int slots = 1; slots <= 4; ++slots) {
    CAPTURE(slots);
    GpuStand stand;
    stand.settings.slots = slots;
    stand.settings.outlines = OutlineMode::external;
    const auto pipeline = stand.pipeline();
    const std::vector<Frame> sent = frames(20);
    std::size_t collected = 0;
    const auto collect = [&] {
      const Result right = stand.expected(sent[collected++].view);
      NetworkTensors tensors;
      const Result result = pipeline->collect(collected % 3 == 0 ? &tensors : nullptr);
      stand.expect_equal(result, right);
      if (collected % 3 == 0) stand.expect_tensors(tensors, stand.tensors(sent[collected - 1].view));
      for (int i = 0; i < right.size(); ++i) CHECK(result.masks.polygons(i).size() == right.masks.polygons(i).size());
    };
    for (const Frame& frame : sent) {
      if (pipeline->pending() == slots) collect();
      pipeline->submit(frame.view);
    }
    CHECK(pipeline->pending() == slots);
    while (pipeline->pending() > 0) collect();
    CHECK(collected == sent.size());
    CHECK(stand.instances > 20);
    for (const Frame& frame : sent) {
      if (pipeline->pending() < slots) pipeline->submit(frame.view);  // the destructor waits for these
    }
  }
}

TEST_CASE("gpu in flight: the device is current for who asks, and not longer") {
  GpuStand stand;
  const Segmenter segmenter = stand.segmenter(1);
  const auto held = [&stand] {
    return stand.control.calls("cuCtxPushCurrent_v2") - stand.control.calls("cuCtxPopCurrent_v2");
  };
  const int before = held();
  int inside = 0;
  segmenter.on_device([&] { inside = held(); });
  CHECK(inside == before + 1);
  CHECK(held() == before);
  CHECK_THROWS_AS(segmenter.on_device([] { throw InputError("a producer's"); }), InputError);
  CHECK(held() == before);
}

TEST_CASE("gpu in flight: the segmenter's rules") {
  GpuStand stand;
  Segmenter segmenter = stand.segmenter(3);
  CHECK(segmenter.info().device == "cuda:0");
  CHECK(segmenter.info().backend == "tensorrt");
  CHECK(segmenter.info().library_version == "10.6.0");
  CHECK(segmenter.info().slots == 3);
  CHECK(segmenter.info().gpu == "Stand-in 0 (cuda:0, compute capability 9.0)");
  CHECK(segmenter.frame_stream() != 0);
  const std::vector<Frame> sent = frames(4);
  CHECK(contains(thrown<InputError>([&] { segmenter.collect(); }), "nothing was submitted"));
  for (int i = 0; i < 3; ++i) segmenter.submit(sent[static_cast<std::size_t>(i)].view);
  CHECK(contains(thrown<InputError>([&] { segmenter.submit(sent[3].view); }), "3 frames are in flight"));
  CHECK(contains(thrown<InputError>([&] { segmenter.infer(sent[3].view); }), "3 submitted frames wait for collect()"));
  CHECK(contains(thrown<InputError>([&] { segmenter.network_ms(1); }), "would overtake them"));
  for (int i = 0; i < 3; ++i) {
    const Result result = segmenter.collect();
    stand.expect_equal(result, stand.expected(sent[static_cast<std::size_t>(i)].view));
    CHECK(result.names->at(1) == "class 1");
  }
  ImageView empty = sent[0].view;
  empty.height = 0;
  CHECK_THROWS_AS(segmenter.submit(empty), InputError);
  CHECK(segmenter.pending() == 0);
  NetworkTensors tensors;
  stand.expect_equal(segmenter.infer(sent[3].view, &tensors), stand.expected(sent[3].view));
  stand.expect_tensors(tensors, stand.tensors(sent[3].view));
  stand.expect_equal(segmenter.postprocess(tensors, {sent[3].view.height, sent[3].view.width}),
                     stand.expected(sent[3].view));
  for (int i = 0; i < 2; ++i) segmenter.submit(sent[static_cast<std::size_t>(i)].view);
  segmenter.discard_pending();
  CHECK(segmenter.pending() == 0);
  stand.expect_equal(segmenter.infer(sent[1].view), stand.expected(sent[1].view));
  CHECK(stand.instances > 5);
}

TEST_CASE("gpu in flight: the network alone is run as often as asked") {
  GpuStand stand;
  Segmenter segmenter = stand.segmenter(2);
  const int runs = stand.network_runs;
  CHECK(segmenter.network_ms(5, 2) >= 0);
  CHECK(stand.network_runs == runs + 4 * 2 + 5);
  CHECK_THROWS_AS(segmenter.network_ms(5, 3), InputError);
  CHECK_THROWS_AS(segmenter.network_ms(0), InputError);
  const Frame frame({33, 50}, 3);
  stand.expect_equal(segmenter.infer(frame.view), stand.expected(frame.view));
}

TEST_CASE("gpu in flight: results and frame buffers outlive the segmenter") {
  GpuStand stand;
  std::optional<Segmenter> segmenter(stand.segmenter(1));
  const Frame frame({33, 50}, 4);
  const Result right = stand.expected(frame.view);
  const FrameBuffer buffer = segmenter->frame_buffer({33, 50});
  std::copy(frame.bytes.begin(), frame.bytes.end(), buffer.data());
  const Result result = segmenter->infer(buffer.view(PixelFormat::bgr8));
  segmenter.reset();
  stand.expect_equal(result, right);
  CHECK(std::equal(frame.bytes.begin(), frame.bytes.end(), buffer.data()));
  CHECK(result.names->at(0) == "class 0");
}
