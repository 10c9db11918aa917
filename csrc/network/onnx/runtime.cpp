// Runs a segmentation network on the caller's memory. Does not know where the library came from.
#include "network/onnx/runtime.hpp"

#include "network/onnx/session.hpp"
#include "network/onnx/tensor.hpp"
#include "network/trial.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <array>

namespace rfseg::network {
namespace {

/// The environment is one per process, counted by the library, and keeps the logger of whoever made it first: this one
/// has no state to outlive. What a session has to say goes to its own network's log.
void ignore_log(void*, onnx::Severity, const char*, const char*, const char*, const char*) {}

}  // namespace

class OnnxNetwork::Impl {
 public:
  Impl(const onnx::ModelFile& file, const std::string& library, int threads, const LogCallback& log,
       const TensorRoles& stated)
      : model_(file.path),
        library_(onnx::open_library(library)),
        log_(log),
        env_(onnx::make(api(), "environment", api().release_env, api().create_env_with_custom_logger, &ignore_log,
                        static_cast<void*>(nullptr), onnx::Severity::fatal, "rfseg")),
        session_(onnx::open_session(library_, env_.get(), file, threads, &log_)),
        memory_(onnx::make(api(), "memory description", api().release_memory_info, api().create_cpu_memory_info,
                           onnx::AllocatorKind::arena, onnx::MemoryKind::standard)),
        contract_(recognise(stated)) {}

  const ModelContract& contract() const { return contract_; }
  const onnx::Library& library() const { return library_; }

  void run(const HostTensors& tensors, int images) const {
    const ModelContract& c = contract_;
    if (images < 1 || (c.batch != 0 && images != c.batch))
      throw InputError(model_ + " takes " + std::to_string(c.batch) + " images at a time, not " +
                       std::to_string(images));
    const onnx::MemoryInfo* memory = memory_.get();
    const auto output = [&](ElementType type, float* values, const std::vector<std::int64_t>& shape) {
      return onnx::HostTensor::output(api(), memory, type, values, shape);
    };
    const auto dets = output(c.dets_type, tensors.dets, {images, c.queries, 4});
    const auto labels = output(c.labels_type, tensors.labels, {images, c.queries, c.columns});
    const auto masks = output(c.masks_type, tensors.masks, {images, c.queries, c.mask_size.height, c.mask_size.width});
    Outputs values = {dets.value(), labels.value(), masks.value()};
    run_session(c, tensors.input, images, values);
    for (const onnx::HostTensor* written : {&dets, &labels, &masks}) written->to_floats();
  }

 private:
  using Outputs = std::array<onnx::Value*, 3>;  // dets, labels, masks

  const onnx::Api& api() const { return library_.api; }

  /// Runs `input` [images, 3, Hn, Wn]. Where an output is null the library makes one, and the caller owns it.
  void run_session(const ModelContract& c, const float* input, int images, Outputs& outputs) const {
    const auto image = onnx::HostTensor::input(api(), memory_.get(), c.input_type, input,
                                               {images, 3, c.network_size.height, c.network_size.width});
    const char* input_name = c.input.c_str();
    const onnx::Value* inputs = image.value();
    const std::array names = {c.dets.c_str(), c.labels.c_str(), c.masks.c_str()};
    onnx::Status* status =
        api().run(session_.get(), nullptr, &input_name, &inputs, 1, names.data(), names.size(), outputs.data());
    if (status != nullptr)
      throw BackendError(model_ + " failed in ONNX Runtime " + library_.version + ": " +
                         onnx::take_message(api(), status));
  }

  ModelContract recognise(const TensorRoles& stated) const {
    const auto inputs = onnx::describe_inputs(api(), session_.get());
    auto outputs = onnx::describe_outputs(api(), session_.get());
    const ModelContract contract = match_model(model_, inputs, outputs, stated);
    const bool one = std::any_of(outputs.begin(), outputs.end(), [&](const TensorDescription& output) {
      return output.name == contract.dets && output.shape[0] == 1;
    });
    try_out(contract, outputs);
    ModelContract complete = match_model(model_, inputs, outputs, stated);
    if (one) complete.batch = 1;  // an open input whose answers are for one image
    return complete;
  }

  /// Runs a test image, completes the shapes of `outputs`, and refuses answers that are no numbers (network/trial.hpp).
  void try_out(const ModelContract& contract, std::vector<TensorDescription>& outputs) const {
    const int images = std::max(contract.batch, 1);
    Outputs values{};
    run_session(contract, trial_images(contract, images).data(), images, values);
    const auto release = api().release_value;
    const std::array owned = {onnx::Owned<onnx::Value>(values[0], release),
                              onnx::Owned<onnx::Value>(values[1], release),
                              onnx::Owned<onnx::Value>(values[2], release)};
    const std::array names = {contract.dets, contract.labels, contract.masks};
    for (std::size_t i = 0; i < owned.size(); ++i) {
      const auto tensor = std::find_if(outputs.begin(), outputs.end(),
                                       [&](const TensorDescription& output) { return output.name == names[i]; });
      onnx::update_shape(api(), owned[i].get(), *tensor);
      if (!onnx::is_finite(api(), owned[i].get(), *tensor)) refuse_answer(model_, tensor->name);
    }
  }

  std::string model_;
  onnx::Library library_;
  LogCallback log_;
  onnx::Owned<onnx::Env> env_;
  onnx::Owned<onnx::Session> session_;
  onnx::Owned<onnx::MemoryInfo> memory_;
  ModelContract contract_;
};

OnnxNetwork::OnnxNetwork(const onnx::ModelFile& file, const std::string& library, int threads, const LogCallback& log,
                         const TensorRoles& stated)
    : impl_(std::make_unique<Impl>(file, library, threads, log, stated)) {}

OnnxNetwork::~OnnxNetwork() = default;

const ModelContract& OnnxNetwork::contract() const { return impl_->contract(); }
const std::string& OnnxNetwork::library_version() const { return impl_->library().version; }
const std::string& OnnxNetwork::library_path() const { return impl_->library().path; }
void OnnxNetwork::run(const HostTensors& tensors, int images) { impl_->run(tensors, images); }

}  // namespace rfseg::network
