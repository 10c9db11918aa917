// Runs a segmentation network frame by frame on the caller's memory. Does not know where the library came from.
#include "network/onnx/runtime.hpp"

#include "network/onnx/session.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <array>

namespace rfseg::network {
namespace {

/// The environment is one per process, counted by the library, and keeps the logger of whoever made it first: this one
/// has no state to outlive. What a session has to say goes to its own network's log.
void ignore_log(void*, onnx::Severity, const char*, const char*, const char*, const char*) {}

/// @throws ModelError  a tensor is of another type
void require_float32(const std::string& model, const std::vector<TensorDescription>& tensors) {
  for (const TensorDescription& tensor : tensors)
    if (tensor.type != ElementType::float32)
      throw ModelError(model + ": '" + tensor.name + "' is " + tensor.type_name +
                       ", but the CPU path computes in float32: export it again in float32");
}

/// True when a size other than the batch is open.
bool has_open_size(const TensorDescription& tensor) {
  return std::find(tensor.shape.begin() + 1, tensor.shape.end(), -1) != tensor.shape.end();
}

}  // namespace

class OnnxNetwork::Impl {
 public:
  Impl(const std::string& model, const std::string& library, int threads, const LogCallback& log)
      : model_(model),
        library_(onnx::open_library(library)),
        log_(log),
        env_(onnx::make(api(), "environment", api().release_env, api().create_env_with_custom_logger, &ignore_log,
                        static_cast<void*>(nullptr), onnx::Severity::fatal, "rfseg")),
        session_(onnx::open_session(library_, env_.get(), model, threads, &log_)),
        memory_(onnx::make(api(), "memory description", api().release_memory_info, api().create_cpu_memory_info,
                           onnx::AllocatorKind::arena, onnx::MemoryKind::standard)),
        contract_(recognise()) {}

  const ModelContract& contract() const { return contract_; }
  const onnx::Library& library() const { return library_; }
  std::string metadata(const std::string& key) const { return onnx::metadata(api(), session_.get(), key); }

  void run(const HostTensors& tensors, int images) const {
    const ModelContract& c = contract_;
    const auto dets = tensor(tensors.dets, {images, c.queries, 4});
    const auto labels = tensor(tensors.labels, {images, c.queries, c.columns});
    const auto masks = tensor(tensors.masks, {images, c.queries, c.mask_size.height, c.mask_size.width});
    const std::array names = {c.dets.c_str(), c.labels.c_str(), c.masks.c_str()};
    Outputs values = {dets.get(), labels.get(), masks.get()};
    run_session(c, tensors.input, images, names, values);
  }

 private:
  using Outputs = std::array<onnx::Value*, 3>;

  const onnx::Api& api() const { return library_.api; }

  /// A view of `data`, which the library neither copies nor owns.
  onnx::Owned<onnx::Value> tensor(float* data, std::initializer_list<std::int64_t> shape) const {
    std::size_t bytes = sizeof(float);
    for (const std::int64_t size : shape) bytes *= static_cast<std::size_t>(size);
    return onnx::make(api(), "tensor", api().release_value, api().create_tensor_with_data,
                      static_cast<const onnx::MemoryInfo*>(memory_.get()), static_cast<void*>(data), bytes,
                      shape.begin(), shape.size(), onnx::Element::float32);
  }

  /// Runs `input` [images, 3, Hn, Wn]. Where an output is null the library makes one, and the caller owns it.
  void run_session(const ModelContract& c, const float* input, int images, const std::array<const char*, 3>& names,
                   Outputs& outputs) const {
    // The interface has no read-only view of memory; the library does not write to its inputs.
    const auto image = tensor(const_cast<float*>(input), {images, 3, c.network_size.height, c.network_size.width});
    const char* input_name = c.input.c_str();
    const onnx::Value* inputs = image.get();
    onnx::Status* status =
        api().run(session_.get(), nullptr, &input_name, &inputs, 1, names.data(), names.size(), outputs.data());
    if (status != nullptr)
      throw BackendError(model_ + " failed in ONNX Runtime " + library_.version + ": " +
                         onnx::take_message(api(), status));
  }

  ModelContract recognise() const {
    const auto inputs = onnx::describe_inputs(api(), session_.get());
    auto outputs = onnx::describe_outputs(api(), session_.get());
    ModelContract contract = match_model(model_, inputs, outputs);
    require_float32(model_, inputs);
    require_float32(model_, outputs);
    if (std::none_of(outputs.begin(), outputs.end(), has_open_size)) return contract;
    measure(contract, outputs);
    return match_model(model_, inputs, outputs);
  }

  /// Completes the shapes of `outputs` by running an image of zeros.
  void measure(const ModelContract& contract, std::vector<TensorDescription>& outputs) const {
    const int images = std::max(1, contract.batch);
    const std::vector<float> image(3U * static_cast<std::size_t>(images) *
                                   static_cast<std::size_t>(contract.network_size.height) *
                                   static_cast<std::size_t>(contract.network_size.width));
    const std::array names = {outputs[0].name.c_str(), outputs[1].name.c_str(), outputs[2].name.c_str()};
    Outputs values{};
    run_session(contract, image.data(), images, names, values);
    const auto release = api().release_value;
    const std::array owned = {onnx::Owned<onnx::Value>(values[0], release),
                              onnx::Owned<onnx::Value>(values[1], release),
                              onnx::Owned<onnx::Value>(values[2], release)};
    for (std::size_t i = 0; i < owned.size(); ++i) {
      const std::int64_t batch = outputs[i].shape.front();
      onnx::update_shape(api(), owned[i].get(), outputs[i]);
      outputs[i].shape.front() = batch;  // it stays open where the file leaves it so
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

OnnxNetwork::OnnxNetwork(const std::string& model, const std::string& library, int threads, const LogCallback& log)
    : impl_(std::make_unique<Impl>(model, library, threads, log)) {}

OnnxNetwork::~OnnxNetwork() = default;

const ModelContract& OnnxNetwork::contract() const { return impl_->contract(); }
std::string OnnxNetwork::metadata(const std::string& key) const { return impl_->metadata(key); }
const std::string& OnnxNetwork::library_version() const { return impl_->library().version; }
const std::string& OnnxNetwork::library_path() const { return impl_->library().path; }
void OnnxNetwork::run(const HostTensors& tensors, int images) { impl_->run(tensors, images); }

}  // namespace rfseg::network
