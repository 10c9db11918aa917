// The CUDA stand-in's state and its control panel. The entry points are in stand_in_cuda_objects.cpp and
// stand_in_cuda_work.cpp.
#include "stand_ins/stand_in_cuda_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stand_in {

State& state() {
  static State state;
  return state;
}

std::vector<ContextHandle>& current() {
  thread_local std::vector<ContextHandle> contexts;
  return contexts;
}

int& capture_mode() {
  thread_local int mode = 0;
  return mode;
}

void misuse(const std::string& what) { state().misuses.push_back(what); }

int enter(const char* symbol) {
  State& s = state();
  const int number = ++s.calls[symbol];
  // Asking for an error's text touches no context, and guards restore what was current.
  const bool always = std::strncmp(symbol, "cuGetError", 10) == 0 || std::strncmp(symbol, "cuCtx", 5) == 0;
  if (s.lost != 0 && !always) return s.lost;
  auto& planned = s.failures[symbol];
  const auto found = planned.find(number);
  if (found == planned.end()) return 0;
  const int code = found->second;
  planned.erase(found);
  return code;
}

int no_context(const char* symbol) {
  if (!current().empty()) return 0;
  misuse(std::string(symbol) + " without a current context");
  return kInvalidContext;
}

bool is(const void* object, const char* kind, const char* symbol) {
  const auto found = state().kinds.find(object);
  if (found != state().kinds.end() && found->second == kind) return true;
  misuse(std::string(symbol) + " given what is no " + kind);
  return false;
}

void step(Queue& stream) {
  Item item = std::move(stream.items.front());
  stream.items.pop_front();
  const Mark* const mark = item.waits_for.get();
  while (mark != nullptr && !mark->done && mark->stream != nullptr && !mark->stream->items.empty()) step(*mark->stream);
  state().clock_ms += 1;
  if (item.work) item.work();
}

int queue_work(Queue* stream, Work work, std::shared_ptr<Mark> waits_for) {
  if (stream->captured) {
    stream->captured->push_back(std::move(work));
    return 0;
  }
  stream->items.push_back({std::move(work), std::move(waits_for)});
  return 0;
}

int forbidden_while_capturing() {
  bool capturing = false;
  for (auto& [stream, owned] : state().streams) {
    if (!stream->captured || stream->capturing != std::this_thread::get_id()) continue;
    stream->invalidated = true;
    capturing = true;
  }
  return capturing ? kCaptureUnsupported : 0;
}

std::map<const void*, Block>::iterator block_around(const void* address, std::size_t bytes) {
  auto& memory = state().memory;
  const auto after = memory.upper_bound(address);
  if (after == memory.begin()) return memory.end();
  const auto found = std::prev(after);
  const auto offset =
      static_cast<std::size_t>(static_cast<const char*>(address) - static_cast<const char*>(found->first));
  const std::size_t size = found->second.bytes;
  return offset < size && bytes <= size - offset ? found : memory.end();
}

namespace {

class Control final : public Cuda {
 public:
  void reset() override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    State& s = state();
    s.devices = {{9, 0}};
    s.calls.clear(), s.failures.clear(), s.kernels.clear(), s.refused.clear(), s.misuses.clear(), s.images.clear();
    s.launches.clear(), s.retained.clear(), s.kinds.clear(), s.streams.clear(), s.events.clear(), s.memory.clear();
    s.modules.clear(), s.graphs.clear();
    s.lost = 0, s.not_ready = 0;
    current().clear();
    stand_in::capture_mode() = 0;
  }
  void set_devices(std::vector<std::pair<int, int>> devices) override { state().devices = std::move(devices); }
  void set_kernel(const std::string& entry, KernelModel model) override { state().kernels[entry] = std::move(model); }
  void refuse_images(const std::string& prefix) override { state().refused.push_back(prefix); }
  void fail(const std::string& symbol, int nth, int code) override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    state().failures[symbol][state().calls[symbol] + nth] = code;
  }
  void lose_context(int code) override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    state().lost = code;
    for (auto& [stream, owned] : state().streams) stream->items.clear();
  }
  bool failures_pending() const override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    const auto& all = state().failures;
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return !one.second.empty(); });
  }
  int calls(const std::string& symbol) const override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    return state().calls[symbol];
  }
  std::map<std::string, int> live() const override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    std::map<std::string, int> counts;
    for (const auto& [object, kind] : state().kinds) ++counts[kind];
    for (const auto& [device, times] : state().retained) {
      if (times != 0) counts["context"] += times;
    }
    return counts;
  }
  std::vector<std::string> misuses() const override { return state().misuses; }
  std::vector<Launch> launches() const override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    return state().launches;
  }
  std::vector<std::string> images() const override { return state().images; }
  int context_depth() const override { return static_cast<int>(current().size()); }
  int capture_mode() const override { return stand_in::capture_mode(); }
  void keep_busy(int answers) override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    state().not_ready = answers;
  }
  int enqueue(void* stream, std::function<void()> work) override {
    const std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (!is(stream, "stream", "work of another library")) return kInvalidHandle;
    return queue_work(static_cast<Queue*>(stream), std::move(work));
  }
};

}  // namespace
}  // namespace stand_in

extern "C" stand_in::Cuda* stand_in_cuda() {
  static stand_in::Control control;
  return &control;
}
