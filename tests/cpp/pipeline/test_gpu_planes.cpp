// Frames of planes through the GPU pipeline: each is what the host's stages say, and what its converted pixels give,
// wherever its planes are, alone and among packed frames.
#include "cuda/buffer.hpp"
#include "pipeline/gpu_stand.hpp"
#include "raster/color/planes.hpp"
#include "raster/resize/packed_rows.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <cstring>
#include <random>
#include <vector>

using namespace rfseg;
using stand_in::Frame;
using stand_in::GpuStand;

namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::nv12, PixelFormat::i420, PixelFormat::i422,
                                    PixelFormat::i444, PixelFormat::p010, PixelFormat::i010};
// Of a network of 16 x 24: along y then x, x then y, x only, y only, none, larger, odd, uploaded in several sections.
constexpr ImageSize kSizes[] = {{60, 30}, {40, 100}, {16, 99}, {100, 24},   {16, 24},
                                {1, 1},   {3, 2},    {9, 61},  {1200, 1001}};

enum class Rows { packed, padded, flipped };

/// A frame of random samples that owns its planes, each behind the other in one piece of memory.
struct PlanarFrame {
  PlanarFrame(ImageSize size, std::uint64_t seed, PixelFormat pixel_format, Rows rows = Rows::packed) {
    const raster::PlanarFormat format = raster::planar_format(pixel_format);
    view.height = size.height, view.width = size.width, view.format = pixel_format;
    for (int i = 0; i < raster::plane_count(format); ++i) {
      const int height = raster::rows_of(format, i, size.height);
      std::ptrdiff_t step = raster::row_bytes_of(format, i, size.width) + (rows == Rows::padded ? 6 : 0);
      const auto begin = static_cast<std::ptrdiff_t>(bytes.size());
      bytes.resize(bytes.size() + static_cast<std::size_t>(height * step + 2));
      first[i] = begin + (rows == Rows::flipped ? (height - 1) * step : 0);
      if (rows == Rows::flipped) step = -step;
      (i == 0 ? view.row_bytes : view.chroma[static_cast<std::size_t>(i - 1)].row_bytes) = step;
      if (begin % 2 != 0) ++first[i];
    }
    std::mt19937_64 random(seed);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    view.matrix = static_cast<ColorMatrix>(seed % 4), view.range = static_cast<ColorRange>(seed % 3);
    view = at(bytes.data());
  }
  PlanarFrame(PlanarFrame&&) = default;

  ImageView at(void* memory) const {
    auto* const base = static_cast<std::uint8_t*>(memory);
    if (base != bytes.data()) std::memcpy(base, bytes.data(), bytes.size());
    ImageView moved = view;
    moved.data = base + first[0];
    for (int i = 1; i < raster::plane_count(raster::planar_format(view.format)); ++i)
      moved.chroma[static_cast<std::size_t>(i - 1)].data = base + first[i];
    return raster::as_meant(moved);
  }
  /// The same picture, of packed pixels.
  Frame converted() const {
    Frame same({view.height, view.width}, 0, PixelFormat::bgr8);
    ops::convert(view, PixelFormat::bgr8, same.bytes.data());
    return same;
  }

  std::vector<std::uint8_t> bytes;
  std::ptrdiff_t first[3] = {};
  ImageView view;
};

void expect_frame(GpuStand& stand, pipeline::Pipeline& pipeline, const ImageView& given, const PlanarFrame& frame) {
  const Frame same = frame.converted();
  const auto tensors = std::make_shared<NetworkTensors>();
  const Result result = stand.start(pipeline, given, tensors)->take();
  stand.expect_tensors(*tensors, stand.tensors(same.view));
  stand.expect_equal(result, stand.expected(same.view));
}

}  // namespace

TEST_CASE("gpu planes: every size and format, both resizes, both precisions") {
  for (const bool half : {false, true}) {
    stand_in::NetworkShape shape;
    shape.half = half;
    GpuStand stand(shape);
    stand.settings.resize = half ? Resize::bilinear : Resize::pil;
    const auto pipeline = stand.pipeline();
    std::uint64_t seed = 0;
    for (const ImageSize size : kSizes) {
      for (const PixelFormat format : kFormats) {
        CAPTURE(size.height);
        CAPTURE(static_cast<int>(format));
        const PlanarFrame frame(size, ++seed, format);
        expect_frame(stand, *pipeline, frame.view, frame);
      }
    }
    CHECK(stand.instances > 20);
    CHECK(pipeline->counters().slow_frames == 0);
  }
}

TEST_CASE("gpu planes: any rows, in ordinary, pinned and device memory, read before submit() returns") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  std::uint64_t seed = 100;
  for (const Rows rows : {Rows::packed, Rows::padded, Rows::flipped}) {
    for (const PixelFormat format : kFormats) {
      CAPTURE(static_cast<int>(format));
      const PlanarFrame frame({33, 51}, ++seed, format, rows);
      const Result right = stand.expected(frame.converted().view);
      std::vector<std::uint8_t> ordinary(frame.bytes.size());
      const auto pinned = pipeline->frame_memory(frame.bytes.size());
      const cuda::DeviceBuffer device(stand.device, frame.bytes.size(), "planes");
      ImageView on_device = frame.at(reinterpret_cast<void*>(device.address()));
      on_device.memory = MemoryKind::device;
      for (const ImageView& view : {frame.at(ordinary.data()), frame.at(pinned.get()), on_device}) {
        const auto flight = stand.start(*pipeline, view);
        std::memset(const_cast<std::uint8_t*>(view.data), 0, 33);
        stand.expect_equal(flight->take(), right);
      }
    }
  }
  CHECK(stand.instances > 50);
}

