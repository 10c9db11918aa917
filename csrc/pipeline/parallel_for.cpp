// Everyone claims the next index until none is left. The caller waits for indices, never for threads: one that wakes up
// late finds nothing to claim, and touches only the shared state, which it keeps alive.
#include "pipeline/parallel_for.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace rfseg::pipeline {

namespace {

class SharedJob {
 public:
  SharedJob(int count, const std::function<void(int)>& work) : count_(count), work_(work) {}

  void claim_all() {
    for (int index = next_++; index < count_; index = next_++) {
      try {
        work_(index);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
      done_.fetch_add(1, std::memory_order_release);
    }
  }

  void wait() {  // for what others have claimed: microseconds, less than a sleep and a wake-up
    while (done_.load(std::memory_order_acquire) < count_) std::this_thread::yield();
    if (failure_) std::rethrow_exception(std::move(failure_));  // the caller's alone: a late thread ends this object
  }

 private:
  const int count_;
  const std::function<void(int)>& work_;  // valid while an index below count_ can be claimed
  std::atomic<int> next_{0}, done_{0};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void parallel_for(WorkerPool& pool, int count, const std::function<void(int)>& work) {
  const auto job = std::make_shared<SharedJob>(count, work);
  try {
    for (int i = 0; i < std::min(pool.threads(), count - 1); ++i) pool.enqueue([job] { job->claim_all(); });
  } catch (const std::bad_alloc&) {  // fewer helpers; the caller does what they leave
  }
  job->claim_all();
  job->wait();
}

}  // namespace rfseg::pipeline
