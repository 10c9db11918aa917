// Opens a model file and reads what it says about itself. Why a file cannot be opened is said in plain words.
#include "network/onnx/session.hpp"

#include <rfseg/error.hpp>

#include <array>
#include <utility>

namespace rfseg::network::onnx {
namespace {

constexpr std::int64_t kOldestNewestOpset = 21;  // the newest one that the oldest supported library, 1.19, knows

/// `param`: the LogCallback of the network.
void forward_log(void* param, Severity severity, const char*, const char*, const char*, const char* message) try {
  const auto& log = *static_cast<const LogCallback*>(param);
  if (log) log(severity >= Severity::error ? LogLevel::error : LogLevel::warning, "ONNX Runtime: " + one_line(message));
} catch (...) {
  // Out of memory while a line is written: an exception must not pass through the library's frames.
}

Owned<SessionOptions> session_options(const Api& api, int threads, LogCallback* log) {
  constexpr const char* kWhat = "session options";
  auto options = make(api, kWhat, api.release_session_options, api.create_session_options);
  SessionOptions* raw = options.get();
  check(api, api.set_intra_op_num_threads(raw, threads), kWhat);
  check(api, api.set_inter_op_num_threads(raw, 1), kWhat);
  check(api, api.set_session_execution_mode(raw, ExecutionMode::sequential), kWhat);
  check(api, api.set_session_graph_optimization_level(raw, Optimisation::all), kWhat);
  check(api, api.set_session_log_severity_level(raw, static_cast<int>(Severity::warning)), kWhat);
  check(api, api.set_user_logging_function(raw, &forward_log, log), kWhat);
  // Waiting threads spin. On two cores with nothing else to do a streamed frame takes 52 ms so, and 65 ms when they
  // sleep, host work included. Beside busy neighbours sleeping would win: there, fewer threads are the cure
  // (Options::threads).
  check(api, api.add_session_config_entry(raw, "session.intra_op.allow_spinning", "1"), kWhat);
  return options;
}

void set_type(Element element, TensorDescription& tensor) {
  // By ONNX's numbers. Source: onnx.proto, TensorProto.DataType.
  constexpr std::array kNames = {"undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
                                 "int32",     "int64",   "string",    "bool",       "float16", "float64",
                                 "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  const auto number = static_cast<std::size_t>(element);
  tensor.type_name = number < kNames.size() ? kNames[number] : "type " + std::to_string(number);
  tensor.type = element == Element::float32   ? ElementType::float32
                : element == Element::float16 ? ElementType::float16
                                              : ElementType::other;
}

void set_shape(const Api& api, const TensorInfo* info, TensorDescription& tensor) {
  std::size_t rank = 0;
  check(api, api.get_dimensions_count(info, &rank), "rank of a tensor");
  tensor.shape.resize(rank);
  check(api, api.get_dimensions(info, tensor.shape.data(), rank), "shape of a tensor");
}

Allocator* default_allocator(const Api& api) {
  Allocator* allocator = nullptr;
  check(api, api.get_allocator_with_default_options(&allocator), "allocator");
  return allocator;
}

/// Copies and frees a text that the library allocated; "" for null.
std::string take_text(const Api& api, Allocator* allocator, char* text) {
  if (text == nullptr) return "";
  std::string copy = text;
  check(api, api.allocator_free(allocator, text), "freeing a text");
  return copy;
}

TensorDescription describe(const Api& api, std::string name, const TypeInfo* type) {
  TensorDescription tensor;
  tensor.name = std::move(name);
  const TensorInfo* info = nullptr;  // null for a sequence or a map
  check(api, api.cast_type_info_to_tensor_info(type, &info), "type of a tensor");
  if (info == nullptr) {
    tensor.type_name = "not a tensor";
    return tensor;
  }
  Element element{};
  check(api, api.get_tensor_element_type(info, &element), "element type of a tensor");
  set_type(element, tensor);
  set_shape(api, info, tensor);
  return tensor;
}

/// Inputs or outputs, whichever the three functions are of.
template <class Count, class Name, class Type>
std::vector<TensorDescription> describe_all(const Api& api, const Session* session, Count count_of, Name name_of,
                                            Type type_of) {
  Allocator* allocator = default_allocator(api);
  std::size_t count = 0;
  check(api, count_of(session, &count), "number of tensors");
  std::vector<TensorDescription> tensors;
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    check(api, name_of(session, i, allocator, &name), "name of a tensor");
    std::string text = take_text(api, allocator, name);
    const auto type = make(api, "type of a tensor", api.release_type_info, type_of, session, i);
    tensors.push_back(describe(api, std::move(text), type.get()));
  }
  return tensors;
}

/// What to do when a file is newer than the library, by what the library says about it. Opset 17 is rfdetr's default,
/// and older than every supported library.
std::string version_advice(const ModelFile& file, const Library& library, const std::string& message) {
  const bool versions = message.find("IR version") != std::string::npos || message.find("pset") != std::string::npos;
  if (!versions && file.opset <= kOldestNewestOpset) return "";
  return " (the file is of IR version " + std::to_string(file.ir_version) + " and opset " + std::to_string(file.opset) +
         "): install an onnxruntime newer than " + library.version + ", or export with opset_version=17";
}

}  // namespace

Owned<Session> open_session(const Library& library, const Env* env, const ModelFile& file, int threads,
                            LogCallback* log) {
  const Api& api = library.api;
  const auto options = session_options(api, threads, log);
  Session* made = nullptr;
  Status* status = api.create_session(env, file.path.c_str(), options.get(), &made);
  if (status == nullptr) return {made, api.release_session};
  const ErrorCode code = api.get_error_code(status);
  const std::string message = take_message(api, status);
  if (code == ErrorCode::invalid_protobuf)
    throw ModelError(file.path + " is damaged or cut short: export or download it again");
  throw ModelError(file.path + " cannot be loaded by ONNX Runtime " + library.version + ": " + message +
                   version_advice(file, library, message));
}

std::vector<TensorDescription> describe_inputs(const Api& api, const Session* session) {
  return describe_all(api, session, api.session_get_input_count, api.session_get_input_name,
                      api.session_get_input_type_info);
}

std::vector<TensorDescription> describe_outputs(const Api& api, const Session* session) {
  return describe_all(api, session, api.session_get_output_count, api.session_get_output_name,
                      api.session_get_output_type_info);
}

void update_shape(const Api& api, const Value* value, TensorDescription& tensor) {
  const auto info = make(api, "shape of an output", api.release_tensor_info, api.get_tensor_type_and_shape, value);
  set_shape(api, info.get(), tensor);
}

}  // namespace rfseg::network::onnx
