// A library with ONNX Runtime's entry point that fails on purpose. The environment variable RFSEG_STAND_IN says how:
// "old", "next", "no_table", "no_session", "no_run", "logs", or nothing (every call succeeds); stand_in_fail_call()
// lets one call fail. Owns a count of the objects that were made and not released. Its slot numbers are written here
// again, not taken from the library's code.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

using Log = void (*)(void* param, int severity, const char* category, const char* id, const char* place,
                     const char* text);

struct Object {
  int tensor = 0;  ///< of an output: which one
};
struct Status {
  int code;
  const char* message;
};

std::atomic<int> live_objects{0};
Log session_log = nullptr;
void* session_log_param = nullptr;

bool mode(const char* wanted) {
  const char* chosen = std::getenv("RFSEG_STAND_IN");
  return chosen != nullptr && std::strcmp(chosen, wanted) == 0;
}

template <class T>
T* made(T* object) {
  ++live_objects;
  return object;
}

template <class T>
void release(T* object) {
  if (object != nullptr) --live_objects;
  delete object;
}

Status* fail(int code, const char* message) { return made(new Status{code, message}); }
Status* succeed() { return nullptr; }

int calls = 0, fails_at = 0;

/// The function, which fails when it is its turn.
template <auto kFunction>
struct Fallible;
template <class... Args, Status* (*kFunction)(Args...)>
struct Fallible<kFunction> {
  static Status* call(Args... args) { return ++calls == fails_at ? fail(1, "a planned failure") : kFunction(args...); }
};

Status* make_object(Object** result) {
  *result = made(new Object);
  return nullptr;
}

Status* create_env(Log, void*, int, const char*, Object** result) { return make_object(result); }
Status* get_memory_info(int, int, Object** result) { return make_object(result); }
Status* create_tensor(const Object*, void*, std::size_t, const std::int64_t*, std::size_t, int, Object** result) {
  return make_object(result);
}

Status* set_logger(Object*, Log log, void* param) {
  session_log = log;
  session_log_param = param;
  return nullptr;
}

Status* create_session(const Object*, const char*, const Object*, Object** result) {
  if (mode("logs"))
    session_log(session_log_param, 2, "onnxruntime", "", "/src/graph.cc:7", "a warning\nits second line");
  if (mode("no_session"))
    return fail(1,
                "Load model from tiny.onnx failed:/src/core/model.cc:12 void Model::Load(std::function<int (int)>, "
                "bool) the graph is too large\n\n");
  return make_object(result);
}

Status* run(Object*, const Object*, const char* const*, const Object* const*, std::size_t, const char* const*,
            std::size_t count, Object** outputs) {
  if (mode("no_run"))
    return fail(6, "Got invalid dimensions for input: input\n index: 2 Got: 8\n Please fix the model.");
  for (std::size_t i = 0; i < count; ++i)
    if (outputs[i] == nullptr) outputs[i] = made(new Object{static_cast<int>(i) + 1});
  return nullptr;
}

// The tensors of the contract, fixed: input 0 and outputs 0..2. A type info is the address of its tensor.
struct Tensor {
  const char* name;
  std::size_t rank;
  std::int64_t shape[4];
};
Tensor tensors[] = {
    {"input", 4, {1, 3, 8, 8}}, {"dets", 3, {1, 5, 4, 0}}, {"labels", 3, {1, 5, 3, 0}}, {"masks", 4, {1, 5, 2, 2}}};

Status* input_count(const Object*, std::size_t* count) { return *count = 1, nullptr; }
Status* output_count(const Object*, std::size_t* count) { return *count = 3, nullptr; }
Status* input_type(const Object*, std::size_t, Tensor** result) {
  return *result = made(new Tensor(tensors[0])), nullptr;
}
Status* output_type(const Object*, std::size_t index, Tensor** result) {
  return *result = made(new Tensor(tensors[index + 1])), nullptr;
}
Status* name_of(const Tensor& tensor, char** result) { return *result = made(strdup(tensor.name)), nullptr; }
Status* input_name(const Object*, std::size_t, void*, char** result) { return name_of(tensors[0], result); }
Status* output_name(const Object*, std::size_t index, void*, char** result) {
  return name_of(tensors[index + 1], result);
}
Status* tensor_info(const Tensor* type, const Tensor** result) { return *result = type, nullptr; }
Status* element_type(const Tensor*, int* result) { return *result = 1, nullptr; }
Status* rank_of(const Tensor* tensor, std::size_t* rank) { return *rank = tensor->rank, nullptr; }
Status* shape_of(const Tensor* tensor, std::int64_t* shape, std::size_t rank) {
  return std::memcpy(shape, tensor->shape, rank * sizeof *shape), nullptr;
}
Status* value_info(const Object* value, Tensor** result) {
  return *result = made(new Tensor(tensors[value->tensor])), nullptr;
}
Status* value_data(Object*, void** result) {
  static float zeros[64] = {};
  return *result = zeros, nullptr;
}
Status* allocator(void** result) { return *result = nullptr, nullptr; }
Status* free_text(void*, void* text) {
  --live_objects;
  std::free(text);
  return nullptr;
}
int code_of(const Status* status) { return status->code; }
const char* message_of(const Status* status) { return status->message; }

struct Table {
  const void* slots[300];
  template <class Function>
  void set(std::size_t slot, Function* function) {
    std::memcpy(&slots[slot], &function, sizeof function);
  }
  template <auto kFunction>
  void fallible(std::size_t slot) {
    set(slot, &Fallible<kFunction>::call);
  }
  Table() {
    for (std::size_t i = 0; i < 300; ++i) fallible<&succeed>(i);
    set(1, &code_of), set(2, &message_of);
    fallible<&create_env>(4), fallible<&create_session>(7), fallible<&run>(9), fallible<&make_object>(10);
    fallible<&input_count>(30), fallible<&output_count>(31), fallible<&input_type>(33), fallible<&output_type>(34);
    fallible<&input_name>(36), fallible<&output_name>(37), fallible<&create_tensor>(49), fallible<&value_data>(51);
    fallible<&tensor_info>(55), fallible<&element_type>(60), fallible<&rank_of>(61), fallible<&shape_of>(62);
    fallible<&value_info>(65), fallible<&get_memory_info>(69), fallible<&allocator>(78), fallible<&set_logger>(266);
    set(76, &free_text);
    for (const std::size_t slot : {92, 94, 95, 96, 100}) set(slot, &release<Object>);
    set(93, &release<Status>), set(98, &release<Tensor>), set(99, &release<Tensor>);
  }
};

const void* get_api(std::uint32_t) {
  static const Table table;
  return mode("no_table") ? nullptr : table.slots;
}

const char* get_version() { return mode("old") ? "1.18.0" : mode("next") ? "2.0.0" : "1.19.0"; }

struct Base {
  const void* (*get_api)(std::uint32_t);
  const char* (*get_version)();
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const Base* OrtGetApiBase() {
  static const Base base{&get_api, &get_version};
  return &base;
}

extern "C" __attribute__((visibility("default"))) int stand_in_live_objects() { return live_objects; }

/// The n-th call from here on fails, counted from 1, of those that return a Status; 0: none does.
extern "C" __attribute__((visibility("default"))) void stand_in_fail_call(int nth) { calls = 0, fails_at = nth; }
extern "C" __attribute__((visibility("default"))) int stand_in_calls() { return calls; }
