// Driver, device, streams, events and buffers against the stand-in.
#include "cuda/buffer.hpp"
#include "cuda/check.hpp"
#include "cuda/cuda_stand.hpp"
#include "cuda/stream.hpp"

#include <cstdlib>
#include <cstring>
#include <thread>

using namespace rfseg::cuda;
using stand_in::Stand;

TEST_CASE("cuda: a missing driver, and a library that is none") {
  CHECK_THROWS_WITH_AS(open_driver("/nowhere/libcuda.so.1"),
                       "no NVIDIA driver: /nowhere/libcuda.so.1: cannot open shared object file: No such file or "
                       "directory; install NVIDIA's driver, 525 or later, or run the .onnx file on the CPU",
                       rfseg::BackendError);
  CHECK_THROWS_WITH_AS(open_driver("libm.so.6"), doctest::Contains("lacks cuInit"), rfseg::BackendError);
  setenv("RFSEG_LIBCUDA", "/elsewhere/libcuda.so", 1);
  CHECK_THROWS_WITH_AS(open_driver(), doctest::Contains("/elsewhere/libcuda.so"), rfseg::BackendError);
  setenv("RFSEG_LIBCUDA", RFSEG_STAND_IN_CUDA, 1);
  CHECK(open_driver()->path == RFSEG_STAND_IN_CUDA);
  unsetenv("RFSEG_LIBCUDA");
}

TEST_CASE("cuda: devices are listed and refused by ordinal") {
  const Stand stand;
  stand.control.set_devices({{8, 6}, {9, 0}});
  const std::vector<DeviceInfo> devices = list_devices(stand.device->driver());
  REQUIRE(devices.size() == 2);
  CHECK(devices[1].text() == "Stand-in 1 (cuda:1, compute capability 9.0)");
  CHECK(devices[0].compute_capability.minor == 6);
  CHECK(devices[0].multiprocessors == 3);
  CHECK(devices[0].driver_version == 13000);
  CHECK(devices[0].total_memory_bytes == std::size_t{16} << 30);
  const SharedDriver driver = open_driver(RFSEG_STAND_IN_CUDA);
  CHECK_THROWS_WITH_AS(Device(driver, 2), doctest::Contains("no device cuda:2: the driver shows 2"),
                       rfseg::BackendError);
  CHECK_THROWS_AS(Device(driver, -1), rfseg::BackendError);
  stand.control.set_devices({});
  CHECK(list_devices(*driver).empty());
}

TEST_CASE("cuda: an error names call, object, code and text; sticky ones are known") {
  const Stand stand;
  stand.control.fail("cuMemAlloc_v2", 1, 2);
  try {
    const DeviceBuffer buffer(stand.device, 640, "masks of slot 0");
    FAIL("no exception");
  } catch (const DriverError& error) {
    CHECK(std::string(error.what()) ==
          "cuMemAlloc_v2 failed for masks of slot 0 of 640 bytes: CUDA_ERROR_OF_THE_STAND_IN (2): the stand-in was "
          "told to "
          "fail");
    CHECK(error.code() == 2);  // out of memory
    CHECK_FALSE(error.sticky());
  }
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  stand.control.fail("cuStreamSynchronize", 1, 700);
  CHECK_THROWS_WITH_AS(stream.wait_idle(), doctest::Contains("slot 0: CUDA_ERROR_ILLEGAL_ADDRESS (700)"),
                       rfseg::CudaError);
  CHECK(is_sticky(700));
  CHECK(is_sticky(719));
  CHECK_FALSE(is_sticky(600));  // not ready
  CHECK_FALSE(is_sticky(701));
  stand.control.fail("cuGetErrorName", 1, 1);
  stand.control.fail("cuGetErrorString", 1, 1);
  CHECK(describe(stand.device->driver(), 12345) == "unknown error (12345): the driver gives no text");
}

