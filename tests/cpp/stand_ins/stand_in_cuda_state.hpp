// The inside of the CUDA stand-in: its objects, and what every entry point does first. Not for tests.
#pragma once

#include "stand_ins/stand_in_cuda.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <thread>

// The entry points, declared with the library's own prototypes: a definition that differs does not compile.
#define STAND_IN_DECLARE(symbol, ...) extern "C" rfseg::cuda::ResultCode symbol(__VA_ARGS__);
namespace rfseg::cuda {
RFSEG_CUDA_DRIVER_CALLS(STAND_IN_DECLARE)
}
#undef STAND_IN_DECLARE

namespace stand_in {

using namespace rfseg::cuda;

using Work = std::function<void()>;

inline constexpr int kInvalidValue = 1, kInvalidImage = 200, kInvalidContext = 201, kNoBinary = 209,
                     kInvalidHandle = 400;
inline constexpr int kNotFound = 500, kNotReady = 600, kCaptureUnsupported = 900, kCaptureInvalidated = 901,
                     kCapturedEvent = 907;

struct Mark {
  bool done = true;
  double at_ms = 0;
  struct Queue* stream = nullptr;  // where it will be reached
};

struct Item {
  Work work;
  std::shared_ptr<Mark> waits_for;
};

struct Queue {
  std::deque<Item> items;
  std::shared_ptr<std::vector<Work>> captured;  // while a capture is open
  std::thread::id capturing;                    // the thread that opened it
  bool invalidated = false;
};

struct EventState {
  bool timed = false;
  std::shared_ptr<Mark> mark = std::make_shared<Mark>();
};

struct Function {
  std::string entry;
  const void* image;
};

struct Block {
  std::vector<std::byte> storage;
  std::size_t bytes = 0;
  int ordinal = 0;  // of the device that was current
};

struct State {
  mutable std::recursive_mutex lock;
  std::vector<std::pair<int, int>> devices{{9, 0}};
  std::map<std::string, int> calls;
  std::map<std::string, std::map<int, int>> failures;  // symbol -> call number -> code
  std::map<std::string, stand_in::KernelModel> kernels;
  std::vector<std::string> refused, misuses, images;
  std::vector<stand_in::Launch> launches;
  std::map<DeviceHandle, int> retained;
  std::map<const void*, std::string> kinds;  // every live object
  std::map<Queue*, std::unique_ptr<Queue>> streams;
  std::map<EventState*, std::unique_ptr<EventState>> events;
  std::map<const void*, Block> memory;  // device and pinned
  std::map<void*, std::vector<std::unique_ptr<Function>>> modules;
  std::map<void*, std::unique_ptr<std::vector<Work>>> graphs;
  double clock_ms = 0;
  int not_ready = 0;  // answers that are left for whoever asks whether work is done
  int lost = 0;       // what every call returns
};

State& state();
std::vector<ContextHandle>& current();  ///< contexts of this thread
int& capture_mode();                    ///< of this thread
void misuse(const std::string& what);

/// Counts the call; the code planned for it, or 0.
int enter(const char* symbol);
int no_context(const char* symbol);
/// True when `object` is a live object of that kind; a misuse otherwise.
bool is(const void* object, const char* kind, const char* symbol);
/// Runs the oldest item of a stream, and before it what that waits for elsewhere.
void step(Queue& stream);
int queue_work(Queue* stream, Work work, std::shared_ptr<Mark> waits_for = nullptr);
/// For calls that a capture opened by this thread forbids: breaks that capture, and says so.
int forbidden_while_capturing();
/// The block around `address`, or the end of the map.
std::map<const void*, Block>::iterator block_around(const void* address, std::size_t bytes);

inline Queue* queue_of(StreamHandle stream) { return reinterpret_cast<Queue*>(stream); }

#define ENTER(symbol)                                              \
  const std::lock_guard<std::recursive_mutex> guard(state().lock); \
  if (const int planned = enter(symbol)) return planned
#define ENTER_CURRENT(symbol) \
  ENTER(symbol);              \
  if (const int missing = no_context(symbol)) return missing

template <class Map>
int destroy(const char* symbol, const char* kind, Map& map, typename Map::key_type object) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const int code = enter(symbol);
  if (const int missing = no_context(symbol)) return missing;
  if (!is(reinterpret_cast<const void*>(object), kind, symbol)) return kInvalidHandle;
  state().kinds.erase(reinterpret_cast<const void*>(object));
  map.erase(object);
  return code;
}

}  // namespace stand_in
