// Loads engines and runs them. The order in which objects end is the order of the members, read backwards.
#include "network/tensorrt/engine.hpp"

#include "network/tensorrt/library.hpp"
#include "network/tensorrt/tensors.hpp"

#include <rfseg/error.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

namespace rfseg::network {

using namespace tensorrt;

namespace {

std::vector<char> read_file(const std::string& path) {
  check_engine_file(path);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (!file || size < 0) throw ModelError(path + " cannot be read");
  std::vector<char> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(bytes.data(), size)) throw ModelError(path + " cannot be read to its end");
  return bytes;
}

std::string or_no_reason(const std::string& errors) { return errors.empty() ? "it gives no reason" : errors; }

/// Checks a new object and owns it. An object that a plan's own runtime made may be wrapped: that is only said.
Object adopt(const Library& library, void* object, const ObjectLook& look) {
  const std::string odd = check_object(object, look);
  if (!odd.empty()) library.log().warn(odd);
  return Object(object);
}

/// Refuses, before TensorRT reads a byte of it, an engine that is stated to be for another machine.
Object load_plan(const Library& library, void* runtime, const std::string& path, const TensorRtOptions& options,
                 const cuda::DeviceInfo& device) {
  const bool allow_engine_code = options.allow_engine_code;
  check_engine_build(options.built, {library.version(), device.name, device.compute_capability.text()}, path,
                     allow_engine_code, options.log);
  const std::vector<char> plan = read_file(path);
  library.log().take_errors();
  void* const engine =
      call<void*>(runtime, library.entries().runtime.deserialize, static_cast<const void*>(plan.data()), plan.size());
  if (!is_object(engine)) {
    throw ModelError(
        path + ": " + library.text() + " refuses this engine on " + device.text() + ": " +
        or_no_reason(library.log().take_errors()) +
        "\nAn engine runs with the TensorRT version and on the GPU model that it was built for: rebuild the engine on "
        "this machine." +
        (allow_engine_code ? ""
                           : "\nA version-compatible engine that brings its own code needs allow_engine_code=True: "
                             "pass it only for files you trust."));
  }
  return adopt(library, engine, {"engine", library.entries().engine.self, library.entries().engine.last});
}

Object create_context(const Library& library, void* engine, MemoryStrategy strategy) {
  library.log().take_errors();
  const Entries& entries = library.entries();
  void* const context = call<void*>(engine, entries.engine.create_context, static_cast<std::int32_t>(strategy));
  if (!is_object(context)) {
    throw BackendError(library.text() +
                       " did not create an execution context: " + or_no_reason(library.log().take_errors()));
  }
  Object owned = adopt(library, context, {"execution context", entries.context.self, entries.context.last});
  if (call<void*>(context, entries.context.engine) != engine) {
    library.log().warn("execution context: it names another engine as its own");
  }
  return owned;
}

ModelContract read_contract(const Library& library, void* engine, const std::string& file) {
  EngineTensors tensors = read_tensors(library, engine, file);
  ModelContract contract = match_model(file, tensors.inputs, tensors.outputs);
  if (contract.complete()) return contract;
  // Shapes need no work memory: a context without any tells them.
  const Object context = create_context(library, engine, MemoryStrategy::user_managed);
  if (contract.batch == 0)
    set_batch(library, context.get(), contract, profile_batches(library, engine, contract, file)[0], file);
  for (TensorDescription& output : tensors.outputs) {
    const std::int64_t batch = output.shape.front();
    output.shape = context_shape(library, context.get(), output.name);
    if (!output.shape.empty()) output.shape.front() = batch;  // it stays open where the file leaves it so
  }
  contract = match_model(file, tensors.inputs, tensors.outputs);
  if (!contract.complete()) throw ModelError(file + ": the sizes of its outputs depend on the image");
  return contract;
}

BatchRange read_batch(const Library& library, void* engine, const ModelContract& contract, const std::string& file) {
  if (contract.batch > 0) return {contract.batch, contract.batch, contract.batch};
  const std::array<int, 3> batches = profile_batches(library, engine, contract, file);
  return {batches[0], batches[1], batches[2]};
}

}  // namespace

void check_engine_file(const std::string& engine) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(engine, error);
  if (status.type() == std::filesystem::file_type::not_found) throw ModelError(engine + ": no such file");
  if (!std::filesystem::is_regular_file(status)) throw ModelError(engine + " cannot be read: it is not a regular file");
  if (std::filesystem::file_size(engine, error) == 0) throw ModelError(engine + " is empty: build the engine again");
}

class TensorRtEngine::Impl {
 public:
  /// The device is current until construction has ended, also by an exception.
  Impl(const std::string& file, cuda::SharedDevice device, const TensorRtOptions& options)
      : device_(std::move(device)),
        library_({options.library, options.folders}, options.log),
        runtime_(library_.create_runtime(options.allow_engine_code)),
        engine_(load_plan(library_, runtime_.get(), file, options, device_->info())),
        file_(file),
        contract_(read_contract(library_, engine_.get(), file)),
        batch_(read_batch(library_, engine_.get(), contract_, file)) {}