TEST_CASE("cuda: copies run in order, streams meet through events") {
  const Stand stand;
  const CurrentDevice current(*stand.device);
  const Stream producer(stand.device, "producer"), consumer(stand.device, "consumer");
  const Event filled(stand.device, "filled");
  const DeviceBuffer a(stand.device, 64, "a"), b(stand.device, 64, "b");
  PinnedBuffer in(stand.device, 64, "in"), out(stand.device, 64, "out");
  std::memset(in.data(), 17, 64);
  std::memset(out.data(), 0, 64);
  enqueue_copy(producer, a, in, 64);
  enqueue_copy(producer, b, in, 32);
  producer.enqueue_wait(filled);
  filled.enqueue_record(producer.get());
  consumer.enqueue_wait(filled);
  enqueue_copy(consumer, out, b, 0, 32);
  CHECK(out.data()[0] == std::byte{0});  // nothing has run yet
  consumer.wait_idle();
  CHECK(out.data()[31] == std::byte{17});
  CHECK(out.data()[32] == std::byte{0});
  enqueue_fill(consumer, a, 5);
  enqueue_copy(consumer, out, a, 0, 64);
  consumer.wait_idle();
  CHECK(out.data()[63] == std::byte{5});
  CHECK(in.address() != 0);
  CHECK(stand.device->allocations() == 4);
}

TEST_CASE("cuda: a copy that does not fit is refused before the driver sees it") {
  const Stand stand;
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  const DeviceBuffer small(stand.device, 8, "small");
  PinnedBuffer large(stand.device, 16, "large");
  CHECK_THROWS_WITH_AS(enqueue_copy(stream, small, large, 16), "a copy of 16 bytes does not fit small of 8 bytes",
                       rfseg::CudaError);
  CHECK_THROWS_AS(enqueue_copy(stream, large, small, 4, 8), rfseg::CudaError);
  CHECK_THROWS_AS(enqueue_copy(stream, small, 1, large.data(), 8), rfseg::CudaError);
  CHECK(stand.control.calls("cuMemcpyHtoDAsync_v2") + stand.control.calls("cuMemcpyDtoHAsync_v2") == 0);
  CHECK_THROWS_AS(DeviceBuffer(stand.device, 0, "nothing"), rfseg::CudaError);
}

TEST_CASE("cuda: timed events measure, untimed ones refuse") {
  const Stand stand;
  const CurrentDevice current(*stand.device);
  const Stream stream(stand.device, "slot 0");
  const Event start(stand.device, "start", Timing::on), end(stand.device, "end", Timing::on),
      plain(stand.device, "plain");
  const DeviceBuffer buffer(stand.device, 8, "buffer");
  start.enqueue_record(stream.get());
  enqueue_fill(stream, buffer, 1);
  enqueue_fill(stream, buffer, 2);
  stream.enqueue_record(end);
  CHECK_THROWS_WITH_AS(elapsed_ms(start, end), doctest::Contains("start to end"), rfseg::CudaError);
  end.wait_reached();
  CHECK(elapsed_ms(start, end) == doctest::Approx(3.0F));  // one millisecond for each piece of work
  CHECK_THROWS_AS(elapsed_ms(start, plain), rfseg::CudaError);
}

TEST_CASE("cuda: objects end on any thread, without a current context, and after their maker") {
  const Stand stand;
  auto stream = std::make_unique<Stream>(stand.device, "slot 0");
  auto buffer = std::make_unique<DeviceBuffer>(stand.device, 8, "buffer");
  auto own_device = std::make_shared<const Device>(open_driver(RFSEG_STAND_IN_CUDA), 0);
  auto event = std::make_unique<Event>(own_device, "event");
  own_device.reset();
  CHECK(stand.control.live().at("context") == 2);
  std::thread([&] {
    stream.reset();
    buffer.reset();
    event.reset();
  }).join();
  CHECK(stand.control.live() == std::map<std::string, int>{{"context", 1}});
  DeviceBuffer first(stand.device, 8, "first");
  DeviceBuffer second(stand.device, 16, "second");
  first = std::move(second);
  CHECK(first.bytes() == 16);
  CHECK(stand.control.live().at("device memory") == 1);
}

TEST_CASE("cuda: the guard restores what was current, also when it throws") {
  const Stand stand;
  {
    const CurrentDevice outer(*stand.device);
    const CurrentDevice inner(*stand.device);
    CHECK(stand.control.context_depth() == 2);
  }
  CHECK(stand.control.context_depth() == 0);
  stand.control.fail("cuCtxPushCurrent_v2", 1, 201);
  CHECK_THROWS_WITH_AS(CurrentDevice(*stand.device), doctest::Contains("cuCtxPushCurrent_v2 failed for Stand-in 0"),
                       rfseg::CudaError);
  CHECK(stand.control.context_depth() == 0);
}