TEST_CASE("gpu planes: pinned planes are uploaded from where they lie, at half the bytes") {
  GpuStand stand;
  stand.settings.slots = 1;
  const auto pipeline = stand.pipeline();
  const PlanarFrame frame({1200, 1000}, 5, PixelFormat::i420);
  const auto pinned = pipeline->frame_memory(frame.bytes.size());
  expect_frame(stand, *pipeline, frame.at(pinned.get()), frame);
  const int copies = stand.control.calls("cuMemcpyHtoDAsync_v2");
  const std::int64_t made = pipeline->counters().device_allocations;
  stand.infer(*pipeline, frame.at(pinned.get()));
  CHECK(stand.control.calls("cuMemcpyHtoDAsync_v2") == copies + 3);
  CHECK(pipeline->counters().device_allocations == made);
}

TEST_CASE("gpu planes: a device frame waits for its producer's stream, and a plane elsewhere is refused") {
  GpuStand stand;
  const auto pipeline = stand.pipeline();
  const PlanarFrame frame({33, 50}, 9, PixelFormat::nv12), before({33, 50}, 10, PixelFormat::nv12);
  const cuda::DeviceBuffer device(stand.device, frame.bytes.size(), "planes");
  ImageView view = before.at(reinterpret_cast<void*>(device.address()));
  view.memory = MemoryKind::device;
  stand.expect_equal(stand.infer(*pipeline, view), stand.expected(before.converted().view));
  ImageView partly = view;
  partly.chroma[0].data = frame.view.chroma[0].data;
  CHECK(stand_in::contains(stand_in::thrown<InputError>([&] { stand.start(*pipeline, partly); }),
                           "the driver knows no such memory"));
  const cuda::Stream producer(stand.device, "producer");
  const auto work = [&] { frame.at(reinterpret_cast<void*>(device.address())); };
  CHECK(stand.control.enqueue(producer.get(), work) == 0);
  view.matrix = frame.view.matrix, view.range = frame.view.range;
  view.producer_stream = reinterpret_cast<std::uintptr_t>(producer.get());
  stand.expect_equal(stand.infer(*pipeline, view), stand.expected(frame.converted().view));
  CHECK(stand.instances > 0);
}

TEST_CASE("gpu planes: batches of packed frames and planes, each as it is alone") {
  for (const Resize resize : {Resize::pil, Resize::bilinear}) {
    stand_in::NetworkShape shape;
    shape.batch = 0;
    GpuStand stand(shape);
    stand.settings.resize = resize;
    stand.settings.slots = 16;
    const auto pipeline = stand.pipeline();
    const auto rule = std::make_shared<const raster::SelectionRule>(stand.rule);
    std::vector<PlanarFrame> planes;
    std::vector<Frame> packed;
    for (int i = 0; i < 12; ++i) {
      const ImageSize size{1 + i * 37 % 90, 1 + i * 53 % 90};
      planes.emplace_back(size, 200 + static_cast<std::uint64_t>(i), kFormats[i % 6]);
      packed.emplace_back(ImageSize{size.width, size.height}, 300 + static_cast<std::uint64_t>(i),
                          i % 2 == 0 ? PixelFormat::bgr8 : PixelFormat::rgb8);
    }
    std::vector<pipeline::FrameRequest> requests;
    for (std::size_t i = 0; i < planes.size(); ++i) {
      requests.push_back({planes[i].view, rule});
      requests.push_back({packed[i].view, rule});
    }
    const auto flights = pipeline->submit(requests);
    for (std::size_t i = 0; i < planes.size(); ++i) {
      stand.expect_equal(flights[2 * i]->take(), stand.expected(planes[i].converted().view));
      stand.expect_equal(flights[2 * i + 1]->take(), stand.expected(packed[i].view));
    }
    CHECK(pipeline->counters().batches < 24);
    CHECK(stand.instances > 40);
  }
}

TEST_CASE("gpu planes: the host's stages on a GPU, and frames that the host finishes, say the same") {
  stand_in::NetworkShape shape;
  shape.queries = 300, shape.columns = 91;
  GpuStand stand(shape);
  bool all_tie = false;
  stand.adjust = [&](NetworkTensors& tensors) {
    if (all_tie) tensors.labels.assign(tensors.labels.size(), 1.0F);
  };
  const auto on_host = stand.host_pipeline();
  const auto on_gpu = stand.pipeline();
  for (const PixelFormat format : kFormats) {
    const PlanarFrame frame({45, 61}, 400 + static_cast<std::uint64_t>(format), format);
    all_tie = false;
    expect_frame(stand, *on_host, frame.view, frame);
    all_tie = true;
    expect_frame(stand, *on_gpu, frame.view, frame);
  }
  CHECK(on_gpu->counters().slow_frames == 6);
  CHECK(stand.instances > 500);
}
