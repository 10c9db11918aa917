#include "pipeline/gpu/lane.hpp"

#include "network/half.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace rfseg::pipeline {

namespace {

[[noreturn]] void throw_not_capturable(const std::string& engine, const Error& why) {
  throw BackendError(engine + " cannot be captured in a CUDA graph, which is how rfseg runs engines: " + why.what() +
                     "\nLayers that wait for the GPU or allocate while they run forbid it (loops, conditions, sizes "
                     "that depend on the image, some plugins): build the engine again from a model without them, or "
                     "run the .onnx file on the CPU.");
}

cuda::Grid grid(std::int64_t programs) { return {static_cast<unsigned>(programs)}; }

int half(network::ElementType type) { return type == network::ElementType::float16 ? 1 : 0; }

std::size_t batch_of(const GpuModel& model) { return static_cast<std::size_t>(model.settings.max_batch); }

std::size_t largest_tensor(const network::TensorBytes& bytes) {
  return std::max({bytes.input, bytes.dets, bytes.labels, bytes.masks});
}

std::size_t params_bytes(const GpuModel& model) {
  return batch_of(model) *
         (sizeof(kernel_abi::FrameParams) + static_cast<std::size_t>(model.contract.columns) * sizeof(float));
}

std::int64_t mask_programs(const GpuModel& model) {
  return kernel_abi::mask_grid(model.device->info().multiprocessors);
}

std::vector<float> floats(const std::byte* bytes, std::size_t count, network::ElementType type) {
  std::vector<float> values(count);
  if (type == network::ElementType::float32) {
    std::memcpy(values.data(), bytes, count * sizeof(float));
  } else {
    const auto* const narrow = reinterpret_cast<const std::uint16_t*>(bytes);
    std::transform(narrow, narrow + count, values.begin(), network::float_from_half);
  }
  return values;
}

}  // namespace

Lane::Buffers::Buffers(const GpuModel& model, const std::string& lane)
    : input(model.device, model.bytes.input * batch_of(model), lane + " network input"),
      dets(model.device, model.bytes.dets * batch_of(model), lane + " boxes"),
      labels(model.device, model.bytes.labels * batch_of(model), lane + " logits"),
      masks(model.device, model.bytes.masks * batch_of(model), lane + " mask logits"),
      selection(model.device, sizeof(kernel_abi::Selection) * batch_of(model), lane + " selections"),
      host_params(model.device, params_bytes(model), lane + " records on their way"),
      params(model.device, params_bytes(model), lane + " records") {}

Lane::Lane(const GpuModel& model, int number)
    : model_(model),
      name_("lane " + std::to_string(number)),
      stream_(model.device, name_ + " stream"),
      begun_(model.device, name_ + " start", cuda::Timing::on),
      done_(model.device, name_ + " end", cuda::Timing::on),
      buffers_(model, name_),
      host_tensor_(model.device, largest_tensor(model.bytes), name_ + " network tensor for the host"),
      context_(model.engine.make_context()) {
  const cuda::CurrentDevice current(*model_.device);
  context_.bind(
      {buffers_.input.address(), buffers_.dets.address(), buffers_.labels.address(), buffers_.masks.address()});
  try {
    cuda::enqueue_fill(stream_, buffers_.input, 0);
    for (const int images : model_.batch_sizes) capture(images);
  } catch (...) {  // no destructor runs for what is not complete, and the context must not end before its work
    drain();
    throw;
  }
}

Lane::~Lane() { drain(); }

void Lane::drain() noexcept {
  try {
    const cuda::CurrentDevice current(*model_.device);
    stream_.wait_idle();
  } catch (const std::exception&) {  // the device is lost: nothing runs any more
  }
}

/// What `work` queues, as a graph. All of it has run plainly before: TensorRT can only refuse the capture.
template <class Work>
cuda::GraphExec Lane::record(const Work& work) const {
  try {
    cuda::Capture capture(stream_);
    work();
    return cuda::GraphExec(capture.end());
  } catch (const BackendError& refusal) {
    throw_not_capturable(model_.engine.file(), refusal);
  } catch (const CudaError& error) {
    if (!cuda::refuses_capture(error)) throw;
    throw_not_capturable(model_.engine.file(), error);
  }
}

void Lane::capture(int images) {
  context_.set_batch(images);
  write_params();
  enqueue_frames(images);  // the first run sets things up, which a capture forbids; no image is there
  stream_.wait_idle();
  graphs_.emplace(images, record([&] { enqueue_frames(images); }));
  usual_.emplace(images, Clock::duration());
}

