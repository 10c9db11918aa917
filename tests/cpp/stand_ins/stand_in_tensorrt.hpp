// How a test steers the TensorRT stand-in: a library with TensorRT's two entry points and tables laid by hand, which
// offers one engine with the tensors a test asks for, and misbehaves on request.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stand_in {

enum class Misbehaviour {
  none,
  no_runtime,      ///< creation returns 0x228 and says nothing
  no_driver,       ///< creation returns 0x228 and logs TensorRT's text about the driver
  foreign_logger,  ///< hands out another logger than it was given
  lost_logger,     ///< hands out none
  lost_thread_limit,
  lost_engine_code_switch,
  short_runtime_table,  ///< the last entries are missing
  short_engine_table,
  short_context_table,
  wrong_self,      ///< the implementation names another object
  wrapped_engine,  ///< the same of the engine, as a plan's own runtime may
  no_methods,      ///< the runtime has no implementation
  data_as_destructor,
  foreign_table,  ///< the runtime's table is in another library
  unreadable_table,
  stray_methods,  ///< the implementation's table is in no library
  cut_methods,    ///< that table ends where memory does
  plan_rejected,  ///< 0x228, with two logged errors
  plan_rejected_silently,
  no_context,  ///< 0x228
  enqueue_fails,
  address_refused,
  shape_refused,
  shapes_not_inferred,
  another_engine,  ///< the context names what is not its engine
  nameless_tensor,
  too_many_tensors,
};

struct TensorModel {
  std::string name;
  bool input = false;
  std::int32_t type = 0;  ///< 0 float32, 1 float16, 3 int32
  std::vector<std::int64_t> shape;
  std::int32_t location = 0;                         ///< 1: host
  std::int32_t format = 0;                           ///< not 0: vectorised
  std::vector<std::int64_t> known_shape = {};        ///< once the input's is known; empty: `shape`
  std::optional<std::int32_t> mode = {}, rank = {};  ///< claimed whatever `input` and `shape` say
};

class TensorRt {
 public:
  virtual ~TensorRt() = default;

  virtual void reset() = 0;  ///< version 10.6.0, an RF-DETR engine with Q 4, C 5, 16 x 16, well-behaved
  virtual void set_version(std::int32_t number) = 0;  ///< 100600, 110100
  virtual void misbehave(Misbehaviour how) = 0;
  virtual void set_tensors(std::vector<TensorModel> tensors) = 0;
  /// What enqueue queues: `queue(stream, work)` puts `work` on a stream; `work` gets the bound addresses by tensor
  /// name, and the batch that the context has when it is queued.
  virtual void set_work(std::function<int(void*, std::function<void()>)> queue,
                        std::function<void(const std::map<std::string, void*>&, int images)> work) = 0;
  /// Of the one profile: the least, best and most images.
  virtual void set_profile(std::int64_t least, std::int64_t best, std::int64_t most) = 0;
  virtual void require_engine_code() = 0;                       ///< refuses the plan unless host code is allowed
  virtual void log(int severity, const std::string& text) = 0;  ///< speaks to the last logger that was given

  /// The n-th call of `method` from here on, counted from 1, fails as TensorRT lets it fail.
  virtual void fail(const std::string& method, int nth) = 0;
  virtual std::map<std::string, int> calls() const = 0;  ///< by method, of those that may fail

  virtual std::map<std::string, int> live() const = 0;
  virtual std::vector<std::string> misuses() const = 0;  ///< wrong order of destruction, unexpected arguments
  virtual std::int32_t version_argument() const = 0;
};

inline TensorRt& tensorrt(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const entry = library == nullptr ? nullptr : dlsym(library, "stand_in_tensorrt");
  if (entry == nullptr) throw std::runtime_error("no stand-in at " + path);
  return *reinterpret_cast<TensorRt* (*)()>(entry)();
}

}  // namespace stand_in
