// A few threads that take jobs in the order they came. Owns the threads and the queue; knows nothing of what a job
// does.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace rfseg::host {

class WorkerPool {
 public:
  /// `threads` > 0; jobs start in order, and end in order when there is one.
  /// @throws std::system_error  the system has no more threads
  explicit WorkerPool(int threads);
  ~WorkerPool();  ///< finishes the queued jobs, then joins
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Queues `job` and does not wait. The future carries the job's exception, if it throws.
  std::future<void> enqueue(std::function<void()> job);

  int threads() const { return static_cast<int>(threads_.size()); }

 private:
  void run();
  void close();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;  // last: they start when everything they use exists
};

}  // namespace rfseg::host
