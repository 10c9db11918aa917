// Chooses and sets up the pipeline that runs a model, and keeps the tickets that nobody has taken. The work is done
// elsewhere.
#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include "pipeline/opening/set_up.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/packed_rows.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

namespace rfseg {

namespace {

void expect_size(const char* name, std::size_t found, std::size_t expected) {
  if (found != expected)
    throw InputError(std::string(name) + " has " + std::to_string(found) + " values, expected " +
                     std::to_string(expected));
}

}  // namespace

class Segmenter::Impl {
 public:
  Impl(const std::string& model, const Options& options) : ready_(pipeline::set_up(model, options)) {}

  /// A fork copies the memory, not the threads: nothing here works in the child.
  bool is_elsewhere() const { return getpid() != process_; }

  void expect_home() const {
    if (is_elsewhere())
      throw Error(
          "this Segmenter was made in another process, which forked: open the model after the fork, or start processes "
          "by spawn");
  }

  pipeline::FrameRequest request(const ImageView& frame, const FrameOptions& options) {
    raster::require_pixels({frame.height, frame.width}, "the frame");
    if (raster::is_planar(frame.format)) note_color(frame);
    return {raster::as_meant(frame), ready_.rules.rule(options)};
  }

  std::vector<std::shared_ptr<pipeline::Flight>> start(const std::vector<pipeline::FrameRequest>& requests) {
    expect_home();
    return ready_.pipeline->submit(requests);
  }

  void keep(const Ticket& ticket) {
    const std::lock_guard lock(mutex_);
    pending_.push_back(ticket);
  }

  /// The oldest ticket, which is pending no more.
  Ticket oldest() {
    const std::lock_guard lock(mutex_);
    drop_taken();
    if (pending_.empty()) throw InputError("nothing was submitted: call submit(frame) before collect()");
    Ticket ticket = std::move(pending_.front());
    pending_.pop_front();
    return ticket;
  }

  int pending() {
    const std::lock_guard lock(mutex_);
    drop_taken();
    return static_cast<int>(pending_.size());
  }

  void discard_pending() {
    while (pending() > 0) {
      try {
        const Ticket ticket = oldest();
        if (!ticket.cancel()) ticket.take();
      } catch (const Error&) {  // a dropped frame's failure is dropped with it
      }
    }
  }

  double network_ms(int runs, int contexts, int batch) {
    expect_home();
    const int images = batch > 0 ? batch : info().max_batch;
    if (runs < 1 || contexts < 1 || contexts > info().lanes || images < info().min_batch || images > info().max_batch)
      throw InputError("network_ms() takes runs > 0, 1.." + std::to_string(info().lanes) +
                       " contexts, as many as there are lanes, and batches of " + std::to_string(info().min_batch) +
                       ".." + std::to_string(info().max_batch));
    return pipeline().network_ms(runs, contexts, images);
  }

  FrameBuffer frame_buffer(ImageSize size) const {
    expect_home();
    raster::require_pixels(size, "the frame");
    return {size, ready_.pipeline->frame_memory(raster::packed_bytes(size))};
  }

  Result postprocess(const NetworkTensors& tensors, ImageSize image_size) const {
    const Info& info = ready_.info;
    const auto queries = static_cast<std::size_t>(info.queries);
    const auto grid = static_cast<std::size_t>(info.mask_size.height) * static_cast<std::size_t>(info.mask_size.width);
    expect_size("dets", tensors.dets.size(), queries * 4);
    expect_size("labels", tensors.labels.size(), queries * static_cast<std::size_t>(info.columns));
    expect_size("masks", tensors.masks.size(), queries * grid);
    const raster::FrameGeometry geometry(image_size, info.network_size, info.mask_size, Resize::bilinear);
    raster::PostprocessScratch scratch;
    Result result = raster::postprocess(
        {tensors.dets.data(), tensors.labels.data(), tensors.masks.data(), info.queries, info.columns, info.mask_size},
        geometry, *ready_.rules.usual(), scratch);
    result.names = ready_.names;
    return result;
  }

  Counters counters() const {
    Counters now = ready_.pipeline->counters();
    now.assumed_colors = assumed_colors_;
    return now;
  }

  pipeline::Pipeline& pipeline() const { return *ready_.pipeline; }
  const ClassNames& names() const { return *ready_.names; }
  const Info& info() const { return ready_.info; }

