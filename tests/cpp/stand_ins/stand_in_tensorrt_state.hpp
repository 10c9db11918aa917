// The inside of the TensorRT stand-in: its objects and state. Not for tests.
#pragma once

#include "stand_ins/stand_in_tensorrt.hpp"

#include <array>
#include <cstddef>
#include <memory>

namespace stand_in {

inline constexpr std::size_t kEntries = 60;
using Table = std::array<const void*, kEntries>;

struct Dims {
  std::int32_t rank;
  std::int64_t extent[8];
};

struct Object;
struct Implementation {
  const void* const* methods;
  Object* self;
};
struct Object {
  const void* const* destructors;
  Implementation* implementation;
  Implementation inside;
  const char* kind;
  Object* parent;  // ends after this one
  std::map<std::string, void*> addresses;
  std::map<std::string, Dims> shapes;
};

struct State {
  std::int32_t version = 100600, version_argument = 0;
  Misbehaviour how = Misbehaviour::none;
  std::vector<TensorModel> tensors;
  std::function<int(void*, std::function<void()>)> queue;
  std::function<void(const std::map<std::string, void*>&, int)> work;
  std::array<std::int64_t, 3> profile{1, 2, 4};
  bool engine_code_required = false, engine_code_allowed = false;
  std::int32_t threads = 1;
  void* logger = nullptr;
  std::map<Object*, std::unique_ptr<Object>> objects;
  std::vector<std::string> misuses;
  std::map<std::string, int> calls;
  std::string failing;  // method, at this call of it
  int fails_at = 0;
  Table destructors{}, runtime{}, engine{}, context{};
};

State& state();
void speak(int severity, const char* text);

/// Counts a call of a method that may fail; true when it is to.
bool fails(const char* method);

inline bool eleven() { return state().version >= 110000; }
inline bool is(Misbehaviour how) { return state().how == how; }
inline void* failure() { return reinterpret_cast<void*>(std::uintptr_t{0x228}); }

void* make(const char* kind, const Table& methods, Object* parent);
/// A page of this library that can be read only when it is not `locked`.
const void* const* guard(bool locked);
/// Fills the tables for the version and the misbehaviour that are set.
void lay_tables();

}  // namespace stand_in
