// Host time between two points of a frame's way.
#pragma once

#include <chrono>
#include <utility>

namespace rfseg::host {

class Stopwatch {
 public:
  /// Milliseconds since construction or the last lap.
  float lap_ms() {
    const Clock::time_point before = std::exchange(start_, Clock::now());
    return std::chrono::duration<float, std::milli>(start_ - before).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace rfseg::host
