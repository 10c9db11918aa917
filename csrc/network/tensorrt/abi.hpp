// The binary interface of the TensorRT runtime, majors 10 (from 10.1) and 11, on Linux x86-64 and AArch64: plain data,
// enum values, and the entry numbers of the methods that this library calls. Knows no behaviour. Inside a major the
// numbers never moved; 11.0 closed the gaps that removed methods had left, hence two lists.
#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__))
#error "TensorRT is driven through the Itanium C++ ABI of Linux on x86-64 and AArch64"
#endif

namespace rfseg::network::tensorrt {

inline constexpr int kMaxRank = 8;

/// A shape. Passed by address, returned by value through a hidden pointer. rank -1: invalid; extent -1: open.
struct Dims {
  std::int32_t rank = 0;
  std::int64_t extent[kMaxRank] = {};
};
static_assert(sizeof(Dims) == 72 && alignof(Dims) == 8 && offsetof(Dims, extent) == 8, "TensorRT's Dims64");

/// What a versioned interface says it is: 16 bytes, returned in two registers.
struct InterfaceInfo {
  const char* kind;
  std::int32_t major;
  std::int32_t minor;
};
static_assert(sizeof(InterfaceInfo) == 16, "TensorRT's InterfaceInfo");

enum class Severity : std::int32_t { internal_error = 0, error = 1, warning = 2, info = 3, verbose = 4 };
enum class IoMode : std::int32_t { none = 0, input = 1, output = 2 };
enum class Location : std::int32_t { device = 0, host = 1 };

inline constexpr std::int32_t kLinearFormat = 0;
inline constexpr std::int32_t kFloat32 = 0;
inline constexpr std::int32_t kFloat16 = 1;
inline constexpr const char* kTypeNames[] = {"float32", "float16",  "int8",  "int32", "bool",     "uint8",
                                             "float8",  "bfloat16", "int64", "int4",  "float4e2", "e8m0"};
inline constexpr std::int32_t kTypeCount = 12;

enum class MemoryStrategy : std::int32_t { fixed = 0, on_profile_change = 1, user_managed = 2 };
enum class ProfileBound : std::int32_t { min = 0, opt = 1, max = 2 };

/// Entries of the implementation's method table. `last`: the highest that the oldest accepted version has.
struct RuntimeEntries {
  int self, deserialize, get_logger, set_max_threads, get_max_threads, set_host_code, get_host_code, last;
};
struct EngineEntries {
  int self, create_context, tensor_shape, tensor_type, tensor_location, tensor_mode, tensor_format, profile_shape,
      tensor_count, tensor_name, memory_bytes, last;
};
struct ContextEntries {
  int self, engine, set_input_shape, tensor_shape, set_address, infer_shapes, enqueue, last;
};

struct Entries {
  int major;
  std::int32_t oldest_version;  ///< as the library reports it: major * 10000 + minor * 100 + patch
  RuntimeEntries runtime;
  EngineEntries engine;
  ContextEntries context;
};

// 10.1 brought the 64-bit memory sizes.
inline constexpr Entries kEntries10{10,
                                    100100,
                                    {2, 3, 11, 12, 13, 21, 22, 22},
                                    {2, 5, 19, 20, 21, 23, 26, 29, 30, 31, 52, 53},
                                    {2, 7, 21, 22, 24, 28, 37, 49}};
inline constexpr Entries kEntries11{11,
                                    110000,
                                    {2, 3, 10, 11, 12, 20, 21, 22},
                                    {2, 5, 15, 16, 17, 19, 22, 25, 26, 27, 44, 50},
                                    {2, 7, 20, 21, 23, 27, 36, 52}};

/// Results below this are no objects: a failed creation returns an offset (0x228, 0x238), not null.
inline constexpr std::uintptr_t kLowestObjectAddress = 65536;

/// Addresses bound to tensors are multiples of this.
inline constexpr std::uint64_t kTensorAlignment = 256;

/// The logger as major 10 calls it: 0 log, 1 and 2 destructors. Any thread; outlives everything made with it.
class Logger10 {
 public:
  virtual void log(std::int32_t severity, const char* text) noexcept = 0;
  virtual ~Logger10() = default;
};

/// The logger as major 11 calls it: 0 language, 1 interface, 2 and 3 destructors, 4 log.
class Logger11 {
 public:
  virtual std::int32_t language() const noexcept { return 0; }
  virtual InterfaceInfo interface_info() const noexcept { return {"ILogger", 1, 0}; }
  virtual ~Logger11() = default;
  virtual void log(std::int32_t severity, const char* text) noexcept = 0;
};

}  // namespace rfseg::network::tensorrt