  ~Impl() {
    const cuda::CurrentDevice current(*device_, std::nothrow);
    engine_.reset();
    runtime_.reset();
  }

  const cuda::SharedDevice& device() const { return device_; }
  const Library& library() const { return library_; }
  void* engine() const { return engine_.get(); }
  const std::string& file() const { return file_; }
  const ModelContract& contract() const { return contract_; }
  BatchRange batch() const { return batch_; }

 private:
  cuda::SharedDevice device_;
  Library library_;
  Object runtime_;
  Object engine_;
  std::string file_;
  ModelContract contract_;
  BatchRange batch_;
};

class TensorRtContext::Impl {
 public:
  /// The device is current until construction has ended, also by an exception.
  explicit Impl(std::shared_ptr<const TensorRtEngine::Impl> engine)
      : engine_(std::move(engine)),
        context_(create_context(engine_->library(), engine_->engine(), MemoryStrategy::fixed)) {
    set_batch(engine_->batch().most);
  }

  ~Impl() {
    const cuda::CurrentDevice current(*engine_->device(), std::nothrow);
    context_.reset();
  }

  void bind(const std::string& tensor, cuda::DeviceAddress address) {
    const Library& library = engine_->library();
    if (address == 0 || address % kTensorAlignment != 0) {
      throw BackendError("tensor '" + tensor + "' needs an address that is a multiple of " +
                         std::to_string(kTensorAlignment) + ", got " + std::to_string(address));
    }
    library.log().take_errors();
    if (!call<bool>(context_.get(), library.entries().context.set_address, tensor.c_str(),
                    reinterpret_cast<void*>(address))) {
      throw BackendError(library.text() + " refuses the address of tensor '" + tensor +
                         "': " + or_no_reason(library.log().take_errors()));
    }
  }

  void set_batch(int images) {
    const ModelContract& model = contract();
    if (model.batch == 0) {
      tensorrt::set_batch(engine_->library(), context_.get(), model, images, engine_->file());
    } else if (images != model.batch) {
      throw BackendError(engine_->file() + " runs " + std::to_string(model.batch) + " images at once, not " +
                         std::to_string(images));
    }
  }

  void enqueue(cuda::StreamHandle stream) {
    const Library& library = engine_->library();
    if (call<bool>(context_.get(), library.entries().context.enqueue, static_cast<void*>(stream))) return;
    throw BackendError(library.text() + " did not run " + engine_->file() + ": " +
                       or_no_reason(library.log().take_errors()));
  }

  const ModelContract& contract() const { return engine_->contract(); }

 private:
  std::shared_ptr<const TensorRtEngine::Impl> engine_;
  Object context_;
};

TensorRtContext::TensorRtContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TensorRtContext::TensorRtContext(TensorRtContext&&) noexcept = default;
TensorRtContext& TensorRtContext::operator=(TensorRtContext&&) noexcept = default;
TensorRtContext::~TensorRtContext() = default;

void TensorRtContext::bind(const DeviceTensors& tensors) {
  impl_->bind(impl_->contract().input, tensors.input);
  impl_->bind(impl_->contract().dets, tensors.dets);
  impl_->bind(impl_->contract().labels, tensors.labels);
  impl_->bind(impl_->contract().masks, tensors.masks);
}

void TensorRtContext::set_batch(int images) { impl_->set_batch(images); }

void TensorRtContext::enqueue(const cuda::Stream& stream) { impl_->enqueue(stream.get()); }

TensorRtEngine::TensorRtEngine(const std::string& engine, const cuda::SharedDevice& device,
                               const TensorRtOptions& options) {
  const cuda::CurrentDevice current(*device);
  impl_ = std::make_shared<const Impl>(engine, device, options);
}

const ModelContract& TensorRtEngine::contract() const { return impl_->contract(); }

BatchRange TensorRtEngine::batch() const { return impl_->batch(); }

TensorBytes TensorRtEngine::bytes() const {
  const ModelContract& model = contract();
  const auto bytes = [](ElementType type, int rows, int columns, int planes) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * static_cast<std::size_t>(planes) *
           (type == ElementType::float16 ? 2 : 4);
  };
  return {bytes(model.input_type, model.network_size.height, model.network_size.width, 3),
          bytes(model.dets_type, model.queries, 4, 1), bytes(model.labels_type, model.queries, model.columns, 1),
          bytes(model.masks_type, model.mask_size.height, model.mask_size.width, model.queries)};
}

const std::string& TensorRtEngine::file() const { return impl_->file(); }
const std::string& TensorRtEngine::library_version() const { return impl_->library().version(); }
const std::string& TensorRtEngine::library_path() const { return impl_->library().path(); }

TensorRtContext TensorRtEngine::make_context() const {
  const cuda::CurrentDevice current(*impl_->device());
  return TensorRtContext(std::make_unique<TensorRtContext::Impl>(impl_));
}

}  // namespace rfseg::network
