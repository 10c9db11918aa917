// Chooses and sets up the pipeline that runs a model, and guards its rules of use. The work is done elsewhere.
#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include "pipeline/opening/set_up.hpp"
#include "raster/detections/postprocess.hpp"
#include "raster/resize/packed_rows.hpp"

#include <limits>
#include <utility>

namespace rfseg {

namespace {

void expect_pixels(ImageSize size) {
  const std::string text = std::to_string(size.height) + "x" + std::to_string(size.width);
  if (size.height <= 0 || size.width <= 0) throw InputError("a frame of " + text + " px is empty");
  if (size.height > std::numeric_limits<int>::max() / size.width)
    throw InputError("a frame of " + text + " px is too large: it must have fewer than 2^31 pixels");
}

}  // namespace

class Segmenter::Impl {
 public:
  Impl(const std::string& model, const Options& options) : ready_(pipeline::set_up(model, options)) {}

  void submit(const ImageView& frame) {
    expect_pixels({frame.height, frame.width});
    if (pending() == info().slots)
      throw InputError(std::to_string(pending()) +
                       " frames are in flight, as many as there are slots: collect() one first");
    ready_.pipeline->submit(frame);
  }

  Result collect(NetworkTensors* tensors) {
    if (pending() == 0) throw InputError("nothing was submitted: call submit(frame) before collect()");
    return ready_.pipeline->collect(tensors);
  }

  void refuse_pending(const char* call) const {
    if (pending() > 0)
      throw InputError(std::to_string(pending()) + " submitted frames wait for collect(): " + call +
                       " would overtake them");
  }

  double network_ms(int runs, int contexts) {
    refuse_pending("network_ms()");
    if (runs < 1 || contexts < 1 || contexts > info().slots)
      throw InputError("network_ms() takes runs > 0 and 1.." + std::to_string(info().slots) +
                       " contexts, as many as there are slots");
    return ready_.pipeline->network_ms(runs, contexts);
  }

  void discard_pending() {
    while (pending() > 0) {
      try {
        ready_.pipeline->collect(nullptr);
      } catch (const Error&) {  // a dropped frame's failure is dropped with it
      }
    }
  }

  FrameBuffer frame_buffer(ImageSize size) const {
    expect_pixels(size);
    return {size, pipeline().frame_memory(raster::packed_bytes(size))};
  }

  Result postprocess(const NetworkTensors& tensors, ImageSize image_size) const {
    const Info& info = ready_.info;
    const auto expect = [&](const char* name, std::size_t found, int per_query) {
      const std::size_t expected = static_cast<std::size_t>(info.queries) * static_cast<std::size_t>(per_query);
      if (found != expected)
        throw InputError(std::string(name) + " has " + std::to_string(found) + " values, expected " +
                         std::to_string(expected));
    };
    expect("dets", tensors.dets.size(), 4);
    expect("labels", tensors.labels.size(), info.columns);
    expect("masks", tensors.masks.size(), info.mask_size.height * info.mask_size.width);
    const raster::FrameGeometry geometry(image_size, info.network_size, info.mask_size, Resize::bilinear);
    raster::PostprocessScratch scratch;
    Result result = raster::postprocess(
        {tensors.dets.data(), tensors.labels.data(), tensors.masks.data(), info.queries, info.columns, info.mask_size},
        geometry, ready_.rule, scratch);
    result.names = ready_.names;
    return result;
  }

  const pipeline::Pipeline& pipeline() const { return *ready_.pipeline; }
  int pending() const { return pipeline().pending(); }
  const ClassNames& names() const { return *ready_.names; }
  const Info& info() const { return ready_.info; }

 private:
  pipeline::ReadyPipeline ready_;
};

Segmenter::Segmenter(const std::string& model, const Options& options)
    : impl_(std::make_unique<Impl>(model, options)) {}
Segmenter::~Segmenter() = default;
Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;

Result Segmenter::infer(const ImageView& frame, NetworkTensors* tensors) {
  impl_->refuse_pending("infer()");
  impl_->submit(frame);
  return impl_->collect(tensors);
}

void Segmenter::submit(const ImageView& frame) { impl_->submit(frame); }
Result Segmenter::collect() { return impl_->collect(nullptr); }
double Segmenter::network_ms(int runs, int contexts) { return impl_->network_ms(runs, contexts); }
Result Segmenter::postprocess(const NetworkTensors& tensors, ImageSize image_size) const {
  return impl_->postprocess(tensors, image_size);
}
FrameBuffer Segmenter::frame_buffer(ImageSize size) const { return impl_->frame_buffer(size); }
std::uintptr_t Segmenter::frame_stream() const { return impl_->pipeline().frame_stream(); }
void Segmenter::on_device(const std::function<void()>& work) const { impl_->pipeline().on_device(work); }
Counters Segmenter::counters() const { return impl_->pipeline().counters(); }
int Segmenter::pending() const { return impl_->pending(); }
void Segmenter::discard_pending() { impl_->discard_pending(); }
const ClassNames& Segmenter::names() const { return impl_->names(); }
const Info& Segmenter::info() const { return impl_->info(); }

}  // namespace rfseg
