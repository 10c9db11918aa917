// The TensorRT stand-in's objects: two words each, and tables of plain functions, numbered as in the majors 10 and 11.
// Every entry that the library must not call reports itself.
#include "stand_ins/stand_in_tensorrt_state.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace stand_in {
namespace {

Object* object_of(void* implementation) { return static_cast<Implementation*>(implementation)->self; }

template <class Function>
const void* code(Function function) {
  const void* address = nullptr;
  std::memcpy(&address, &function, sizeof address);
  return address;
}

template <int kEntry>
void* unexpected(void*) {
  state().misuses.push_back("entry " + std::to_string(kEntry) + " was called");
  return nullptr;
}

template <std::size_t... kEntry>
Table unexpected_table(std::index_sequence<kEntry...>) {
  return {code(&unexpected<static_cast<int>(kEntry)>)...};
}

void complete_destructor(void*) { state().misuses.push_back("an object was destroyed without its memory"); }

void deleting_destructor(void* object) {
  auto& objects = state().objects;
  const auto found = objects.find(static_cast<Object*>(object));
  if (found == objects.end()) {
    state().misuses.push_back("what is no object was destroyed");
    return;
  }
  for (const auto& [other, owned] : objects) {
    if (other->parent == object)
      state().misuses.push_back(std::string(other->kind) + " outlives its " + found->first->kind);
  }
  objects.erase(found);
}

void* get_self(void* implementation) { return object_of(implementation); }
void* get_another(void*) { return state().objects.begin()->second->implementation; }
bool wrong_self(const char* kind) {
  return is(Misbehaviour::wrong_self) || (is(Misbehaviour::wrapped_engine) && std::strcmp(kind, "engine") == 0);
}

// --- runtime

void* deserialize(void* self, const void* plan, std::size_t bytes) {
  if (plan == nullptr || bytes == 0) state().misuses.push_back("an empty plan");
  if (state().engine_code_required && !state().engine_code_allowed) {
    speak(1, "the plan needs code of its own, which is not allowed");
    return failure();
  }
  if (is(Misbehaviour::plan_rejected)) {
    speak(1, "Version tag does not match. Note: Current Version: 240, Serialized Engine Version: 239");
    speak(1, "Engine deserialization failed.");
    speak(2, "only a warning");
  }
  if (is(Misbehaviour::plan_rejected) || is(Misbehaviour::plan_rejected_silently)) return failure();
  if (fails("deserializeCudaEngine")) return failure();
  return make("engine", state().engine, object_of(self));
}
void* get_logger(void*) {
  static struct { const void* const* table; } other{state().destructors.data()};
  if (is(Misbehaviour::lost_logger)) return nullptr;
  return is(Misbehaviour::foreign_logger) ? static_cast<void*>(&other) : state().logger;
}
bool set_max_threads(void*, std::int32_t threads) {
  state().threads = is(Misbehaviour::lost_thread_limit) ? 8 : threads;
  return true;
}
std::int32_t get_max_threads(void*) { return state().threads; }
void set_engine_code(void*, bool allowed) { state().engine_code_allowed = allowed; }
bool get_engine_code(void*) { return state().engine_code_allowed != is(Misbehaviour::lost_engine_code_switch); }

// --- engine

const TensorModel& tensor(const char* name) {
  for (const TensorModel& tensor : state().tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("the stand-in has no such tensor");
}
Dims dims_of(const std::vector<std::int64_t>& shape) {
  Dims dims{static_cast<std::int32_t>(shape.size()), {}};
  std::copy(shape.begin(), shape.end(), dims.extent);
  return dims;
}
void* create_context(void* self, std::int32_t strategy) {
  if (is(Misbehaviour::no_context)) {
    speak(0, "out of memory on the device");
    return failure();
  }
  if (fails("createExecutionContext")) return failure();
  if (strategy != 0 && strategy != 2) state().misuses.push_back("an unexpected memory strategy");
  return make("context", state().context, object_of(self));
}
std::int32_t tensor_count(void*) {
  if (fails("getNbIOTensors")) return 0;
  return is(Misbehaviour::too_many_tensors) ? 5000 : static_cast<std::int32_t>(state().tensors.size());
}
const char* tensor_name(void*, std::int32_t index) {
  if (fails("getIOTensorName")) return nullptr;
  return is(Misbehaviour::nameless_tensor) ? "" : state().tensors.at(static_cast<std::size_t>(index)).name.c_str();
}
Dims engine_shape(void*, const char* name) {
  Dims dims = dims_of(tensor(name).shape);
  dims.rank = fails("getTensorShape") ? -1 : tensor(name).rank.value_or(dims.rank);
  return dims;
}
std::int32_t tensor_type(void*, const char* name) { return tensor(name).type; }
std::int32_t tensor_location(void*, const char* name) { return tensor(name).location; }
std::int32_t tensor_mode(void*, const char* name) {
  if (fails("getTensorIOMode")) return 0;
  return tensor(name).mode.value_or(tensor(name).input ? 1 : 2);
}
std::int32_t tensor_format(void*, const char* name) { return tensor(name).format; }
Dims profile_shape(void*, const char* name, std::int32_t profile, std::int32_t bound) {
  Dims dims = dims_of(tensor(name).shape);
  if (profile != 0) state().misuses.push_back("another profile");
  dims.extent[0] = state().profile.at(static_cast<std::size_t>(bound));
  if (fails("getProfileShape")) dims.rank = -1;
  return dims;
}
std::int64_t memory_bytes(void*) { return std::int64_t{5} << 32; }

// --- context

void* get_engine(void* self) {
  Object* const engine = object_of(self)->parent;
  return is(Misbehaviour::another_engine) ? engine->parent : engine;
}
bool set_input_shape(void* self, const char* name, const Dims* dims) {
  if (is(Misbehaviour::shape_refused)) {
    speak(1, "the shape is outside of the profile");
    return false;
  }
  if (fails("setInputShape")) return false;
  object_of(self)->shapes[name] = *dims;
  return dims->rank == 4 && dims->extent[0] >= state().profile[0] && dims->extent[0] <= state().profile[2];
}
std::int32_t infer_shapes(void*, std::int32_t, const char**) {
  return is(Misbehaviour::shapes_not_inferred) || fails("inferShapes") ? -1 : 0;
}
Dims context_shape(void* self, const char* name) {
  const TensorModel& model = tensor(name);
  Dims dims = dims_of(model.known_shape.empty() ? model.shape : model.known_shape);
  const auto& shapes = object_of(self)->shapes;
  if (!shapes.empty()) dims.extent[0] = shapes.begin()->second.extent[0];
  if (fails("context.getTensorShape")) dims.rank = -1;
  return dims;
}
bool set_address(void* self, const char* name, void* address) {
  if (is(Misbehaviour::address_refused) || fails("setTensorAddress")) return false;
  object_of(self)->addresses[name] = address;
  return true;
}
bool enqueue(void* self, void* stream) {
  Object& context = *object_of(self);
  if (is(Misbehaviour::enqueue_fails)) {
    speak(1, "the kernel did not start");
    return false;
  }
  if (fails("enqueueV3")) return false;
  if (context.addresses.size() != state().tensors.size()) state().misuses.push_back("a tensor without address");
  if (!state().queue) return true;
  const auto input =
      std::find_if(state().tensors.begin(), state().tensors.end(), [](const auto& t) { return t.input; });
  const auto known = context.shapes.find(input->name);
  const std::int64_t images = known == context.shapes.end() ? input->shape[0] : known->second.extent[0];
  if (images < 1) state().misuses.push_back("a context runs before its batch is set");
  return state().queue(stream, [addresses = context.addresses, images] {
    state().work(addresses, static_cast<int>(images));
  }) == 0;
}

using Row = std::pair<std::array<int, 2>, const void*>;  // entry in 10, entry in 11

void lay(Table& table, const std::vector<Row>& rows, bool is_short) {
  table = unexpected_table(std::make_index_sequence<kEntries>());
  for (const auto& [entry, address] : rows) table[static_cast<std::size_t>(entry[eleven() ? 1 : 0])] = address;
  if (is_short) std::fill(table.begin() + 20, table.end(), nullptr);
}

}  // namespace

const void* const* guard(bool locked) {
  static std::array<std::byte, std::size_t{1} << 18> room;  // a whole page lies in it, at least a page from its start
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(room.data()) / page + 2) * page;
  void* const address = reinterpret_cast<void*>(begin);
  if (mprotect(address, page, locked ? PROT_NONE : PROT_READ | PROT_WRITE) != 0) std::abort();
  return static_cast<const void* const*>(address);
}

