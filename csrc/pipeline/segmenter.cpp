// Chooses and sets up the pipeline that runs a model, and guards its rules of use. The work is done elsewhere.
#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include "network/class_names.hpp"
#include "network/onnx_runtime.hpp"
#include "pipeline/cpu_pipeline.hpp"
#include "pipeline/settings.hpp"

#include <utility>

namespace rfseg {

using pipeline::CpuPipeline;

namespace {

constexpr int kDefaultCpuSlots = 2;  // one in the network, one being prepared or read: a third waits for nothing

void say(const Options& options, LogLevel level, const std::string& sentence) {
  if (options.log) options.log(level, sentence);
}

}  // namespace

class Segmenter::Impl {
 public:
  Impl(const std::string& model, const Options& options) {
    pipeline::check_options(options);
    pipeline::choose_device(model, options);
    info_.model = model;
    info_.device = "cpu";
    info_.backend = "onnxruntime";
    info_.threads = options.threads > 0 ? options.threads : network::physical_cores();
    info_.slots = options.slots > 0 ? options.slots : kDefaultCpuSlots;
    auto network = std::make_unique<network::OnnxNetwork>(model, options.onnxruntime, info_.threads, options.log);
    const network::ModelContract contract = network->contract();
    info_.library_version = network->library_version();
    info_.library_path = network->library_path();
    info_.precision = "float32";
    info_.network_size = contract.network_size;
    info_.mask_size = contract.mask_size;
    info_.queries = contract.queries;
    info_.columns = contract.columns;

    const network::ClassLayout layout = pipeline::resolve_classes(contract, options, network->metadata("names"), model);
    if (layout.names.empty())
      say(options, LogLevel::warning,
          model + " names no classes: every column is kept and called by its number; pass names=");
    names_ = std::make_shared<const ClassNames>(layout.names);
    if (options.device == "auto")
      say(options, LogLevel::info,
          "device auto: cpu, because " + model + " is an ONNX file (ONNX Runtime " + info_.library_version + ", " +
              std::to_string(info_.threads) + " threads)");
    pipeline_ = std::make_unique<CpuPipeline>(
        std::move(network), pipeline::PipelineSettings{pipeline::selection_rule(layout, options), options.resize,
                                                       options.outlines, names_, info_.slots});
  }

  void submit(const ImageView& frame) {
    if (pending() == info_.slots)
      throw InputError(std::to_string(pending()) +
                       " frames are in flight, as many as there are slots: collect() one first");
    pipeline_->submit(frame);
  }

  Result collect(NetworkTensors* tensors) {
    if (pending() == 0) throw InputError("nothing was submitted: call submit(frame) before collect()");
    return pipeline_->collect(tensors);
  }

  void refuse_pending(const char* call) const {
    if (pending() > 0)
      throw InputError(std::to_string(pending()) + " submitted frames wait for collect(): " + call +
                       " would overtake them");
  }

  double network_ms(int runs, int contexts) {
    refuse_pending("network_ms()");
    if (runs < 1 || contexts < 1 || contexts > info_.slots)
      throw InputError("network_ms() takes runs > 0 and 1.." + std::to_string(info_.slots) +
                       " contexts, as many as there are slots");
    return pipeline_->network_ms(runs, contexts);
  }

  void discard_pending() {
    while (pending() > 0) {
      try {
        pipeline_->collect(nullptr);
      } catch (const Error&) {  // a dropped frame's failure is dropped with it
      }
    }
  }

  int pending() const { return pipeline_->pending(); }
  const ClassNames& names() const { return *names_; }
  const Info& info() const { return info_; }

 private:
  Info info_;
  std::shared_ptr<const ClassNames> names_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
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
int Segmenter::pending() const { return impl_->pending(); }
void Segmenter::discard_pending() { impl_->discard_pending(); }
const ClassNames& Segmenter::names() const { return impl_->names(); }
const Info& Segmenter::info() const { return impl_->info(); }

}  // namespace rfseg
