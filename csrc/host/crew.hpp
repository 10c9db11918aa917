// A few threads that help whoever has work to split. Owns the threads; knows nothing of what the work does.
#pragma once

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
  /// `threads` > 0. `patience`: how long an idle one looks out for the next work before it goes to sleep; waking it up
  /// then takes tens of microseconds.
  /// @throws std::system_error  the system has no more threads
  Crew(int threads, std::chrono::microseconds patience);
  ~Crew();  ///< no split() runs any more; joins
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Calls work(0) ... work(count - 1), each once, begun in that order, on the calling thread and on those of the crew
  /// that are free; returns when all have returned. Threads that are busy elsewhere are not waited for. Any thread.
  /// `in_order`, if given, is called on the calling thread for 0, 1, 2 ..., each as soon as the work of it and of all
  /// before it has returned, beside what is left.
  /// Throws what a call threw first; the rest is done all the same, but in_order is not called behind a failure.
  void split(int count, const std::function<void(int)>& work, const std::function<void(int)>& in_order = nullptr);

 private:
  class Job;

  void run();
  void close();
  std::shared_ptr<Job> look_out();
  std::shared_ptr<Job> sleep_for_job();
  void post(const std::shared_ptr<Job>& job);
  void retire(const std::shared_ptr<Job>& job);
  bool work_one(const std::shared_ptr<Job>& job);

  const std::chrono::microseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;  // those with work left, oldest first
  bool closing_ = false;
  std::atomic<int> open_{0};          // jobs_.size(), for those who look without the lock
  std::vector<std::thread> threads_;  // last: they start when everything they use exists
};

}  // namespace rfseg::host
