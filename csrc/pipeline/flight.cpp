// The states of a frame and the ways between them; waiting without a processor where that costs no time.
#include "pipeline/flight.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

namespace rfseg::pipeline {

namespace {

using namespace std::chrono_literals;

// A sleeping thread is late by the timer's slack (50 us) and the time to wake up (tens of us): it wakes up this much
// before the expected end and looks out from then on, for twice as long at most. Who hurries looks out all the time,
// for answers that take no longer than kShort: waking up can take 0.2 ms.
constexpr std::chrono::microseconds kEarly = 200us, kShort = 5000us;

// Where glibc is older than 2.30, a deadline of the steady clock is converted to the system's clock, and one that is
// far away overflows there: the mutex would never be let go.
constexpr std::chrono::hours kLongest = 1h;

}  // namespace

bool Flight::move_on(State from, State to) {
  return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

bool Flight::begin() { return move_on(State::waiting, State::running); }

void Flight::answer(std::function<Result()> finish) {
  {
    const std::lock_guard lock(mutex_);
    finish_ = std::move(finish);
    state_.store(State::answered, std::memory_order_release);
  }
  changed_.notify_all();
}

void Flight::finish_unless_claimed() {
  if (!move_on(State::answered, State::claimed)) return;
  Result result;
  std::exception_ptr failure;
  try {
    result = finish_();
  } catch (...) {
    failure = std::current_exception();
  }
  finish_ = nullptr;
  end(std::move(result), std::move(failure));
}

void Flight::fail(std::exception_ptr failure) { end({}, std::move(failure)); }

void Flight::end(Result&& result, std::exception_ptr failure) {
  std::function<void()> done;
  {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    failure_ = std::move(failure);
    done = std::move(done_);
    state_.store(State::ended, std::memory_order_release);
    changed_.notify_all();
  }
  if (done) done();
}

bool Flight::cancel() {
  return cancel(std::make_exception_ptr(InputError("this frame was cancelled: it has no result")));
}

bool Flight::cancel(std::exception_ptr why) {
  if (!move_on(State::waiting, State::claimed)) return false;
  end({}, std::move(why));
  return true;
}

/// True when there is something to do or to see; false when the time, or kLongest, is over.
bool Flight::sleep_until(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, std::min(until, Clock::now() + kLongest), [this] {
    const State state = state_.load(std::memory_order_relaxed);
    return state == State::answered || state == State::ended;
  });
}

bool Flight::look_out_until(Clock::time_point until) const {
  do {
    const State state = state_.load(std::memory_order_acquire);
    if (state == State::answered || state == State::ended) return true;
    std::this_thread::yield();
  } while (Clock::now() < until);
  return false;
}

bool Flight::wait_until(Clock::time_point deadline) {
  for (;;) {
    finish_unless_claimed();
    if (ready()) return true;
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return false;
    const Clock::time_point expected{Clock::duration(expected_.load(std::memory_order_relaxed))};
    const bool hurried = rhythm_->hurried() && expected > now && expected < now + kShort;
    if (expected > now + kEarly && !hurried) {
      sleep_until(std::min(deadline, expected - kEarly));
    } else if (now < expected + 2 * kEarly || state_.load(std::memory_order_relaxed) == State::claimed) {
      const Clock::time_point until = std::min(deadline, std::max(now, expected) + 2 * kEarly);
      if (!look_out_until(until)) sleep_until(std::min(deadline, Clock::now() + 1ms));
    } else {
      sleep_until(deadline);
    }
  }
}

bool Flight::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

Result Flight::take() {
  wait_until(Clock::time_point::max());
  rhythm_->note_turn();
  const std::lock_guard lock(mutex_);
  const bool taken_before = std::exchange(taken_, true);
  if (failure_) std::rethrow_exception(failure_);
  if (taken_before) throw InputError("the result of this ticket was taken before");
  return std::move(result_);
}

void Flight::when_ready(std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!ready()) {
      done_ = done_ ? [first = std::move(done_), second = std::move(done)] { first(), second(); } : std::move(done);
      return;
    }
  }
  done();
}

void finish_soon(const std::shared_ptr<Flight>& flight, host::Crew& crew) {
  try {
    crew.post([flight] { flight->finish_unless_claimed(); });
  } catch (const std::bad_alloc&) {
    flight->finish_unless_claimed();
  }
}

}  // namespace rfseg::pipeline
