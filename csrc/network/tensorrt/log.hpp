// What TensorRT says. Owns the one logger that this program gives to TensorRT, and hands its messages to everyone who
// listens; keeps the last errors, so that a failure can be explained. Judges no message.
#pragma once

#include "host/speaker.hpp"

#include <rfseg/options.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace rfseg::network::tensorrt {

/// One listener: passes messages to a callback, one at a time, and keeps the last errors. Every thread may call.
class Log {
 public:
  explicit Log(LogCallback callback);

  /// The callback is not called any more. Waits for a call that runs in another thread.
  void fall_silent() noexcept;

  /// `severity`: TensorRT's own number.
  void take(std::int32_t severity, const char* text) noexcept;
  void warn(const std::string& text) noexcept;

  /// The errors since the last call, oldest first, joined with " | "; "" when there were none.
  std::string take_errors();

 private:
  host::Speaker speaker_;
  std::mutex lock_;
  std::deque<std::string> errors_;
};

/// Lets `log` hear what TensorRT says for as long as someone keeps it. TensorRT has one logger per program, so every
/// listener hears every message.
void listen(const std::shared_ptr<Log>& log);

/// The logger to give to TensorRT, in the shape that this major version calls. It is never destroyed.
void* shared_logger(int major);

}  // namespace rfseg::network::tensorrt
