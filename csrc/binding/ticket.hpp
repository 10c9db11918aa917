// rfseg._core.Ticket: a frame that was submitted, asked from Python; and the queue in which frames that are ready are
// announced to a thread of Python's.
#pragma once

#include <rfseg/ticket.hpp>

#include <pybind11/pybind11.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace rfseg::binding {

/// Waits for the result without Python's lock; looks after signals meanwhile, so that Ctrl-C is heard.
Result take_interruptibly(const Ticket& ticket);

/// Numbers of frames that became ready. Every thread may call everything.
class Announcements {
 public:
  void announce(std::uint64_t number);
  /// Those announced since the last call; waits for one. Empty, at once, after stop().
  std::vector<std::uint64_t> next();
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> ready_;
  bool stopped_ = false;
};

}  // namespace rfseg::binding
