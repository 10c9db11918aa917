#include "binding/gil.hpp"

#include <cxxabi.h>
#include <unistd.h>

namespace rfseg::binding {

namespace {

/// What take() gives; never returns when the interpreter has ended the thread.
template <class Take>
auto stay_if_ended(const Take& take) {
  try {
    return take();
  } catch (abi::__forced_unwind&) {  // must not be left: there is no way to go on, and destructors would meet Python
    for (;;) pause();
  }
}

}  // namespace

Unlocked::~Unlocked() {
  stay_if_ended([this] {
    PyEval_RestoreThread(state_);
    return 0;
  });
}

Locked::Locked() : state_(stay_if_ended([] { return PyGILState_Ensure(); })) {}

}  // namespace rfseg::binding
