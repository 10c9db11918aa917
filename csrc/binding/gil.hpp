// Python's lock, let go and taken again. Where the interpreter is ending, taking it ends the thread, up to Python 3.13
// by unwinding its stack through whatever is there; then the thread stays where it is instead, until the program is
// gone.
#pragma once

#include <Python.h>

namespace rfseg::binding {

/// Without Python's lock for its life. The lock is held before and after.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

/// With Python's lock for its life, on any thread.
class Locked {
 public:
  Locked();
  ~Locked() { PyGILState_Release(state_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace rfseg::binding