void* make(const char* kind, const Table& methods, Object* parent) {
  auto object = std::make_unique<Object>();
  Object* const made = object.get();
  made->destructors = state().destructors.data();
  made->implementation = &made->inside;
  made->inside = {methods.data(), made};
  made->kind = kind;
  made->parent = parent;
  state().objects.emplace(made, std::move(object));
  return made;
}

void lay_tables() {
  State& s = state();
  guard(is(Misbehaviour::unreadable_table) || is(Misbehaviour::cut_methods));
  s.destructors = {code(&complete_destructor), code(&deleting_destructor)};
  if (is(Misbehaviour::data_as_destructor)) s.destructors[1] = &s;
  lay(s.runtime,
      {{{2, 2}, wrong_self("runtime") ? code(&get_another) : code(&get_self)},
       {{3, 3}, code(&deserialize)},
       {{11, 10}, code(&get_logger)},
       {{12, 11}, code(&set_max_threads)},
       {{13, 12}, code(&get_max_threads)},
       {{21, 20}, code(&set_engine_code)},
       {{22, 21}, code(&get_engine_code)}},
      is(Misbehaviour::short_runtime_table));
  lay(s.engine,
      {{{2, 2}, wrong_self("engine") ? code(&get_another) : code(&get_self)},
       {{5, 5}, code(&create_context)},
       {{19, 15}, code(&engine_shape)},
       {{20, 16}, code(&tensor_type)},
       {{21, 17}, code(&tensor_location)},
       {{23, 19}, code(&tensor_mode)},
       {{26, 22}, code(&tensor_format)},
       {{29, 25}, code(&profile_shape)},
       {{30, 26}, code(&tensor_count)},
       {{31, 27}, code(&tensor_name)},
       {{52, 44}, code(&memory_bytes)}},
      is(Misbehaviour::short_engine_table));
  lay(s.context,
      {{{2, 2}, code(&get_self)},
       {{7, 7}, code(&get_engine)},
       {{21, 20}, code(&set_input_shape)},
       {{22, 21}, code(&context_shape)},
       {{24, 23}, code(&set_address)},
       {{28, 27}, code(&infer_shapes)},
       {{37, 36}, code(&enqueue)}},
      is(Misbehaviour::short_context_table));
}

}  // namespace stand_in
