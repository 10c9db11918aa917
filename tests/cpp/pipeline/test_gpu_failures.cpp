// Driver calls that fail under the GPU pipeline: one frame's failure is its own, a lost device is told to everyone, and
// nothing is left behind.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <cstdlib>
#include <optional>
#include <set>

using namespace rfseg;
using stand_in::contains;
using stand_in::Cuda;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::thrown;

namespace {

constexpr int kOutOfMemory = 2, kIllegalAddress = 700;

/// Submits and collects `sent`, as many at once as there are slots. Returns how many arrived, each right.
int arrived(GpuStand& stand, pipeline::Pipeline& pipeline, const std::vector<Frame>& sent,
            std::vector<std::string>& failures) {
  int right = 0;
  std::vector<const Frame*> started;
  for (const Frame& frame : sent) {
    const std::string said = thrown<Error>([&] {
      pipeline.submit(frame.view);
      started.push_back(&frame);
    });
    if (started.empty() || started.back() != &frame) failures.push_back("submit: " + said);
  }
  CHECK(pipeline.pending() == static_cast<int>(started.size()));
  for (const Frame* frame : started) {
    try {
      stand.expect_equal(pipeline.collect(nullptr), stand.expected(frame->view));
      ++right;
    } catch (const Error& error) {
      failures.push_back("collect: " + std::string(error.what()));
    }
  }
  CHECK(pipeline.pending() == 0);
  return right;
}

std::vector<Frame> three_frames() {
  std::vector<Frame> frames;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) frames.emplace_back(ImageSize{33, 50}, seed);
  return frames;
}

}  // namespace

TEST_CASE("gpu failures: a frame that fails poisons only itself") {
  struct Case {
    const char* symbol;
    int nth;
    const char* where;
  };
  // A frame of ordinary memory: one copy, the marks around its graph, the graph; then its reader waits and asks.
  const Case cases[] = {{"cuCtxPushCurrent_v2", 1, "submit"},  {"cuPointerGetAttributes", 2, "submit"},
                        {"cuMemcpyHtoDAsync_v2", 2, "submit"}, {"cuEventRecord", 1, "submit"},
                        {"cuEventRecord", 4, "submit"},        {"cuGraphLaunch", 3, "submit"},
                        {"cuEventSynchronize", 2, "collect"},  {"cuEventElapsedTime", 1, "collect"}};
  GpuStand stand;
  stand.settings.slots = 3;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = three_frames();
  std::vector<std::string> failures;
  CHECK(arrived(stand, *pipeline, sent, failures) == 3);
  const std::int64_t allocations = pipeline->counters().device_allocations;
  for (const Case& one : cases) {
    CAPTURE(one.symbol);
    CAPTURE(one.nth);
    stand.control.fail(one.symbol, one.nth, 3);
    CHECK(arrived(stand, *pipeline, sent, failures) == 2);
    REQUIRE(failures.size() == 1);
    CHECK(contains(failures[0], std::string(one.where) + ": " + one.symbol + " failed for "));
    CHECK_FALSE(stand.control.failures_pending());
    failures.clear();
    CHECK(arrived(stand, *pipeline, sent, failures) == 3);
    CHECK(failures.empty());
  }
  CHECK(pipeline->counters().device_allocations == allocations);
  CHECK(stand.instances > 50);
}