 private:
  void drop_taken() {
    const auto taken = [](const Ticket& ticket) { return ticket.flight_->taken(); };
    pending_.erase(std::remove_if(pending_.begin(), pending_.end(), taken), pending_.end());
  }

  void note_color(const ImageView& planes) {
    if (planes.matrix != ColorMatrix::unstated && planes.range != ColorRange::unstated) return;
    if (assumed_colors_++ > 0 || !ready_.log) return;
    ready_.log(LogLevel::warning,
               "a frame of planes does not state its colours: where no matrix is stated it is BT.601 below 720 lines "
               "and BT.709 from there on, where no range is stated it is limited; state matrix and range otherwise");
  }

  const pid_t process_ = getpid();
  pipeline::ReadyPipeline ready_;
  std::atomic<std::int64_t> assumed_colors_{0};
  std::mutex mutex_;
  std::deque<Ticket> pending_;  // oldest first
};

Segmenter::Segmenter(const std::string& model, const Options& options)
    : impl_(std::make_unique<Impl>(model, options)) {}

Segmenter::~Segmenter() {
  if (impl_ && impl_->is_elsewhere()) static_cast<void>(impl_.release());  // its threads are not here to be joined
}

Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;

Result Segmenter::infer(const ImageView& frame, const FrameOptions& options, NetworkTensors* tensors) {
  std::vector<NetworkTensors> all;
  std::vector<Result> results = infer(std::vector<ImageView>{frame}, options, tensors != nullptr ? &all : nullptr);
  if (tensors != nullptr) *tensors = std::move(all.front());
  return std::move(results.front());
}

std::vector<Result> Segmenter::infer(const std::vector<ImageView>& frames, const FrameOptions& options,
                                     std::vector<NetworkTensors>* tensors) {
  std::vector<pipeline::FrameRequest> requests;
  for (const ImageView& frame : frames) {
    requests.push_back(impl_->request(frame, options));
    if (tensors != nullptr) requests.back().tensors = std::make_shared<NetworkTensors>();
  }
  std::vector<Result> results;
  for (const auto& flight : impl_->start(requests)) results.push_back(flight->take());
  if (tensors != nullptr) tensors->clear();
  for (std::size_t i = 0; tensors != nullptr && i < requests.size(); ++i)
    tensors->push_back(std::move(*requests[i].tensors));
  return results;
}

Ticket Segmenter::start(const ImageView& frame, const FrameOptions& options, std::string tag) {
  return Ticket(impl_->start({impl_->request(frame, options)}).front(), std::move(tag));
}

std::vector<Ticket> Segmenter::start(const std::vector<ImageView>& frames, const FrameOptions& options) {
  std::vector<pipeline::FrameRequest> requests;
  for (const ImageView& frame : frames) requests.push_back(impl_->request(frame, options));
  std::vector<Ticket> tickets;
  for (auto& flight : impl_->start(requests)) tickets.push_back(Ticket(std::move(flight), {}));
  return tickets;
}

Ticket Segmenter::submit(const ImageView& frame, const FrameOptions& options, std::string tag) {
  Ticket ticket = start(frame, options, std::move(tag));
  impl_->keep(ticket);
  return ticket;
}

Result Segmenter::collect() { return impl_->oldest().take(); }

double Segmenter::network_ms(int runs, int contexts, int batch) { return impl_->network_ms(runs, contexts, batch); }
Result Segmenter::postprocess(const NetworkTensors& tensors, ImageSize image_size) const {
  return impl_->postprocess(tensors, image_size);
}
FrameBuffer Segmenter::frame_buffer(ImageSize size) const { return impl_->frame_buffer(size); }
std::uintptr_t Segmenter::frame_stream(int gpu) const { return impl_->pipeline().frame_stream(gpu); }
void Segmenter::on_device(const std::function<void()>& work, int gpu) const { impl_->pipeline().on_device(work, gpu); }
Counters Segmenter::counters() const { return impl_->counters(); }
int Segmenter::pending() const { return impl_->pending(); }
void Segmenter::discard_pending() { impl_->discard_pending(); }
const ClassNames& Segmenter::names() const { return impl_->names(); }
const Info& Segmenter::info() const { return impl_->info(); }

}  // namespace rfseg