/// The records of the batch, and behind them those of no image.
void Lane::write_params() {
  auto* const params = reinterpret_cast<kernel_abi::FrameParams*>(buffers_.host_params.data());
  const std::size_t cuts_at = batch_of(model_) * sizeof(kernel_abi::FrameParams);
  const std::size_t cut_bytes = static_cast<std::size_t>(model_.contract.columns) * sizeof(float);
  kernel_abi::FrameParams nobody{};
  const float nothing_passes = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(&nobody.least_cut, &nothing_passes, sizeof nothing_passes);
  for (std::size_t i = 0; i < batch_of(model_); ++i) {
    params[i] = i < batch_.size() ? batch_[i]->params() : nobody;
    params[i].logit_cut = buffers_.params.address() + cuts_at + i * cut_bytes;
    if (i < batch_.size())
      std::memcpy(reinterpret_cast<std::byte*>(params) + cuts_at + i * cut_bytes, batch_[i]->rule->logit_cut.data(),
                  cut_bytes);
  }
}

void Lane::enqueue_frames(int images) {
  const network::ModelContract& model = model_.contract;
  const GpuKernels& kernels = model_.kernels;
  const ImageSize network = model.network_size;
  const DeviceAddress params = buffers_.params.address(), selection = buffers_.selection.address();
  cuda::enqueue_copy(stream_, buffers_.params, buffers_.host_params, buffers_.params.bytes());
  const cuda::Grid resize = grid(kernel_abi::resize_grid(model_.device->info().multiprocessors));
  if (model_.settings.resize == Resize::pil) {
    kernels.resize_first.enqueue(stream_, resize, params, images);
    kernels.resize_last.enqueue(stream_, resize, params, images, network.height, network.width,
                                buffers_.input.address(), model_.normalised.address(), half(model.input_type));
  } else {
    kernels.resize_bilinear.enqueue(stream_, resize, params, images, network.height, network.width,
                                    buffers_.input.address(), half(model.input_type));
  }
  context_.enqueue(stream_);
  kernels.select.enqueue(stream_, grid(images), params, buffers_.labels.address(), half(model.labels_type),
                         buffers_.dets.address(), half(model.dets_type), model.queries, model.columns, selection);
  for (const MaskPass* pass : {&kernels.mask_count, &kernels.mask_runs})
    pass->enqueue(stream_, grid(mask_programs(model_)), params, images, buffers_.masks.address(),
                  half(model.masks_type), model.mask_size.height, model.mask_size.width, model.queries, selection);
}

void Lane::launch(std::vector<Place*> batch) {
  batch_ = std::move(batch);
  try {
    images_ = *std::lower_bound(model_.batch_sizes.begin(), model_.batch_sizes.end(), static_cast<int>(batch_.size()));
    write_params();
    // Producers: the places' streams, which bring the frames. Consumer: this stream, whose kernels read them.
    for (const Place* place : batch_) stream_.enqueue_wait(place->arrived());
    stream_.enqueue_record(begun_);
    graphs_.at(images_).enqueue(stream_);
    stream_.enqueue_record(done_);
  } catch (...) {
    clear();
    throw;
  }
  launched_ = Clock::now();
  expected_end_ = launched_ + usual_.at(images_);  // it is running: nothing may throw
}

bool Lane::done() {
  if (!done_.reached()) return false;
  Clock::duration& usual = usual_.at(images_);
  const Clock::duration took = Clock::now() - launched_;
  usual = usual == Clock::duration() ? took : (3 * usual + took) / 4;
  return true;
}

std::vector<Place*> Lane::clear() noexcept {
  drain();
  return std::exchange(batch_, {});
}

NetworkTensors Lane::tensors(std::size_t i) {
  const network::ModelContract& model = model_.contract;
  const auto read = [&](const cuda::DeviceBuffer& from, std::size_t bytes, network::ElementType type) {
    cuda::enqueue_copy(stream_, host_tensor_, from, i * bytes, bytes);
    stream_.wait_idle();
    return floats(host_tensor_.data(), bytes / (type == network::ElementType::float16 ? 2 : 4), type);
  };
  return {read(buffers_.input, model_.bytes.input, model.input_type),
          read(buffers_.dets, model_.bytes.dets, model.dets_type),
          read(buffers_.labels, model_.bytes.labels, model.labels_type),
          read(buffers_.masks, model_.bytes.masks, model.masks_type)};
}

void Lane::enqueue_network(int images) {
  auto graph = network_graphs_.find(images);
  if (graph == network_graphs_.end()) {
    context_.set_batch(images);
    context_.enqueue(stream_);
    stream_.wait_idle();
    graph = network_graphs_.emplace(images, record([&] { context_.enqueue(stream_); })).first;
  }
  graph->second.enqueue(stream_);
}

}  // namespace rfseg::pipeline