TEST_CASE("gpu failures: a plan that cannot be made leaves its slot as it was") {
  struct Case {
    const char* symbol;
    int nth;
  };
  const Case cases[] = {{"cuMemAlloc_v2", 3},
                        {"cuMemHostAlloc", 2},
                        {"cuLaunchKernel", 2},
                        {"cuLaunchKernel", 7},
                        {"cuStreamBeginCapture_v2", 1},
                        {"cuStreamEndCapture", 1},
                        {"cuGraphInstantiateWithFlags", 1},
                        {"cuStreamSynchronize", 2}};
  GpuStand stand;
  stand.settings.slots = 1;
  const auto pipeline = stand.pipeline();
  int width = 20;
  for (const Case& one : cases) {
    CAPTURE(one.symbol);
    const Frame frame({33, ++width}, 5);
    const auto before = stand.control.live();
    stand.control.fail(one.symbol, one.nth, kOutOfMemory);
    const std::string said = thrown<CudaError>([&] { pipeline->submit(frame.view); });
    CHECK(said.rfind(std::string(one.symbol) + " failed for ", 0) == 0);  // memory is short: no word of captures
    CHECK_FALSE(stand.control.failures_pending());
    CHECK(pipeline->pending() == 0);
    CHECK(stand.control.live() == before);  // the four plans that it has included
    stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  }
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu failures: a network that refuses to be captured says so") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const auto before = stand.control.live();
  const Frame frame({33, 50}, 6);
  stand.refuse_network = [](const Cuda& control) {
    return control.calls("cuStreamBeginCapture_v2") > control.calls("cuStreamEndCapture");
  };
  const auto expect_refused = [&](const std::string& why) {
    for (const std::string& said : {thrown<BackendError>([&] { pipeline->submit(frame.view); }),
                                    thrown<BackendError>([&] { pipeline->network_ms(1, 1); })}) {
      CHECK(contains(said, "model.engine cannot be captured in a CUDA graph, which is how rfseg runs engines: " + why));
      CHECK(contains(said, "build the engine again from a model without them, or run the .onnx file on the CPU"));
      CHECK(contains(said,
                     stand.refuse_network ? "model.engine: it gives no reason\n" : "the stand-in was told to fail\n"));
    }
    CHECK_FALSE(stand.control.failures_pending());
    CHECK(stand.control.live() == before);
  };
  for (int i = 0; i < 3; ++i) expect_refused("TensorRT 10.6.0 (");
  stand.refuse_network = nullptr;
  for (const int code : {900, 901, 908}) {
    stand.control.fail("cuStreamEndCapture", 1, code);
    stand.control.fail("cuStreamEndCapture", 2, code);
    expect_refused("cuStreamEndCapture failed for the graph captured on slot 0 stream: ");
  }
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  CHECK(pipeline->network_ms(1, 1) >= 0);
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu failures: a network that leaves nothing in the graph says so") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  stand.tensorrt.set_work({}, {});
  const std::string said = thrown<BackendError>([&] { pipeline->network_ms(1, 1); });
  CHECK(contains(said, "cannot be captured in a CUDA graph"));
  CHECK(contains(said, "the graph captured on slot 0 stream is empty"));
}

TEST_CASE("gpu failures: a wrong file is told before a missing driver") {
  const stand_in::Folder folder;
  setenv("RFSEG_LIBCUDA", "/nowhere/libcuda.so.1", 1);
  const auto opening = [](const std::string& file) { return [file] { Segmenter segmenter(file); }; };
  CHECK(thrown<ModelError>(opening("nosuch.engine")) == "nosuch.engine: no such file");
  const std::string empty = folder.write("empty.engine", "");
  CHECK(thrown<ModelError>(opening(empty)) == empty + " is empty: build the engine again");
  const std::string inside = empty + "/model.engine";
  CHECK(thrown<ModelError>(opening(inside)) == inside + ": no such file");
  CHECK(contains(thrown<BackendError>(opening((folder.path / "model.engine").string())), "no NVIDIA driver: "));
  unsetenv("RFSEG_LIBCUDA");
}

TEST_CASE("gpu failures: a lost device is told by every later call") {
  GpuStand stand;
  Segmenter segmenter = stand.segmenter(3);
  const std::vector<Frame> sent = three_frames();
  for (const Frame& frame : sent) stand.expect_equal(segmenter.infer(frame.view), stand.expected(frame.view));
  for (const Frame& frame : sent) segmenter.submit(frame.view);
  for (int i = 0; i < 3; ++i) segmenter.collect();
  stand.control.lose_context(kIllegalAddress);
  const auto expect_lost = [](const std::string& said) {
    CHECK(contains(said, "CUDA_ERROR_ILLEGAL_ADDRESS (700)"));
    CHECK(contains(said, "the GPU's context is lost, start a new process"));
  };
  const Frame other({20, 20}, 8);
  for (int i = 0; i < 2; ++i) {
    expect_lost(thrown<CudaError>([&] { segmenter.infer(sent[0].view); }));
    expect_lost(thrown<CudaError>([&] { segmenter.submit(other.view); }));
    expect_lost(thrown<CudaError>([&] { segmenter.network_ms(1); }));
    expect_lost(thrown<CudaError>([&] { segmenter.frame_buffer({8, 8}); }));
  }
  CHECK(segmenter.pending() == 0);
}

TEST_CASE("gpu failures: frames in flight on a device that is lost say so, or were read before") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = three_frames();
  for (int i = 0; i < 2; ++i) pipeline->submit(sent[static_cast<std::size_t>(i)].view);
  stand.control.lose_context(kIllegalAddress);
  int lost = 0;
  for (int i = 0; i < 2; ++i) {
    try {
      stand.expect_equal(pipeline->collect(nullptr), stand.expected(sent[static_cast<std::size_t>(i)].view));
    } catch (const CudaError& error) {
      CHECK(contains(error.what(), "start a new process"));
      ++lost;
    }
  }
  CHECK(lost >= 1);  // the newest is read by collect()
  CHECK(pipeline->pending() == 0);
  CHECK(contains(thrown<CudaError>([&] { pipeline->submit(sent[2].view); }), "start a new process"));
}
