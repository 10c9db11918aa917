// ONNX Runtime's C interface without its header: the opaque types, the enum values and the slots of the function table
// that this library uses. Owns finding the library and refusing one that does not fit; knows no model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>

namespace rfseg::network::onnx {

struct Allocator;
struct Env;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct TypeInfo;
struct Value;

enum class Severity : std::int32_t { verbose = 0, info = 1, warning = 2, error = 3, fatal = 4 };
enum class Optimisation : std::int32_t { all = 99 };
enum class ExecutionMode : std::int32_t { sequential = 0 };
enum class Element : std::int32_t { float32 = 1, float16 = 10 };
enum class AllocatorKind : std::int32_t { arena = 1 };
enum class MemoryKind : std::int32_t { standard = 0 };
enum class ErrorCode : std::int32_t { invalid_protobuf = 7 };

/// Called from any thread.
using LogFunction = void (*)(void* param, Severity, const char* category, const char* log_id, const char* location,
                             const char* message);

/// The function pointers of the library, by position. Positions never change within release 1.x.
class SlotTable {
 public:
  explicit SlotTable(const void* first) : first_(static_cast<const std::byte*>(first)) {}

  class Entry {
   public:
    explicit Entry(const std::byte* address) : address_(address) {}
    template <class Function, class = std::enable_if_t<std::is_function_v<Function>>>
    operator Function*() const {
      Function* function = nullptr;
      std::memcpy(&function, address_, sizeof function);
      return function;
    }

   private:
    const std::byte* address_;
  };

  Entry operator[](std::size_t slot) const { return Entry(first_ + slot * sizeof(void*)); }

 private:
  const std::byte* first_;
};

/// What is used of the table. A function that returns a Status succeeded when it is null; the caller releases it.
/// The last parameter of a function that makes something is where it goes. Every slot exists since API version 17.
/// Source: onnxruntime_c_api.h (MIT), API versions 14 to 29.
struct Api {
  explicit Api(SlotTable table) : at(table) {}
  SlotTable at;

  ErrorCode (*get_error_code)(const Status*) = at[1];
  const char* (*get_error_message)(const Status*) = at[2];
  void (*release_status)(Status*) = at[93];

  Status* (*create_env_with_custom_logger)(LogFunction, void* param, Severity, const char* log_id, Env**) = at[4];
  void (*release_env)(Env*) = at[92];

  Status* (*create_session_options)(SessionOptions**) = at[10];
  Status* (*set_session_execution_mode)(SessionOptions*, ExecutionMode) = at[13];
  Status* (*set_session_log_severity_level)(SessionOptions*, int) = at[22];
  Status* (*set_session_graph_optimization_level)(SessionOptions*, Optimisation) = at[23];
  Status* (*set_intra_op_num_threads)(SessionOptions*, int) = at[24];
  Status* (*set_inter_op_num_threads)(SessionOptions*, int) = at[25];
  Status* (*add_session_config_entry)(SessionOptions*, const char* key, const char* value) = at[130];
  Status* (*set_user_logging_function)(SessionOptions*, LogFunction, void* param) = at[266];
  void (*release_session_options)(SessionOptions*) = at[100];

  Status* (*create_session)(const Env*, const char* path, const SessionOptions*, Session**) = at[7];
  Status* (*run)(Session*, const RunOptions*, const char* const* input_names, const Value* const* inputs,
                 std::size_t input_count, const char* const* output_names, std::size_t output_count,
                 Value** outputs) = at[9];
  Status* (*session_get_input_count)(const Session*, std::size_t*) = at[30];
  Status* (*session_get_output_count)(const Session*, std::size_t*) = at[31];
  Status* (*session_get_input_type_info)(const Session*, std::size_t, TypeInfo**) = at[33];
  Status* (*session_get_output_type_info)(const Session*, std::size_t, TypeInfo**) = at[34];
  Status* (*session_get_input_name)(const Session*, std::size_t, Allocator*, char**) = at[36];
  Status* (*session_get_output_name)(const Session*, std::size_t, Allocator*, char**) = at[37];
  void (*release_session)(Session*) = at[95];

  Status* (*create_cpu_memory_info)(AllocatorKind, MemoryKind, MemoryInfo**) = at[69];
  void (*release_memory_info)(MemoryInfo*) = at[94];
  /// The value neither copies nor owns `data`.
  Status* (*create_tensor_with_data)(const MemoryInfo*, void* data, std::size_t bytes, const std::int64_t* shape,
                                     std::size_t rank, Element, Value**) = at[49];
  void (*release_value)(Value*) = at[96];
  Status* (*get_tensor_mutable_data)(Value*, void**) = at[51];

  /// The result is owned by the TypeInfo, and null when it is no tensor's.
  Status* (*cast_type_info_to_tensor_info)(const TypeInfo*, const TensorInfo**) = at[55];
  void (*release_type_info)(TypeInfo*) = at[98];
  Status* (*get_tensor_type_and_shape)(const Value*, TensorInfo**) = at[65];
  Status* (*get_tensor_element_type)(const TensorInfo*, Element*) = at[60];
  Status* (*get_dimensions_count)(const TensorInfo*, std::size_t*) = at[61];
  Status* (*get_dimensions)(const TensorInfo*, std::int64_t*, std::size_t) = at[62];
  void (*release_tensor_info)(TensorInfo*) = at[99];

  /// The allocator is shared and never released.
  Status* (*get_allocator_with_default_options)(Allocator**) = at[78];
  Status* (*allocator_free)(Allocator*, void*) = at[76];
};

/// A library that was opened. It stays mapped until the program ends: its threads and statics outlive a dlclose.
struct Library {
  Api api;
  std::string version;  ///< "1.23.2"
  std::string path;     ///< of the file that was mapped
};

/// Switches the library's telemetry off, unless ORT_DISABLE_TELEMETRY is set already, and opens it: `path`, or when
/// that is empty RFSEG_ONNXRUNTIME, or when that is empty too what the loader finds.
/// @throws BackendError  names each library tried and why it was refused
Library open_library(const std::string& path);

/// The first line of a message of the library, without its source paths.
std::string one_line(std::string text);

/// What `status` says, as one_line(). Releases it.
std::string take_message(const Api& api, Status* status);

/// @throws BackendError  unless `status` is null. `what` failed, for the message
void check(const Api& api, Status* status, const char* what);

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

/// What `create(arguments..., &made)` makes, released by `release`.
/// @throws BackendError  as check()
template <class T, class Create, class... Arguments>
Owned<T> make(const Api& api, const char* what, void (*release)(T*), Create create, Arguments... arguments) {
  T* made = nullptr;
  check(api, create(arguments..., &made), what);
  return Owned<T>(made, release);
}

}  // namespace rfseg::network::onnx
