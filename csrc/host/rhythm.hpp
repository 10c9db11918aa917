// Tells callers who send frames without pause from those who come now and then. For the former a thread that looks out
// for work on a processor of its own saves the tens of microseconds that waking up takes; for the latter it would burn
// that processor for nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace rfseg::host {

class Rhythm {
 public:
  using Clock = std::chrono::steady_clock;

  /// Somebody got a result, or finished sending a frame.
  void note_turn() { last_turn_ns_.store(now_ns(), std::memory_order_relaxed); }

  /// Somebody begins to send a frame.
  void note_arrival() {
    const bool at_once = now_ns() - last_turn_ns_.load(std::memory_order_relaxed) < kAtOnceNs;
    history_.store(static_cast<std::uint8_t>(history_.load(std::memory_order_relaxed) << 1 | (at_once ? 1 : 0)),
                   std::memory_order_relaxed);
  }

  /// True when at least six of the last eight frames came at once behind a result or another frame.
  bool hurried() const {
    int count = 0;
    for (unsigned bits = history_.load(std::memory_order_relaxed); bits != 0; bits &= bits - 1) ++count;
    return count >= kHurried;
  }

 private:
  static constexpr std::int64_t kAtOnceNs = 200'000;  // a caller's loop body with its outlines takes less
  static constexpr int kHurried = 6;

  static std::int64_t now_ns() { return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count(); }

  std::atomic<std::int64_t> last_turn_ns_{0};
  std::atomic<std::uint8_t> history_{0};  // newest in the lowest bit; a lost update costs nothing
};

}  // namespace rfseg::host
