// A few threads that help whoever has work to split, and take work that nobody waits for. Owns the threads; knows
// nothing of what the work does.
#pragma once

#include "host/rhythm.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rfseg::host {

class Crew {
 public:
  /// `threads` >= 0; without any, callers do all of their work themselves, and post() does it at once. `patience`: how
  /// long an idle one looks out for the next work before it goes to sleep. Looking out is free while `rhythm` is
  /// hurried; else all together may spend half a processor on it.
  /// @throws std::system_error  the system has no more threads
  Crew(int threads, std::chrono::microseconds patience, const Rhythm& rhythm);
  ~Crew();  ///< no split() runs any more; does what was posted, and joins
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Calls work(0) ... work(count - 1), each once, begun in that order, on the calling thread and on those of the crew
  /// that are free; returns when all have returned. Threads that are busy elsewhere are not waited for. Any thread.
  /// `in_order`, if given, is called on the calling thread for 0, 1, 2 ..., each as soon as the work of it and of all
  /// before it has returned, beside what is left.
  /// Throws what a call threw first; the rest is done all the same, but in_order is not called behind a failure.
  void split(int count, const std::function<void(int)>& work, const std::function<void(int)>& in_order = nullptr);

  /// Lets a thread of the crew call `work`, soon. Does not wait. `work` must not throw. Any thread.
  void post(std::function<void()> work);

 private:
  class Job;
  using Clock = Rhythm::Clock;

  void run();
  void close();
  bool may_look_out();
  std::shared_ptr<Job> look_out();
  std::shared_ptr<Job> sleep_for_job();
  bool enlist(const std::shared_ptr<Job>& job);
  void retire(const std::shared_ptr<Job>& job);
  bool work_one(const std::shared_ptr<Job>& job);

  const std::chrono::microseconds patience_;
  const Rhythm& rhythm_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;  // those with work left, oldest first
  bool closing_ = false;
  std::atomic<int> open_{0};  // jobs_.size(), for those who look without the lock
  std::atomic<std::int64_t> looked_out_ns_{0};
  const Clock::time_point begun_ = Clock::now();
  std::vector<std::thread> threads_;  // last: they start when everything they use exists
};

}  // namespace rfseg::host
