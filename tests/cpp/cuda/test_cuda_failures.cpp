// Every driver function fails in turn, at every call of a whole life: the error says which and for what, and nothing
// is left behind.
#include "cuda/buffer.hpp"
#include "cuda/check.hpp"
#include "cuda/cuda_stand.hpp"
#include "cuda/graph.hpp"
#include "cuda/kernel.hpp"
#include "cuda/pointer.hpp"

#include <set>

using namespace rfseg::cuda;

namespace {

/// Makes one of everything, uses it, and ends it. Returns the value that the work leaves in host memory. What may throw
/// stands outside of CHECK, which would swallow the exception.
std::int32_t whole_life(const std::vector<char>& file) {
  const SharedDriver driver = open_driver(RFSEG_STAND_IN_CUDA);
  const std::size_t devices = list_devices(*driver).size();
  CHECK(devices == 1);
  const auto device = std::make_shared<const Device>(driver, 0);
  const CurrentDevice current(*device);
  const Stream stream(device, "slot 0"), copies(device, "copies");
  const Event start(device, "start", Timing::on), end(device, "end", Timing::on);
  const DeviceBuffer value(device, 4, "value"), scratch(device, 4, "scratch");
  PinnedBuffer host(device, 4, "host");
  std::memset(host.data(), 0, 4);
  const AddressInfo pinned = describe_address(*driver, host.address()),
                    own = describe_address(*driver, value.address());
  const AddressInfo unknown = describe_address(*driver, reinterpret_cast<DeviceAddress>(&pinned));
  CHECK(pinned.kind == AddressKind::pinned);
  CHECK((own.kind == AddressKind::device && own.device == 0));
  CHECK(unknown.kind == AddressKind::ordinary);
  const KernelImages images(device, KernelBlob(file.data(), file.size()));
  const auto add = images.load<DeviceAddress, std::int32_t>(7);

  enqueue_fill(copies, scratch, 0);
  enqueue_copy(copies, scratch, host, 4);
  copies.enqueue_record(start);
  stream.enqueue_wait(start);
  enqueue_copy(stream, value, host, 4);
  Capture capture(stream);
  add.enqueue(stream, {}, value.address(), 21);
  const Graph graph = capture.end();
  const GraphExec exec(graph);
  exec.enqueue(stream);
  exec.enqueue(stream);
  enqueue_copy(stream, host, value, 0, 4);
  stream.enqueue_record(end);
  end.wait_reached();
  const bool reached = end.reached();
  CHECK(reached);
  copies.wait_idle();
  const float ms = elapsed_ms(start, end);
  CHECK(ms > 0.0F);
  std::int32_t result = 0;
  std::memcpy(&result, host.data(), 4);
  return result;
}

// What destroys, or restores while unwinding, does not throw.
const std::set<std::string> kSilent = {"cuDevicePrimaryCtxRelease_v2",
                                       "cuCtxPopCurrent_v2",
                                       "cuStreamDestroy_v2",
                                       "cuEventDestroy_v2",
                                       "cuMemFree_v2",
                                       "cuMemFreeHost",
                                       "cuModuleUnload",
                                       "cuGraphExecDestroy",
                                       "cuGraphDestroy",
                                       "cuThreadExchangeStreamCaptureMode"};
// Only called once something else has failed.
const std::set<std::string> kAfterFailure = {"cuGetErrorName", "cuGetErrorString"};
// Both: guards of constructors throw, guards of destructors do not.
const std::string kPush = "cuCtxPushCurrent_v2";

}  // namespace

TEST_CASE("cuda failures: every call fails once, and nothing leaks") {
  stand_in::Cuda& control = stand_in::cuda(RFSEG_STAND_IN_CUDA);
  stand_in::BlobEntry entry = stand_in::cubin(90);
  entry.shared_bytes = 65536;
  const std::vector<char> file = stand_in::blob_of({entry, stand_in::ptx(80)});
  const auto fresh = [&control] {
    control.reset();
    control.set_kernel("add", stand_in::add_kernel());
  };
  const auto expect_clean = [&control] {
    CHECK(control.live().empty());
    CHECK(control.misuses().empty());
    CHECK(control.context_depth() == 0);
  };
  fresh();
  REQUIRE(whole_life(file) == 42);
  expect_clean();

  std::map<std::string, int> calls;
#define COUNT_CALLS(symbol, ...) calls[#symbol] = control.calls(#symbol);
  RFSEG_CUDA_DRIVER_CALLS(COUNT_CALLS)
#undef COUNT_CALLS
  int failures = 0;
  for (const auto& [symbol, count] : calls) {
    CAPTURE(symbol);
    CHECK((count > 0) == (kAfterFailure.count(symbol) == 0));
    int thrown = 0;
    for (int nth = 1; nth <= count; ++nth, ++failures) {
      CAPTURE(nth);
      fresh();
      control.fail(symbol, nth, 700);
      try {
        const std::int32_t result = whole_life(file);
        CHECK(result == 42);
      } catch (const DriverError& error) {
        ++thrown;
        CHECK(std::string(error.what()).find(symbol + " failed for ") == 0);
        CHECK(std::string(error.what()).find(": CUDA_ERROR_ILLEGAL_ADDRESS (700)") != std::string::npos);
        CHECK(error.sticky());
      }
      CHECK_FALSE(control.failures_pending());
      expect_clean();
    }
    if (symbol == kPush) CHECK((thrown > 0 && thrown < count));
    if (symbol != kPush) CHECK(thrown == (kSilent.count(symbol) != 0 ? 0 : count));
  }
  CHECK(failures > 100);
}
