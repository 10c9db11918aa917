// One object of the TensorRT runtime: how its methods are called, how it ends, and the look that is taken at it before
// either. Knows the layout that all of them share, not what their methods do.
#pragma once

#include "network/tensorrt/abi.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace rfseg::network::tensorrt {

// clang-format off: a drawing
// object: +0 table of its two destructors
//         +8 implementation ------------> implementation: +0 table of the methods; entry `self` gives back the object
// clang-format on
inline void* word_at(const void* address, std::size_t index) {
  void* word;
  std::memcpy(&word, static_cast<const char*>(address) + index * sizeof word, sizeof word);
  return word;
}

/// Calls entry `entry` of the table that `self` begins with.
template <class Result, class... Args>
Result call_entry(void* self, int entry, Args... args) {
  Result (*method)(void*, Args...) = nullptr;
  void* const code = word_at(word_at(self, 0), static_cast<std::size_t>(entry));
  static_assert(sizeof method == sizeof code);
  std::memcpy(&method, &code, sizeof method);
  return method(self, args...);
}

/// Calls a method of a TensorRT object: the code expects the implementation, not the object.
template <class Result, class... Args>
Result call(void* object, int entry, Args... args) {
  return call_entry<Result, Args...>(word_at(object, 1), entry, args...);
}

/// The deleting destructor of the object itself; the library frees with its own operator delete.
struct DestroyObject {
  void operator()(void* object) const noexcept { call_entry<void>(object, 1); }
};

/// Owns one object. Contexts end before their engine, the engine before its runtime: the owner orders its members so.
using Object = std::unique_ptr<void, DestroyObject>;

/// False for what a failed creation returns.
inline bool is_object(const void* result) { return reinterpret_cast<std::uintptr_t>(result) >= kLowestObjectAddress; }

/// What check_object() expects.
struct ObjectLook {
  const char* what;            ///< for the message: "runtime"
  int self;                    ///< entry that gives back the object
  int last;                    ///< entries 0..last are code
  std::uintptr_t library = 0;  ///< load address of the library that holds the object's table; 0: any
};

/// Looks at an object before any method but `self` is called on it, without faulting whatever the address is. What
/// fails here is not destroyed: calling into it would be a guess. Returns "" or a finding that is odd but no proof of a
/// wrong interface: the implementation names another object as its own, as one wrapped by a plan's own runtime may.
/// @throws BackendError  the object does not have the expected layout
std::string check_object(void* object, const ObjectLook& look);

/// Throws the message of a failed interface check.
[[noreturn]] void throw_mismatch(const std::string& what, const std::string& reason);

/// True when `bytes` bytes at `address` can be read. At most 512.
bool readable(const void* address, std::size_t bytes);

/// Where the library that holds `address` is loaded; 0 when none does.
std::uintptr_t library_of(const void* address);

}  // namespace rfseg::network::tensorrt
