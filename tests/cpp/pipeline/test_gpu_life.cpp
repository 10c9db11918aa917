// The whole life of a Segmenter on a GPU with every driver call failing once.
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;

namespace {

struct Outcome {
  int right = 0, failed = 0;
};

/// Three frames and where the third lies: made before anything fails.
struct Sent {
  explicit Sent(const GpuStand& stand) : memory(stand.device, frames[2].bytes.size(), "a frame") {
    on_device = frames[2].at(reinterpret_cast<void*>(memory.address()));
    on_device.memory = MemoryKind::device;
  }
  Frame frames[3] = {Frame({20, 30}, 1), Frame({20, 30}, 2), Frame({16, 40}, 3)};
  cuda::DeviceBuffer memory;
  ImageView on_device;
};

/// Opens, runs two frames at once, then one of another size in device memory, and ends.
Outcome whole_life(GpuStand& stand, const Sent& sent) {
  Outcome outcome;
  const auto attempt = [&outcome](const auto& work) {
    try {
      work();
      return true;
    } catch (const Error& error) {
      CHECK(std::string(error.what()).size() > 20);
      ++outcome.failed;
      return false;
    }
  };
  const auto expect = [&](const Result& result, const Frame& frame) {
    stand.expect_equal(result, stand.expected(frame.view));
    ++outcome.right;
  };
  std::optional<Segmenter> segmenter;
  if (!attempt([&] { segmenter.emplace(stand.segmenter(2)); })) return outcome;
  Ticket first, second;
  attempt([&] { first = segmenter->submit(sent.frames[0].view); });
  attempt([&] { second = segmenter->submit(sent.frames[1].view); });
  if (first.valid()) attempt([&] { expect(first.take(), sent.frames[0]); });
  if (second.valid()) attempt([&] { expect(second.take(), sent.frames[1]); });
  attempt([&] {
    ImageView view = sent.on_device;
    view.producer_stream = segmenter->frame_stream();
    NetworkTensors tensors;
    const Result result = segmenter->infer(view, {}, &tensors);
    stand.expect_tensors(tensors, stand.tensors(sent.frames[2].view));
    expect(result, sent.frames[2]);
  });
  return outcome;
}

// What destroys, or restores while unwinding, does not throw.
const std::set<std::string> kSilent = {"cuCtxPopCurrent_v2", "cuDevicePrimaryCtxRelease_v2",
                                       "cuEventDestroy_v2",  "cuGraphDestroy",
                                       "cuGraphExecDestroy", "cuMemFree_v2",
                                       "cuMemFreeHost",      "cuModuleUnload",
                                       "cuStreamDestroy_v2", "cuThreadExchangeStreamCaptureMode"};
// A frame needs none of these: errors' texts, kernels with much shared memory.
const std::set<std::string> kUncalled = {"cuGetErrorName", "cuGetErrorString", "cuFuncSetAttribute"};

}  // namespace

TEST_CASE("gpu life: every driver call fails once, and nothing crashes, lies or leaks") {
  std::map<std::string, int> calls;
  {
    GpuStand stand;
    std::map<std::string, int> before;
#define COUNT_CALLS(symbol, ...) before[#symbol] = stand.control.calls(#symbol);
    RFSEG_CUDA_DRIVER_CALLS(COUNT_CALLS)
#undef COUNT_CALLS
    const Sent sent(stand);
    const Outcome clean = whole_life(stand, sent);
    CHECK(clean.right == 3);
    CHECK(clean.failed == 0);
    CHECK(stand.instances > 3);
    for (const auto& [symbol, count] : before) calls[symbol] = stand.control.calls(symbol) - count;
  }
  int lives = 0, with_failure = 0;
  for (const auto& [symbol, count] : calls) {
    CAPTURE(symbol);
    const int told_before = with_failure;
    for (int nth = 1; nth <= count; ++nth) {
      for (const int code : {2, 700}) {
        CAPTURE(nth);
        CAPTURE(code);
        GpuStand stand;
        // The caller's own context: where a guard in a destructor cannot push, what it guards still ends in this one.
        const cuda::CurrentDevice current(*stand.device);
        const Sent sent(stand);
        stand.control.fail(symbol, nth, code);
        const Outcome outcome = whole_life(stand, sent);
        ++lives;
        with_failure += outcome.failed > 0 ? 1 : 0;
        CHECK(outcome.failed <= 1);
        CHECK((outcome.right + outcome.failed == 3 || outcome.right == 0));
      }
    }
    // Some calls of a kind may be silent: a guard in a destructor, an image that another one replaces.
    CHECK((with_failure > told_before) == (count > 0 && kSilent.count(symbol) == 0));
    CHECK((count > 0) == (kUncalled.count(symbol) == 0));
  }
  MESSAGE(lives << " lives, " << with_failure << " with a failure that was told");
  CHECK(lives > 400);
  CHECK(with_failure > 200);
}
