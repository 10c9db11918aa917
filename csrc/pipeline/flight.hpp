// One frame on its way: who waits for it, who works on it, and what became of it. The inside of a Ticket. Knows no
// device: the pipeline says when the device has answered, and how to make a result of the answer.
#pragma once

#include "host/crew.hpp"
#include "host/rhythm.hpp"

#include <rfseg/result.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

namespace rfseg::pipeline {

/// Made per frame, shared by its ticket and its pipeline. Every thread may call everything.
class Flight {
 public:
  using Clock = host::Rhythm::Clock;

  explicit Flight(std::shared_ptr<host::Rhythm> rhythm) : rhythm_(std::move(rhythm)) {}

  // The pipeline's side.

  /// False when it was cancelled: it has no further use for the device then.
  bool begin();

  /// About when the device will have answered; who waits for it sleeps until shortly before.
  void expect_at(Clock::time_point when) {
    expected_.store(when.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// The device has answered. `finish` makes the result, once, on the first thread that comes to it.
  void answer(std::function<Result()> finish);

  /// Finishes it, unless somebody else does.
  void finish_unless_claimed();

  /// Ends it without a result.
  void fail(std::exception_ptr failure);

  // The caller's side, as Ticket says.

  bool ready() const { return state_.load(std::memory_order_acquire) == State::ended; }
  bool wait_until(Clock::time_point deadline);  ///< returns ready(); finishes the frame itself if nobody does
  bool cancel();
  bool cancel(std::exception_ptr why);  ///< needs no memory
  bool taken() const;
  Result take();
  void when_ready(std::function<void()> done);

 private:
  enum class State { waiting, running, answered, claimed, ended };

  bool move_on(State from, State to);
  void end(Result&& result, std::exception_ptr failure);
  bool sleep_until(Clock::time_point until);
  bool look_out_until(Clock::time_point until) const;

  const std::shared_ptr<host::Rhythm> rhythm_;
  std::atomic<State> state_{State::waiting};
  std::atomic<Clock::rep> expected_{0};  // 0: not known
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<Result()> finish_;
  std::function<void()> done_;
  Result result_;
  std::exception_ptr failure_;
  bool taken_ = false;  // or thrown
};

/// Lets the crew finish an answered frame, or finishes it here where there is no memory to ask for that.
void finish_soon(const std::shared_ptr<Flight>& flight, host::Crew& crew);

}  // namespace rfseg::pipeline
