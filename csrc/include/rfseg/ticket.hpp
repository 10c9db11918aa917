// A frame that was submitted, by the name under which its result is asked for.
#pragma once

#include <rfseg/export.hpp>
#include <rfseg/result.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rfseg {

namespace pipeline {
class Flight;
}

/// Copies name the same frame. Every thread may use it; it may outlive the Segmenter, which finishes its frame first.
class RFSEG_API Ticket {
 public:
  Ticket() = default;  ///< of no frame

  bool valid() const { return flight_ != nullptr; }
  const std::string& tag() const { return tag_; }  ///< as it was submitted

  /// True when the result, or the error, is there. Does not wait.
  bool ready() const;

  /// Waits until ready(), at most `timeout`; returns ready(). Helps with the frame when nobody else does.
  bool wait(std::chrono::nanoseconds timeout) const;

  /// True when the frame had not started and never will; then take() throws. Does not wait.
  bool cancel() const;

  /// The result; waits for it. Once: later calls throw.
  /// @throws what the frame failed with; InputError when it was cancelled or taken before
  Result take() const;

  /// Calls `done` once, when the frame is ready; at once when it is. From any thread; must not throw.
  void when_ready(std::function<void()> done) const;

 private:
  friend class Segmenter;
  Ticket(std::shared_ptr<pipeline::Flight> flight, std::string tag)
      : flight_(std::move(flight)), tag_(std::move(tag)) {}
  std::shared_ptr<pipeline::Flight> flight_;
  std::string tag_;
};

}  // namespace rfseg
