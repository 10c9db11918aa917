// One frame at a time through the GPU pipeline: it must be what the host's stages say, for every size, layout, place
// and precision.
#include "cuda/buffer.hpp"
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

#include <cstring>
#include <vector>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;
using stand_in::kLayouts;
using stand_in::Layout;
using stand_in::thrown;

namespace {

// Of a network of 16 x 24: each names the passes that it needs.
constexpr ImageSize kSizes[] = {
    {60, 30},     // along y, then along x
    {40, 100},    // along x, then along y
    {16, 100},    // along x only
    {100, 24},    // along y only
    {16, 24},     // none
    {1, 1},       // larger in both
    {9, 61},      // larger along y, smaller along x
    {900, 1000},  // uploaded in several sections
};

/// Memory that an ImageView says is the device's.
struct DeviceFrame {
  DeviceFrame(const cuda::SharedDevice& device, const Frame& frame) : memory(device, frame.bytes.size(), "a frame") {
    view = frame.at(reinterpret_cast<void*>(memory.address()));
    view.memory = MemoryKind::device;
  }
  cuda::DeviceBuffer memory;
  ImageView view;
};

void expect_frame(GpuStand& stand, pipeline::Pipeline& pipeline, const ImageView& given, const Frame& same) {
  const auto tensors = std::make_shared<NetworkTensors>();
  const Result result = stand.start(pipeline, given, tensors)->take();
  stand.expect_tensors(*tensors, stand.tensors(same.view));
  stand.expect_equal(result, stand.expected(same.view));
  CHECK((result.names == stand.settings.names));
}

}  // namespace

TEST_CASE("gpu pipeline: every size and format, both resizes, both precisions") {
  for (const bool half : {false, true}) {
    for (const Resize resize : {Resize::pil, Resize::bilinear}) {
      CAPTURE(half);
      CAPTURE(static_cast<int>(resize));
      stand_in::NetworkShape shape;
      shape.half = half;
      GpuStand stand(shape);
      stand.settings.resize = resize;
      const auto pipeline = stand.pipeline();
      std::uint64_t seed = 0;
      for (const ImageSize size : kSizes) {
        for (const PixelFormat format : {PixelFormat::bgr8, PixelFormat::rgb8}) {
          CAPTURE(size.height);
          const Frame frame(size, ++seed, format);
          expect_frame(stand, *pipeline, frame.view, frame);
        }
      }
      CHECK(stand.instances > 20);
      CHECK(pipeline->counters().slow_frames == 0);
      CHECK(pipeline->counters().bytes_back > 0);
    }
  }
}

TEST_CASE("gpu pipeline: any layout, in ordinary, pinned and device memory") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  std::uint64_t seed = 100;
  for (const Layout layout : kLayouts) {
    CAPTURE(static_cast<int>(layout));
    const Frame frame({33, 50}, ++seed, PixelFormat::rgb8, layout);
    expect_frame(stand, *pipeline, frame.view, frame);
    const auto pinned = pipeline->frame_memory(frame.bytes.size());
    expect_frame(stand, *pipeline, frame.at(pinned.get()), frame);
    const DeviceFrame on_device(stand.device, frame);
    expect_frame(stand, *pipeline, on_device.view, frame);
  }
  CHECK(stand.instances > 20);
}

TEST_CASE("gpu pipeline: pinned memory is uploaded from where it lies") {
  GpuStand stand;
  stand.settings.slots = 1;
  const auto pipeline = stand.pipeline();
  const Frame frame({900, 1000}, 1), inside({30, 40}, 2);
  const auto pinned = pipeline->frame_memory(frame.bytes.size());
  for (const Frame* one : {&frame, &inside}) {
    std::uint8_t* const place = pinned.get() + (frame.bytes.size() - one->bytes.size());
    expect_frame(stand, *pipeline, one->at(place), *one);  // builds the plan
    const int copies = stand.control.calls("cuMemcpyHtoDAsync_v2");
    stand.infer(*pipeline, one->at(place));
    CHECK(stand.control.calls("cuMemcpyHtoDAsync_v2") == copies + 1);
    const std::int64_t made = pipeline->counters().device_allocations;
    stand.infer(*pipeline, one->at(place));
    CHECK(pipeline->counters().device_allocations == made);
  }
  const int copies = stand.control.calls("cuMemcpyHtoDAsync_v2");
  const std::int64_t made = pipeline->counters().device_allocations;
  stand.infer(*pipeline, frame.view);
  CHECK(stand.control.calls("cuMemcpyHtoDAsync_v2") > copies + 2);  // ordinary memory: by sections, and its tables
  CHECK(pipeline->counters().device_allocations > made);            // the upload buffer that the others did not need
}

