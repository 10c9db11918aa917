// Passes messages to one callback, one at a time and in order, whoever has something to say. Holds no lock while the
// callback runs: it may need what another speaker holds, such as Python's lock.
#pragma once

#include <rfseg/options.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace rfseg::host {

/// Every thread may call everything.
class Speaker {
 public:
  explicit Speaker(LogCallback callback) : callback_(std::move(callback)) {}

  /// Calls the callback, unless a call of it runs: whoever made that one makes this one too, afterwards. A message that
  /// cannot be stored or delivered is lost.
  void say(LogLevel level, std::string sentence) noexcept;

  /// The callback is not called any more. Waits for a call that runs in another thread.
  void fall_silent() noexcept;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  LogCallback callback_;
  std::deque<std::pair<LogLevel, std::string>> waiting_;
  std::thread::id speaking_;  // of the thread that calls the callback; of none when nobody does
};

/// A callback that every thread may call; `log` is called as by a Speaker. Empty when `log` is.
LogCallback one_at_a_time(const LogCallback& log);

}  // namespace rfseg::host
