// Driver calls that fail under the GPU pipeline: one frame's failure is its own, a lost device is told to everyone, and
// nothing is left behind.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <cstdlib>
#include <utility>
#include <vector>

using namespace rfseg;
using stand_in::contains;
using stand_in::Cuda;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::thrown;

namespace {

constexpr int kOutOfMemory = 2, kIllegalAddress = 700;

/// Submits `sent`, then takes what was started. Returns how many arrived, each right.
int arrived(GpuStand& stand, pipeline::Pipeline& pipeline, const std::vector<Frame>& sent,
            std::vector<std::string>& failures) {
  int right = 0;
  std::vector<std::pair<std::shared_ptr<pipeline::Flight>, const Frame*>> started;
  for (const Frame& frame : sent) {
    try {
      started.emplace_back(stand.start(pipeline, frame.view), &frame);
    } catch (const Error& error) {
      failures.push_back("submit: " + std::string(error.what()));
    }
  }
  for (const auto& [flight, frame] : started) {
    try {
      stand.expect_equal(flight->take(), stand.expected(frame->view));
      ++right;
    } catch (const Error& error) {
      failures.push_back("take: " + std::string(error.what()));
    }
  }
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
  // A frame of ordinary memory: is its place's upload over, what memory is it, one copy, a mark; its lane waits for the
  // mark, marks, launches, marks; the watcher asks for the mark and the time between.
  const Case cases[] = {{"cuEventSynchronize", 2, "submit"},   {"cuPointerGetAttributes", 2, "submit"},
                        {"cuMemcpyHtoDAsync_v2", 2, "submit"}, {"cuEventRecord", 1, "submit"},
                        {"cuStreamWaitEvent", 3, "take"},      {"cuEventRecord", 2, "take"},
                        {"cuGraphLaunch", 3, "take"},          {"cuEventQuery", 2, "take"},
                        {"cuEventElapsedTime", 1, "take"}};
  GpuStand stand;
  stand.settings.slots = 3;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = three_frames();
  std::vector<std::string> failures;
  for (int i = 0; i < 6; ++i) CHECK(arrived(stand, *pipeline, sent, failures) == 3);  // all places know the size
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

TEST_CASE("gpu failures: a place that cannot grow stays as usable as it was") {
  struct Case {
    const char* symbol;
    int nth;
  };
  const Case cases[] = {{"cuMemAlloc_v2", 1}, {"cuMemAlloc_v2", 3}, {"cuMemHostAlloc", 1}, {"cuMemHostAlloc", 2}};
  GpuStand stand;
  stand.settings.slots = 1;
  const auto pipeline = stand.pipeline();
  const Frame small({10, 10}, 4);
  int width = 20;
  for (const Case& one : cases) {
    CAPTURE(one.symbol);
    CAPTURE(one.nth);
    stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
    width += 20;
    const Frame frame({33, width}, 5);
    stand.control.fail(one.symbol, one.nth, kOutOfMemory);
    const std::string said = thrown<CudaError>([&] { stand.start(*pipeline, frame.view); });
    if (stand.control.failures_pending()) {  // this frame needed fewer: the next one meets it
      width += 100;
      const Frame larger({60, width}, 5);
      CHECK(thrown<CudaError>([&] { stand.start(*pipeline, larger.view); }).rfind(one.symbol, 0) == 0);
    } else {
      CHECK(said.rfind(std::string(one.symbol) + " failed for ", 0) == 0);
    }
    stand.expect_equal(stand.infer(*pipeline, small.view), stand.expected(small.view));
    stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  }
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu failures: a network that refuses to be captured says so, when it is opened") {
  GpuStand stand;
  stand.refuse_network = [](const Cuda& control) {
    return control.calls("cuStreamBeginCapture_v2") > control.calls("cuStreamEndCapture");
  };
  const auto expect_refused = [&](const std::string& why) {
    const std::string said = thrown<BackendError>([&] { stand.pipeline(); });
    CHECK(contains(said, "model.engine cannot be captured in a CUDA graph, which is how rfseg runs engines: " + why));
    CHECK(contains(said, "build the engine again from a model without them, or run the .onnx file on the CPU"));
    CHECK_FALSE(stand.control.failures_pending());
  };
  expect_refused("TensorRT 10.6.0 (");
  stand.refuse_network = nullptr;
  for (const int code : {900, 901, 908}) {
    stand.control.fail("cuStreamEndCapture", 1, code);
    expect_refused("cuStreamEndCapture failed for the graph captured on lane 0 stream: ");
  }
  for (const char* symbol : {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"}) {
    stand.control.fail(symbol, 1, kOutOfMemory);
    const std::string said = thrown<CudaError>([&] { stand.pipeline(); });
    CHECK(said.rfind(std::string(symbol) + " failed for ", 0) == 0);  // memory is short: no word of captures
  }
  const Frame frame({33, 50}, 6);
  const auto pipeline = stand.pipeline();
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
  stand.tensorrt.set_work({}, {});
  const std::string said = thrown<BackendError>([&] { pipeline->network_ms(1, 1, 1); });
  CHECK(contains(said, "cannot be captured in a CUDA graph"));
  CHECK(contains(said, "the graph captured on lane 0 stream is empty"));
  CHECK(stand.instances > 0);
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

TEST_CASE("gpu failures: frames in flight on a device that is lost say so") {
  GpuStand stand;
  stand.settings.slots = 3;
  const auto pipeline = stand.pipeline();
  const std::vector<Frame> sent = three_frames();
  stand.control.keep_busy(1 << 30);
  std::vector<std::shared_ptr<pipeline::Flight>> flights;
  for (const Frame& frame : sent) flights.push_back(stand.start(*pipeline, frame.view));  // one runs, two wait
  stand.control.lose_context(kIllegalAddress);
  stand.control.keep_busy(0);
  for (const auto& flight : flights) CHECK(contains(thrown<CudaError>([&] { flight->take(); }), "start a new process"));
  CHECK(contains(thrown<CudaError>([&] { stand.start(*pipeline, sent[2].view); }), "start a new process"));
}
