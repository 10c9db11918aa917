#include "pipeline/gpu/frame_slot.hpp"

#include "host/stopwatch.hpp"
#include "pipeline/gpu/frame_upload.hpp"
#include "pipeline/gpu/hand_back.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <utility>

namespace rfseg::pipeline {

namespace {

[[noreturn]] void throw_not_capturable(const std::string& engine, const Error& why) {
  throw BackendError(engine + " cannot be captured in a CUDA graph, which is how rfseg runs engines: " + why.what() +
                     "\nLayers that wait for the GPU or allocate while they run forbid it (loops, conditions, sizes "
                     "that depend on the image, some plugins): build the engine again from a model without them, or "
                     "run the .onnx file on the CPU.");
}

/// What `work` queues, as a graph. All of it has run plainly before: TensorRT can only refuse the capture.
template <class Work>
cuda::GraphExec record(const cuda::Stream& stream, const std::string& engine, const Work& work) {
  try {
    cuda::Capture capture(stream);
    work();
    return cuda::GraphExec(capture.end());
  } catch (const BackendError& refusal) {
    throw_not_capturable(engine, refusal);
  } catch (const CudaError& error) {
    if (!cuda::refuses_capture(error)) throw;
    throw_not_capturable(engine, error);
  }
}

}  // namespace

FrameSlot::FrameSlot(const GpuModel& model, int number)
    : model_(model),
      name_("slot " + std::to_string(number)),
      stream_(model.device, name_ + " stream"),
      begun_(model.device, name_ + " start", cuda::Timing::on),
      done_(model.device, name_ + " end", cuda::Timing::on),
      uploaded_(model.device, name_ + " upload"),
      network_(model, name_),
      context_(model.engine.make_context()) {
  const cuda::CurrentDevice current(*model_.device);
  context_.bind(network_.tensors());
  try {
    for (const cuda::DeviceBuffer* tensor : {&network_.input, &network_.dets, &network_.labels, &network_.masks})
      cuda::enqueue_fill(stream_, *tensor, 0);
    context_.enqueue(stream_);  // the first run sets things up, which a capture forbids
    stream_.wait_idle();
    if (model_.settings.stages == Stages::host) raw_.emplace(model_);
  } catch (...) {  // no destructor runs for what is not complete, and the context must not end before its work
    drain();
    throw;
  }
}

FrameSlot::~FrameSlot() { drain(); }

void FrameSlot::drain() noexcept {
  try {
    const cuda::CurrentDevice current(*model_.device);
    stream_.wait_idle();
  } catch (const std::exception&) {  // the device is lost: nothing runs any more
  }
}

void FrameSlot::enqueue_frame(FramePlan& plan) {
  plan.enqueue_preprocess(stream_);
  context_.enqueue(stream_);
  plan.enqueue_postprocess(stream_);
}

void FrameSlot::capture(FramePlan& plan) try {
  enqueue_frame(plan);
  stream_.wait_idle();
  plan.graph = record(stream_, model_.engine.file(), [&] { enqueue_frame(plan); });
} catch (...) {  // the plan's buffers end with it: before that, the work on them
  drain();
  throw;
}

bool FrameSlot::knows(ImageSize source, PixelFormat format) const {
  return std::any_of(plans_.begin(), plans_.end(), [&](const FramePlan& plan) { return plan.serves(source, format); });
}

FramePlan& FrameSlot::plan_for(std::shared_ptr<const raster::FrameGeometry> geometry, PixelFormat format) {
  const auto known = std::find_if(plans_.begin(), plans_.end(),
                                  [&](const FramePlan& plan) { return plan.serves(geometry->source(), format); });
  if (known != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, known);
  } else {
    std::list<FramePlan> made;  // joins the others only when it is complete
    made.emplace_back(model_, network_, std::move(geometry), format, stream_);
    capture(made.front());
    if (plans_.size() == kPlans) plans_.pop_back();
    plans_.splice(plans_.begin(), made);
  }
  return plans_.front();
}

void FrameSlot::submit(const ImageView& frame, std::shared_ptr<const raster::FrameGeometry> geometry,
                       host::Crew& crew) {
  geometry_ = std::move(geometry);
  speed_ = {};
  try {
    if (model_.settings.stages == Stages::host) {
      prepare_on_host(frame);
      launch();
      return;
    }
    FramePlan& plan = plan_for(geometry_, frame.format);
    host::Stopwatch watch;
    const bool read_on = enqueue_upload(stream_, frame, plan, uploaded_, crew);
    launch();
    if (read_on) uploaded_.wait_reached();
    speed_.preprocess_ms = watch.lap_ms();
  } catch (...) {  // what was queued before it failed may still read the caller's memory
    drain();
    throw;
  }
}

void FrameSlot::prepare_on_host(const ImageView& frame) {
  if (frame.memory != MemoryKind::host)
    throw InputError(
        "a frame in device memory cannot be prepared by the host: use stages device, or copy it to the host");
  host::Stopwatch watch;
  const ImageSize size = geometry_->network();
  host_input_.resize(3 * static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width));
  raster::preprocess(frame, *geometry_, resize_scratch_, host_input_.data(), model_.settings.normalisation);
  raw_->enqueue_input(stream_, network_, host_input_);
  speed_.preprocess_ms = watch.lap_ms();
}

void FrameSlot::launch() {
  stream_.enqueue_record(begun_);
  if (model_.settings.stages == Stages::host) {
    enqueue_network();
  } else {
    plans_.front().graph->enqueue(stream_);
  }
  stream_.enqueue_record(done_);
}

void FrameSlot::enqueue_network() {
  if (!network_graph_) network_graph_ = record(stream_, model_.engine.file(), [&] { context_.enqueue(stream_); });
  network_graph_->enqueue(stream_);
}

NetworkTensors FrameSlot::tensors() {
  if (!raw_) raw_.emplace(model_);
  raw_->enqueue_download(stream_, network_);
  stream_.wait_idle();
  return raw_->tensors();
}

Result FrameSlot::finish_on_host() {
  const NetworkTensors answered = tensors();
  bytes_back_ = model_.bytes.dets + model_.bytes.labels + model_.bytes.masks;
  return raster::postprocess(outputs_of(answered, model_.contract), *geometry_, model_.settings.rule,
                             postprocess_scratch_);
}

Result FrameSlot::read() {
  const cuda::CurrentDevice current(*model_.device);
  done_.wait_reached();
  speed_.network_ms = cuda::elapsed_ms(begun_, done_);
  host::Stopwatch watch;
  const auto& hand_back = *reinterpret_cast<const kernel_abi::HandBack*>(network_.hand_back.data());
  const bool on_host = model_.settings.stages == Stages::host;
  slow_ = !on_host && overflowed(hand_back);
  Result result;
  if (on_host || slow_) {
    result = finish_on_host();
  } else {
    bytes_back_ = pipeline::bytes_back(hand_back);
    result = read_hand_back(hand_back, plans_.front().runs(), *geometry_);
  }
  result.names = model_.settings.names;
  result.speed = speed_;
  result.speed.postprocess_ms = watch.lap_ms();
  return result;
}

}  // namespace rfseg::pipeline
