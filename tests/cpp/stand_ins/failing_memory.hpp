// Memory that runs out on purpose: this program's operator new fails at a call of the test's choice, on whichever
// thread that is. The stand-in libraries have their own.
#pragma once

namespace stand_in {

/// For its life the calls of operator new are counted, and the n-th from here on throws std::bad_alloc. One at a time.
class FailingMemory {
 public:
  explicit FailingMemory(long nth);  ///< 0: none
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  static long calls();  ///< since the last one began
};

/// For its life nothing fails and nothing is counted on this thread: what a test does for itself, or for a stand-in.
class OwnMemory {
 public:
  OwnMemory();
  ~OwnMemory();
  OwnMemory(const OwnMemory&) = delete;
  OwnMemory& operator=(const OwnMemory&) = delete;
};

}  // namespace stand_in