TEST_CASE("gpu pipeline: a frame is read before submit() returns, wherever it is") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const Frame frame({33, 50}, 7);
  const Result right = stand.expected(frame.view);
  const auto pinned = pipeline->frame_memory(frame.bytes.size());
  const DeviceFrame on_device(stand.device, frame);
  std::vector<std::uint8_t> ordinary(frame.bytes.size());
  for (const ImageView& view : {frame.at(ordinary.data()), frame.at(pinned.get()), on_device.view}) {
    const auto flight = stand.start(*pipeline, view);
    std::memset(const_cast<std::uint8_t*>(view.data), 0, frame.bytes.size());
    stand.expect_equal(flight->take(), right);
  }
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu pipeline: a device frame waits for its producer's stream") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const Frame frame({33, 50}, 9), before({33, 50}, 10);
  DeviceFrame on_device(stand.device, before);
  const cuda::Stream producer(stand.device, "producer");
  const auto late = [&](cuda::StreamHandle stream) {
    CHECK(stand.control.enqueue(stream, [&] { frame.at(reinterpret_cast<void*>(on_device.memory.address())); }) == 0);
    ImageView view = on_device.view;
    view.producer_stream = reinterpret_cast<std::uintptr_t>(stream);
    return view;
  };
  stand.expect_equal(stand.infer(*pipeline, on_device.view), stand.expected(before.view));
  stand.expect_equal(stand.infer(*pipeline, late(producer.get())), stand.expected(frame.view));
  before.at(reinterpret_cast<void*>(on_device.memory.address()));
  const auto own = reinterpret_cast<cuda::StreamHandle>(pipeline->frame_stream(0));
  stand.expect_equal(stand.infer(*pipeline, late(own)), stand.expected(frame.view));
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu pipeline: device memory that is not this device's is refused") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const Frame frame({33, 50}, 11);
  ImageView said = frame.view;
  said.memory = MemoryKind::device;
  CHECK(
      stand_in::contains(thrown<InputError>([&] { stand.start(*pipeline, said); }), "the driver knows no such memory"));
  stand.control.set_devices({{9, 0}, {9, 0}});
  const auto other = std::make_shared<const cuda::Device>(cuda::open_driver(RFSEG_STAND_IN_CUDA), 1);
  const DeviceFrame elsewhere(other, frame);
  CHECK(stand_in::contains(thrown<InputError>([&] { stand.start(*pipeline, elsewhere.view); }),
                           "the frame is on cuda:1, the Segmenter on cuda:0"));
  stand.expect_equal(stand.infer(*pipeline, frame.view), stand.expected(frame.view));
}

TEST_CASE("gpu pipeline: the host's stages on a GPU say the same") {
  for (const bool half : {false, true}) {
    stand_in::NetworkShape shape;
    shape.half = half;
    GpuStand stand(shape);
    const auto pipeline = stand.host_pipeline();
    for (const ImageSize size : kSizes) {
      const Frame frame(size, 50 + static_cast<std::uint64_t>(size.width));
      expect_frame(stand, *pipeline, frame.view, frame);
    }
    const DeviceFrame on_device(stand.device, Frame({33, 50}, 12));
    CHECK_THROWS_AS(stand.start(*pipeline, on_device.view), InputError);
    CHECK(stand.instances > 0);
    CHECK(pipeline->counters().slow_frames == 0);
  }
}
