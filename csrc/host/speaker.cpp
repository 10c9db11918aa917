#include "host/speaker.hpp"

#include <memory>

namespace rfseg::host {

void Speaker::say(LogLevel level, std::string sentence) noexcept try {
  std::unique_lock lock(mutex_);
  if (!callback_) return;
  waiting_.emplace_back(level, std::move(sentence));
  if (speaking_ != std::thread::id()) return;
  speaking_ = std::this_thread::get_id();
  while (!waiting_.empty() && callback_) {
    const auto [next_level, next] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      callback_(next_level, next);
    } catch (...) {  // it must not throw, and this must not unwind through whoever speaks
    }
    lock.lock();
  }
  speaking_ = std::thread::id();
  changed_.notify_all();
} catch (...) {  // no memory for the message
}

void Speaker::fall_silent() noexcept {
  std::unique_lock lock(mutex_);
  const std::thread::id self = std::this_thread::get_id();
  changed_.wait(lock, [&] { return speaking_ == std::thread::id() || speaking_ == self; });
  waiting_.clear();
  if (speaking_ != self) callback_ = nullptr;
}

LogCallback one_at_a_time(const LogCallback& log) {
  if (!log) return log;
  const auto speaker = std::make_shared<Speaker>(log);
  return [speaker](LogLevel level, const std::string& sentence) { speaker->say(level, sentence); };
}

}  // namespace rfseg::host
