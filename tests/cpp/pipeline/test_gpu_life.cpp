// The whole life of a Segmenter on a GPU with every driver call failing once.
#include "pipeline/whole_life.hpp"

#include <map>
#include <set>
#include <string>

using namespace rfseg;
using stand_in::GpuStand;
using stand_in::kSteps;
using stand_in::Outcome;
using stand_in::Sent;
using stand_in::whole_life;

namespace {

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
    CHECK(clean.right == kSteps);
    CHECK(clean.failures.empty());
    CHECK(stand.instances > kSteps);
    for (const auto& [symbol, count] : before) calls[symbol] = stand.control.calls(symbol) - count;
  }
  int lives = 0, with_failure = 0;
  for (const auto& [symbol, count] : calls) {
    CAPTURE(symbol);
    const int told_before = with_failure;
    for (int nth = 1; nth <= count; nth += count > 20 ? stand_in::fault_step() : 1) {
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
        const int failed = static_cast<int>(outcome.failures.size());
        with_failure += failed;
        CHECK(failed <= 1);
        CHECK((outcome.right + failed == kSteps || outcome.right == 0));
        for (const std::string& said : outcome.failures) CHECK(stand_in::contains(said, symbol));
      }
    }
    // Some calls of a kind may be silent: a guard in a destructor, an image that another one replaces.
    CHECK((with_failure > told_before) == (count > 0 && kSilent.count(symbol) == 0));
    CHECK((count > 0) == (kUncalled.count(symbol) == 0));
  }
  MESSAGE(lives << " lives, " << with_failure << " with a failure that was told");
  CHECK(lives > 400 / stand_in::fault_step());
  CHECK(with_failure > 200 / stand_in::fault_step());
}
