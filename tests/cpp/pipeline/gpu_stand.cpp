// Makes frames, plays the network, and repeats both on the host.
#include "pipeline/gpu_stand.hpp"

#include "network/half.hpp"
#include "pipeline/gpu/gpu_model.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/resize.hpp"

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
  tensorrt.set_tensors({{"input", true, type, {1, 3, h, w}},
                        {"dets", false, type, {1, q, 4}},
                        {"labels", false, type, {1, q, c}},
                        {"masks", false, type, {1, q, shape.mask.height, shape.mask.width}}});
  tensorrt.set_work(
      [this](void* stream, auto work) {
        if (refuse_network && refuse_network(control)) return 1;
        return control.enqueue(stream, work);
      },
      [this](const auto& address) { run_network(address); });
  const float cut = raster::logit_above(0.5F);
  settings.rule.logit_cut.assign(static_cast<std::size_t>(shape.columns), cut);
  settings.rule.logit_cut[3] = std::nanf("");
  settings.rule.max_detections = 300;
  settings.names = std::make_shared<const ClassNames>(ClassNames{{0, "cat"}});
  settings.slots = 2;
  settings.stages = Stages::device;
}

GpuStand::~GpuStand() {
  for (const std::string& complaint : *complaints_) FAIL_CHECK(complaint);
}

std::unique_ptr<pipeline::GpuPipeline> GpuStand::pipeline(int crew) {
  return std::make_unique<rfseg::pipeline::GpuPipeline>(
      std::make_unique<const rfseg::pipeline::GpuModel>(device, open(), settings), crew);
}

Segmenter GpuStand::segmenter(int slots) {
  const StandInsByEnvironment environment;
  Options asked;
  ClassNames names;
  for (int column = 0; column < shape.columns; ++column) {
    if (column != 3) names[column] = "class " + std::to_string(column);
  }
  asked.names = names;
  asked.slots = slots;
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

void GpuStand::run_network(const std::map<std::string, void*>& address) {
  ++network_runs;
  NetworkTensors tensors;
  const std::size_t inputs = count(3, shape.network.height, shape.network.width);
  tensors.input = loaded(address.at("input"), inputs, shape.half);
  answer(tensors);
  const auto put = [&](const char* name, const std::vector<float>& values) {
    const std::vector<std::byte> bytes = stored(values, shape.half);
    std::memcpy(address.at(name), bytes.data(), bytes.size());
  };
  put("dets", tensors.dets), put("labels", tensors.labels), put("masks", tensors.masks);
}

NetworkTensors GpuStand::tensors(const ImageView& frame) const {
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
  const raster::FrameGeometry geometry({frame.height, frame.width}, shape.network, shape.mask, settings.resize);
  const NetworkTensors right = tensors(frame);
  raster::PostprocessScratch scratch;
  return raster::postprocess(
      {right.dets.data(), right.labels.data(), right.masks.data(), shape.queries, shape.columns, shape.mask}, geometry,
      settings.rule, scratch);
}

void GpuStand::expect_equal(const Result& result, const Result& right) {
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
  CHECK(found.input == right.input);
  CHECK(found.dets == right.dets);
  CHECK(found.labels == right.labels);
  CHECK(found.masks == right.masks);
}

Result GpuStand::infer(rfseg::pipeline::Pipeline& pipeline, const ImageView& frame) const {
  pipeline.submit(frame);
  return pipeline.collect(nullptr);
}

}  // namespace stand_in
