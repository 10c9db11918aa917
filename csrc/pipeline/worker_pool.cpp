#include "pipeline/worker_pool.hpp"

#include <utility>

namespace rfseg::pipeline {

WorkerPool::WorkerPool(int threads, std::chrono::microseconds patience) : patience_(patience) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (...) {  // the system has no more threads; the end of one that was not joined would end the program
    close();
    throw;
  }
}

WorkerPool::~WorkerPool() { close(); }

void WorkerPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::future<void> WorkerPool::enqueue(std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(task));
    ++queued_;
  }
  changed_.notify_one();
  return done;
}

void WorkerPool::look_out() const {
  const auto end = std::chrono::steady_clock::now() + patience_;
  while (queued_.load(std::memory_order_relaxed) == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
}

void WorkerPool::run() {
  for (;;) {
    if (patience_.count() > 0) look_out();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::packaged_task<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    --queued_;
    lock.unlock();
    job();
  }
}

}  // namespace rfseg::pipeline
