// The logger and its listeners. See the note at the end for why the logger is one, and immortal.
#include "network/tensorrt/log.hpp"

#include "network/engine_build.hpp"
#include "network/tensorrt/abi.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace rfseg::network::tensorrt {

namespace {

constexpr std::size_t kMostErrorsKept = 8;

class Relay final : public Logger10, public Logger11 {
 public:
  void add(const std::shared_ptr<Log>& log) {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto gone = [](const std::weak_ptr<Log>& listener) { return listener.expired(); };
    listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(), gone), listeners_.end());
    listeners_.push_back(log);
  }

  void log(std::int32_t severity, const char* text) noexcept override {
    try {
      // Called without the lock: a listener may itself be waiting for something that add()'s caller holds.
      for (const auto& listener : listening()) listener->take(severity, text);
    } catch (const std::exception&) {
      // No memory to list the listeners. TensorRT cannot be thrown at, and the call it made fails by itself.
    }
  }

 private:
  std::vector<std::shared_ptr<Log>> listening() {
    const std::lock_guard<std::mutex> guard(lock_);
    std::vector<std::shared_ptr<Log>> alive;
    for (const auto& listener : listeners_) {
      if (auto log = listener.lock()) alive.push_back(std::move(log));
    }
    return alive;
  }

  std::mutex lock_;
  std::vector<std::weak_ptr<Log>> listeners_;
};

union Immortal {
  Relay relay;
  Immortal() : relay() {}
  ~Immortal() {}
};

Relay& relay() {
  static Immortal immortal;  // see "One logger per program"
  return immortal.relay;
}

/// TensorRT warns of an engine from another model of GPU again and again: all but a process's first are details.
LogLevel level_of(std::int32_t severity, const std::string& message) {
  if (severity <= static_cast<std::int32_t>(Severity::error)) return LogLevel::error;
  if (severity != static_cast<std::int32_t>(Severity::warning)) return LogLevel::debug;
  const bool of_another_gpu = message.find("across different models of devices") != std::string::npos;
  return of_another_gpu && !first_warning_of_another_gpu() ? LogLevel::debug : LogLevel::warning;
}

}  // namespace

Log::Log(LogCallback callback) : speaker_(std::move(callback)) {}

void Log::fall_silent() noexcept { speaker_.fall_silent(); }

void Log::take(std::int32_t severity, const char* text) noexcept {
  if (severity >= static_cast<std::int32_t>(Severity::verbose) || text == nullptr) return;
  try {
    const std::string message = text;
    const LogLevel level = level_of(severity, message);
    if (level == LogLevel::error) {
      const std::lock_guard<std::mutex> guard(lock_);
      if (errors_.size() == kMostErrorsKept) errors_.pop_front();
      errors_.push_back(message);
    }
    speaker_.say(level, "TensorRT: " + message);
  } catch (...) {
    // A message that cannot be stored or delivered is lost: it must not unwind through TensorRT.
  }
}

void Log::warn(const std::string& text) noexcept { take(static_cast<std::int32_t>(Severity::warning), text.c_str()); }

std::string Log::take_errors() {
  const std::lock_guard<std::mutex> guard(lock_);
  std::string joined;
  for (const std::string& error : errors_) joined += (joined.empty() ? "" : " | ") + error;
  errors_.clear();
  return joined;
}

void listen(const std::shared_ptr<Log>& log) { relay().add(log); }

void* shared_logger(int major) {
  return major == 10 ? static_cast<void*>(static_cast<Logger10*>(&relay()))
                     : static_cast<void*>(static_cast<Logger11*>(&relay()));
}

// Note: One logger per program.
// TensorRT keeps a single logger pointer for the whole program: the first one it is given, until every runtime and
// builder is gone (its own warning says so when a second one comes). A logger owned by one engine would therefore hear
// for another, and be freed under it when the first engine ends first. Hence one relay, made at first use and never
// destroyed: TensorRT's threads may also speak while the program ends. It holds no engine and no callback alive.

}  // namespace rfseg::network::tensorrt
