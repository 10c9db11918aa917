// The TensorRT stand-in's entry points and control panel. Its objects are in stand_in_tensorrt_objects.cpp.
#include "stand_ins/stand_in_tensorrt_state.hpp"

#include <cstring>
#include <utility>

namespace stand_in {

State& state() {
  static State state;
  return state;
}

bool fails(const char* method) {
  const bool fails = ++state().calls[method] == state().fails_at && state().failing == method;
  if (fails) speak(1, "a planned failure");
  return fails;
}

void speak(int severity, const char* text) {
  void* const logger = state().logger;
  if (logger == nullptr) return;
  const void* const* const table = *static_cast<const void* const* const*>(logger);
  const void* const code = table[eleven() ? 4 : 0];
  void (*log)(void*, std::int32_t, const char*) = nullptr;
  std::memcpy(&log, &code, sizeof log);
  log(logger, severity, text);
}

namespace {

class Control final : public TensorRt {
 public:
  void reset() override {
    state() = State{};
    state().tensors = {{"input", true, 0, {1, 3, 16, 16}},
                       {"dets", false, 0, {1, 4, 4}},
                       {"labels", false, 0, {1, 4, 5}},
                       {"masks", false, 0, {1, 4, 4, 4}}};
  }
  void set_version(std::int32_t number) override { state().version = number; }
  void misbehave(Misbehaviour how) override { state().how = how; }
  void set_tensors(std::vector<TensorModel> tensors) override { state().tensors = std::move(tensors); }
  void set_work(std::function<int(void*, std::function<void()>)> queue,
                std::function<void(const std::map<std::string, void*>&, int)> work) override {
    state().queue = std::move(queue);
    state().work = std::move(work);
  }
  void set_profile(std::int64_t least, std::int64_t best, std::int64_t most) override {
    state().profile = {least, best, most};
  }
  void require_engine_code() override { state().engine_code_required = true; }
  void log(int severity, const std::string& text) override { speak(severity, text.c_str()); }
  void fail(const std::string& method, int nth) override {
    state().failing = method;
    state().fails_at = state().calls[method] + nth;
  }
  std::map<std::string, int> calls() const override { return state().calls; }
  std::map<std::string, int> live() const override {
    std::map<std::string, int> counts;
    for (const auto& [object, owned] : state().objects) ++counts[object->kind];
    return counts;
  }
  std::vector<std::string> misuses() const override { return state().misuses; }
  std::int32_t version_argument() const override { return state().version_argument; }
};

}  // namespace
}  // namespace stand_in

using namespace stand_in;

extern "C" {

stand_in::TensorRt* stand_in_tensorrt() {
  static Control control;
  return &control;
}

std::int32_t getInferLibVersion() { return state().version; }

void* createInferRuntime_INTERNAL(void* logger, std::int32_t version) {
  state().version_argument = version;
  state().logger = logger;
  if (is(Misbehaviour::no_driver)) speak(0, "CUDA initialization failure with error: 35");
  if (is(Misbehaviour::no_driver) || is(Misbehaviour::no_runtime) || fails("createInferRuntime")) return failure();
  lay_tables();
  auto* const runtime = static_cast<Object*>(make("runtime", state().runtime, nullptr));
  if (is(Misbehaviour::no_methods)) runtime->implementation = nullptr;
  if (is(Misbehaviour::foreign_table)) runtime->destructors = *static_cast<const void* const* const*>(logger);
  if (is(Misbehaviour::unreadable_table)) runtime->destructors = guard(true);
  if (is(Misbehaviour::stray_methods)) runtime->inside.methods = reinterpret_cast<const void* const*>(runtime);
  if (is(Misbehaviour::cut_methods)) runtime->inside.methods = guard(true) - 2;
  return runtime;
}

}  // extern "C"
