// Everyone claims the next index until none is left. The caller waits for indices, never for threads: one that wakes up
// late finds nothing to claim, and touches only the job, which it keeps alive.
#include "host/crew.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace rfseg::host {

class Crew::Job {
 public:
  Job(int count, const std::function<void(int)>& work)
      : count_(count), work_(work), done_(static_cast<std::size_t>(count)) {}
  /// Work that nobody waits for.
  explicit Job(std::function<void()> work)
      : count_(1), own_([work = std::move(work)](int) { work(); }), work_(own_), done_(1) {}

  int count() const { return count_; }

  /// An index for the calling thread alone, or one beyond the last: nothing is left.
  int claim() {
    const int next = next_.load(std::memory_order_relaxed);
    return next < count_ ? next_.fetch_add(1, std::memory_order_relaxed) : next;
  }

  void work(int index) {
    try {
      work_(index);
    } catch (...) {
      note_failure();
    }
    done_[static_cast<std::size_t>(index)].store(true, std::memory_order_release);
  }

  bool done(int index) const { return done_[static_cast<std::size_t>(index)].load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  void note_failure() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_.store(true, std::memory_order_release);
  }

  /// Every index is done.
  void rethrow() {
    if (failure_) std::rethrow_exception(std::move(failure_));  // the caller's alone: a late thread ends this object
  }

 private:
  const int count_;
  const std::function<void(int)> own_;
  const std::function<void(int)>& work_;  // valid while an index below count_ can be claimed
  std::atomic<int> next_{0};
  std::vector<std::atomic<bool>> done_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// What all may spend on looking out when nobody hurries, as a share of one processor, and what may be saved up of it.
constexpr double kShare = 0.25;
constexpr int kFew = 2;  // helpers that are woken up then
constexpr std::int64_t kSavedNs = 20'000'000;

Crew::Crew(int threads, std::chrono::microseconds patience, const Rhythm& rhythm)
    : patience_(patience), rhythm_(rhythm) {
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (...) {  // the system has no more threads; the end of one that was not joined would end the program
    close();
    throw;
  }
}

Crew::~Crew() { close(); }

void Crew::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::split(int count, const std::function<void(int)>& work, const std::function<void(int)>& in_order) {
  const auto job = std::make_shared<Job>(count, work);
  if (count > 1) enlist(job);
  for (int passed = 0; passed < count;) {
    const bool worked = work_one(job);
    for (; passed < count && job->done(passed); ++passed) {
      if (!in_order || job->failed()) continue;
      try {
        in_order(passed);
      } catch (...) {
        job->note_failure();
      }
    }
    if (!worked && passed < count) std::this_thread::yield();  // others are at it: microseconds, less than a sleep
  }
  job->rethrow();
}

/// False when nothing is left.
bool Crew::work_one(const std::shared_ptr<Job>& job) {
  const int index = job->claim();
  if (index >= job->count()) return false;
  if (index + 1 == job->count()) retire(job);  // by one thread: where all did, they queued up for the lock
  job->work(index);
  return true;
}

void Crew::post(std::function<void()> work) {
  const auto job = std::make_shared<Job>(std::move(work));
  if (!enlist(job)) work_one(job);
}

/// False when nobody will help.
bool Crew::enlist(const std::shared_ptr<Job>& job) {
  if (threads_.empty()) return false;
  try {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    ++open_;
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (job->count() > kFew && rhythm_.hurried()) {
    changed_.notify_all();
  } else {  // to wake up all costs more processor time than they save where nobody hurries
    for (int i = 1; i < std::min(job->count() + 1, kFew + 1); ++i) changed_.notify_one();
  }
  return true;
}

void Crew::retire(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  const auto place = std::find(jobs_.begin(), jobs_.end(), job);
  if (place == jobs_.end()) return;
  jobs_.erase(place);
  --open_;
}

bool Crew::may_look_out() {
  if (rhythm_.hurried()) return true;
  const std::int64_t earned_ns =
      static_cast<std::int64_t>(kShare * static_cast<double>(std::chrono::nanoseconds(Clock::now() - begun_).count()));
  std::int64_t spent_ns = looked_out_ns_.load(std::memory_order_relaxed);
  if (spent_ns < earned_ns - kSavedNs) {  // a long pause is no licence for a long one of these
    looked_out_ns_.compare_exchange_strong(spent_ns, earned_ns - kSavedNs, std::memory_order_relaxed);
    return true;
  }
  return spent_ns < earned_ns;
}

/// Null when there was none in time.
std::shared_ptr<Crew::Job> Crew::look_out() {
  if (!may_look_out()) return nullptr;
  const Clock::time_point begin = Clock::now();
  const auto spend = [&](Clock::time_point now) {
    if (!rhythm_.hurried()) looked_out_ns_.fetch_add(std::chrono::nanoseconds(now - begin).count());
  };
  for (Clock::time_point now = begin; now < begin + patience_; now = Clock::now()) {
    if (open_.load(std::memory_order_relaxed) > 0) {
      const std::unique_lock lock(mutex_, std::try_to_lock);  // who sleeps on the lock wakes up too late
      if (lock && !jobs_.empty()) {
        spend(now);
        return jobs_.front();
      }
    }
    std::this_thread::yield();
  }
  spend(begin + patience_);
  return nullptr;
}

/// Null when the crew closes.
std::shared_ptr<Crew::Job> Crew::sleep_for_job() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
  return jobs_.empty() ? nullptr : jobs_.front();
}

void Crew::run() {
  for (;;) {
    std::shared_ptr<Job> job = look_out();
    if (!job) job = sleep_for_job();
    if (!job) return;
    while (work_one(job)) {
    }
  }
}

}  // namespace rfseg::host
