// Reads tensors and sets shapes. Holds no object.
#include "network/tensorrt/tensors.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <utility>

namespace rfseg::network::tensorrt {

namespace {

constexpr std::int32_t kMostTensors = 4096;
constexpr std::int64_t kMostImages = 1024;

std::vector<std::int64_t> shape_of(const Dims& dims) {
  return {dims.extent, dims.extent + (dims.rank < 0 ? 0 : dims.rank)};
}

std::string text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    text += (text.size() > 1 ? ", " : "") + (extent < 0 ? "?" : std::to_string(extent));
  }
  return text + "]";
}

std::string tensor_name(const Library& library, void* engine, std::int32_t index) {
  const char* const name = call<const char*>(engine, library.entries().engine.tensor_name, index);
  if (reinterpret_cast<std::uintptr_t>(name) < kLowestObjectAddress || !readable(name, 1) || *name == '\0') {
    throw_mismatch("engine", "tensor " + std::to_string(index) + " has no name");
  }
  return name;
}

struct RawTensor {
  IoMode mode;
  Location location;
  std::int32_t type;
  std::int32_t format;
  Dims dims;
};

RawTensor ask(const Library& library, void* engine, const char* name) {
  const EngineEntries& entry = library.entries().engine;
  return {static_cast<IoMode>(call<std::int32_t>(engine, entry.tensor_mode, name)),
          static_cast<Location>(call<std::int32_t>(engine, entry.tensor_location, name)),
          call<std::int32_t>(engine, entry.tensor_type, name), call<std::int32_t>(engine, entry.tensor_format, name),
          call<Dims>(engine, entry.tensor_shape, name)};
}

bool possible(const RawTensor& tensor) {
  return (tensor.mode == IoMode::input || tensor.mode == IoMode::output) &&
         (tensor.location == Location::device || tensor.location == Location::host) && tensor.type >= 0 &&
         tensor.type < kTypeCount && tensor.dims.rank >= -1 && tensor.dims.rank <= kMaxRank;
}

TensorDescription describe(std::string name, const RawTensor& tensor) {
  return {std::move(name),
          tensor.type == kFloat32   ? ElementType::float32
          : tensor.type == kFloat16 ? ElementType::float16
                                    : ElementType::other,
          kTypeNames[tensor.type], shape_of(tensor.dims)};
}

}  // namespace

EngineTensors read_tensors(const Library& library, void* engine, const std::string& file) {
  const auto count = call<std::int32_t>(engine, library.entries().engine.tensor_count);
  if (count < 1 || count > kMostTensors) throw_mismatch("engine", "it claims " + std::to_string(count) + " tensors");
  EngineTensors tensors;
  for (std::int32_t index = 0; index < count; ++index) {
    std::string name = tensor_name(library, engine, index);
    const RawTensor tensor = ask(library, engine, name.c_str());
    if (!possible(tensor)) throw_mismatch("engine", "tensor '" + name + "' has impossible properties");
    const std::string what = file + ": tensor '" + name + "' ";
    if (tensor.location == Location::host) {
      throw ModelError(what + "lives in host memory: rebuild the engine with all inputs and outputs on the device");
    }
    if (tensor.format != kLinearFormat) {
      throw ModelError(what + "has a vectorised memory format: rebuild the engine with linear inputs and outputs");
    }
    auto& side = tensor.mode == IoMode::input ? tensors.inputs : tensors.outputs;
    side.push_back(describe(std::move(name), tensor));
  }
  return tensors;
}

std::array<int, 3> profile_batches(const Library& library, void* engine, const ModelContract& contract,
                                   const std::string& file) {
  std::array<int, 3> batches{};
  const std::vector<std::int64_t> image{3, contract.network_size.height, contract.network_size.width};
  for (const ProfileBound bound : {ProfileBound::min, ProfileBound::opt, ProfileBound::max}) {
    const auto number = static_cast<std::int32_t>(bound);
    const std::vector<std::int64_t> shape = shape_of(
        call<Dims>(engine, library.entries().engine.profile_shape, contract.input.c_str(), std::int32_t{0}, number));
    const bool fits = shape.size() == 4 && std::equal(image.begin(), image.end(), shape.begin() + 1);
    if (!fits || shape[0] < 1 || shape[0] > kMostImages)
      throw ModelError(file + ": its first profile takes inputs of " + text(shape) + ", not of 1.." +
                       std::to_string(kMostImages) + " images of 3 x " + std::to_string(image[1]) + " x " +
                       std::to_string(image[2]) + ": build the engine again with a profile for them");
    batches[static_cast<std::size_t>(number)] = static_cast<int>(shape[0]);
  }
  if (batches[0] > batches[1] || batches[1] > batches[2])
    throw_mismatch("engine", "its first profile takes from " + std::to_string(batches[0]) + " to " +
                                 std::to_string(batches[2]) + " images, at best " + std::to_string(batches[1]));
  return batches;
}

void set_batch(const Library& library, void* context, const ModelContract& contract, int images,
               const std::string& file) {
  const Dims shape{4, {images, 3, contract.network_size.height, contract.network_size.width}};
  library.log().take_errors();
  const ContextEntries& entry = library.entries().context;
  if (!call<bool>(context, entry.set_input_shape, contract.input.c_str(), &shape))
    throw BackendError(file + ": TensorRT refuses inputs of " + text(shape_of(shape)) + ": " +
                       library.log().take_errors());
  const auto missing =
      call<std::int32_t>(context, entry.infer_shapes, std::int32_t{0}, static_cast<const char**>(nullptr));
  if (missing != 0)
    throw BackendError(file + ": its shapes for " + std::to_string(images) +
                       " images cannot be inferred: " + library.log().take_errors());
}

std::vector<std::int64_t> context_shape(const Library& library, void* context, const std::string& tensor) {
  return shape_of(call<Dims>(context, library.entries().context.tensor_shape, tensor.c_str()));
}

}  // namespace rfseg::network::tensorrt
