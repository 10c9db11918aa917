// Makes frames, plays the network, and repeats both on the host.
#include "pipeline/gpu_stand.hpp"

#include "network/half.hpp"
#include "pipeline/cpu/cpu_pipeline.hpp"
#include "pipeline/gpu/device_network.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/resize.hpp"
#include "stand_ins/failing_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

namespace stand_in {

using namespace rfseg;

namespace {

/// For its life both libraries are found by the variables that people use.
struct StandInsByEnvironment {
  StandInsByEnvironment() {
    setenv("RFSEG_LIBCUDA", RFSEG_STAND_IN_CUDA, 1);
    setenv("RFSEG_TENSORRT", RFSEG_STAND_IN_TENSORRT, 1);
  }
  ~StandInsByEnvironment() {
    unsetenv("RFSEG_LIBCUDA");
    unsetenv("RFSEG_TENSORRT");
  }
};

std::vector<std::byte> stored(const std::vector<float>& values, bool half) {
  std::vector<std::byte> bytes(values.size() * (half ? 2 : 4));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t narrow = network::half_from_float(values[i]);
    if (half) std::memcpy(bytes.data() + 2 * i, &narrow, sizeof narrow);
    if (!half) std::memcpy(bytes.data() + 4 * i, &values[i], sizeof(float));
  }
  return bytes;
}

std::vector<float> loaded(const void* from, std::size_t count, bool half) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t narrow = 0;
    if (half) std::memcpy(&narrow, static_cast<const std::byte*>(from) + 2 * i, sizeof narrow);
    if (half) values[i] = network::float_from_half(narrow);
    if (!half) std::memcpy(&values[i], static_cast<const std::byte*>(from) + 4 * i, sizeof(float));
  }
  return values;
}

std::vector<float> rounded(const std::vector<float>& values, bool half) {
  return loaded(stored(values, half).data(), values.size(), half);
}

std::uint64_t fingerprint(const std::vector<float>& values) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::byte byte : stored(values, false)) hash = (hash ^ std::to_integer<unsigned>(byte)) * 0x100000001B3U;
  return hash;
}

std::size_t count(int a, int b, int c) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

}  // namespace

Frame::Frame(ImageSize size, std::uint64_t seed, PixelFormat format, Layout layout) {
  const std::ptrdiff_t h = size.height, w = size.width;
  std::ptrdiff_t row = 3 * w, pixel = 3, channel = 1, first = 0, total = 3 * h * w;
  if (layout == Layout::padded) row = 3 * w + 13, total = h * row;
  if (layout == Layout::flipped) row = -3 * w, first = (h - 1) * 3 * w;
  if (layout == Layout::mirrored) pixel = -3, first = 3 * (w - 1);
  if (layout == Layout::reversed_channels) channel = -1, first = 2;
  if (layout == Layout::planar) row = w, pixel = 1, channel = h * w;
  if (layout == Layout::four_bytes) row = 4 * w, pixel = 4, total = 4 * h * w;
  bytes.resize(static_cast<std::size_t>(total));
  std::mt19937_64 random(seed);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  view = {bytes.data() + first, size.height, size.width, row, format, pixel, channel};
}

ImageView Frame::at(void* memory) const {
  std::memcpy(memory, bytes.data(), bytes.size());
  ImageView moved = view;
  moved.data = static_cast<const std::uint8_t*>(memory) + (view.data - bytes.data());
  return moved;
}

GpuStand::GpuStand(const NetworkShape& network_shape) : shape(network_shape) {
  install_kernels(control, complaints_);
  const std::int64_t h = shape.network.height, w = shape.network.width, q = shape.queries, c = shape.columns;
  const std::int32_t type = shape.half ? 1 : 0;
  const std::int64_t n = shape.batch == 0 ? -1 : shape.batch;
  tensorrt.set_tensors({{"input", true, type, {n, 3, h, w}},
                        {"dets", false, type, {n, q, 4}},
                        {"labels", false, type, {n, q, c}},
                        {"masks", false, type, {n, q, shape.mask.height, shape.mask.width}}});
  tensorrt.set_profile(1, 4, 8);
  tensorrt.set_work(
      [this](void* stream, auto work) {
        const OwnMemory own;
        if (refuse_network && refuse_network(control)) return 1;
        return control.enqueue(stream, work);
      },
      [this](const auto& address, int images) { run_network(address, images); });
  const float cut = raster::logit_above(0.5F);
  rule.logit_cut.assign(static_cast<std::size_t>(shape.columns), cut);
  rule.logit_cut[3] = std::nanf("");
  settings.names = std::make_shared<const ClassNames>(ClassNames{{0, "cat"}});
  settings.slots = 2;
  settings.max_batch = shape.batch == 0 ? 8 : shape.batch;
}

GpuStand::~GpuStand() {
  for (const std::string& complaint : *complaints_) FAIL_CHECK(complaint);
}

std::unique_ptr<pipeline::GpuPipeline> GpuStand::pipeline(int crew) {
  std::vector<std::unique_ptr<const rfseg::pipeline::GpuModel>> models;
  models.push_back(std::make_unique<const rfseg::pipeline::GpuModel>(device, open(), settings));
  return std::make_unique<rfseg::pipeline::GpuPipeline>(std::move(models), crew);
}

std::unique_ptr<rfseg::pipeline::Pipeline> GpuStand::host_pipeline() {
  return std::make_unique<rfseg::pipeline::CpuPipeline>(
      std::make_unique<rfseg::pipeline::DeviceNetwork>(device, open(), settings.max_batch), settings);
}

Segmenter GpuStand::segmenter(int slots, const std::string& on, Stages stages) {
  const StandInsByEnvironment environment;
  Options asked;
  ClassNames names;
  for (int column = 0; column < shape.columns; ++column) {
    if (column != 3) names[column] = "class " + std::to_string(column);
  }
  asked.names = names;
  asked.device = on;
  asked.slots = slots;
  asked.stages = stages;
  asked.threads = 2;
  return Segmenter((folder.path / "model.engine").string(), asked);
}

void GpuStand::answer(NetworkTensors& tensors) const {
  std::mt19937_64 random(fingerprint(tensors.input));
  const auto fill = [&](std::vector<float>& values, std::size_t size, float low, float high) {
    values.resize(size);
    for (float& value : values) value = low + (high - low) * static_cast<float>(random() % 4096) / 4096.0F;
  };
  fill(tensors.dets, count(shape.queries, 4, 1), -0.2F, 1.2F);
  fill(tensors.labels, count(shape.queries, shape.columns, 1), -4, 3);
  fill(tensors.masks, count(shape.queries, shape.mask.height, shape.mask.width), -1, 1);
  if (adjust) adjust(tensors);
  for (std::vector<float>* values : {&tensors.dets, &tensors.labels, &tensors.masks})
    *values = rounded(*values, shape.half);
}

void GpuStand::run_network(const std::map<std::string, void*>& address, int images) {
  const OwnMemory own;
  ++network_runs;
  network_images += images;
  const std::size_t inputs = count(3, shape.network.height, shape.network.width), bytes_each = shape.half ? 2 : 4;
  for (std::size_t image = 0; image < static_cast<std::size_t>(images); ++image) {
    NetworkTensors tensors;
    tensors.input =
        loaded(static_cast<const std::byte*>(address.at("input")) + image * inputs * bytes_each, inputs, shape.half);
    answer(tensors);
    const auto put = [&](const char* name, const std::vector<float>& values) {
      const std::vector<std::byte> bytes = stored(values, shape.half);
      std::memcpy(static_cast<std::byte*>(address.at(name)) + image * bytes.size(), bytes.data(), bytes.size());
    };
    put("dets", tensors.dets), put("labels", tensors.labels), put("masks", tensors.masks);
  }
}

NetworkTensors GpuStand::tensors(const ImageView& frame) const {
  const OwnMemory own;
  const raster::FrameGeometry geometry({frame.height, frame.width}, shape.network, shape.mask, settings.resize);
  NetworkTensors right;
  right.input.resize(count(3, shape.network.height, shape.network.width));
  raster::ResizeScratch scratch;
  raster::preprocess(frame, geometry, scratch, right.input.data());
  right.input = rounded(right.input, shape.half);
  answer(right);
  return right;
}

Result GpuStand::expected(const ImageView& frame) const {
  const OwnMemory own;
  const raster::FrameGeometry geometry({frame.height, frame.width}, shape.network, shape.mask, settings.resize);
  const NetworkTensors right = tensors(frame);
  raster::PostprocessScratch scratch;
  return raster::postprocess(
      {right.dets.data(), right.labels.data(), right.masks.data(), shape.queries, shape.columns, shape.mask}, geometry,
      rule, scratch);
}

void GpuStand::expect_equal(const Result& result, const Result& right) {
  const OwnMemory own;
  instances += right.size();
  CHECK(result.image_size == right.image_size);
  CHECK(result.class_id == right.class_id);
  CHECK(result.confidence == right.confidence);
  REQUIRE(result.xyxy.size() == right.xyxy.size());
  if (!right.xyxy.empty())
    CHECK(std::memcmp(result.xyxy.data(), right.xyxy.data(), right.xyxy.size() * sizeof(Box)) == 0);
  const Masks::Columns found = result.masks.columns(), columns = right.masks.columns();
  CHECK(found.runs == columns.runs);
  CHECK(found.offsets == columns.offsets);
  CHECK(found.mask_of_instance == columns.mask_of_instance);
}

void GpuStand::expect_tensors(const NetworkTensors& found, const NetworkTensors& right) const {
  const OwnMemory own;
  CHECK(found.input == right.input);
  CHECK(found.dets == right.dets);
  CHECK(found.labels == right.labels);
  CHECK(found.masks == right.masks);
}

std::shared_ptr<rfseg::pipeline::Flight> GpuStand::start(rfseg::pipeline::Pipeline& pipeline, const ImageView& frame,
                                                         std::shared_ptr<NetworkTensors> tensors) const {
  return pipeline.submit({{frame, std::make_shared<const raster::SelectionRule>(rule), std::move(tensors)}}).front();
}

Result GpuStand::infer(rfseg::pipeline::Pipeline& pipeline, const ImageView& frame) const {
  return start(pipeline, frame)->take();
}

}  // namespace stand_in
