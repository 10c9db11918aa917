// A queue of work on a device, and marks in it. Streams meet only through events. Never touches the default stream.
#pragma once

#include "cuda/handle.hpp"

#include <string>

namespace rfseg::cuda {

enum class Timing { off, on };

/// A mark in a stream's work. Without timing it costs the device nothing to speak of.
class Event {
 public:
  /// `name` appears in error messages. Makes the device current itself.
  /// @throws CudaError
  Event(SharedDevice device, std::string name, Timing timing = Timing::off);

  EventHandle get() const noexcept { return handle_.get(); }
  const std::string& name() const noexcept { return name_; }
  const Driver& driver() const noexcept { return handle_.get_deleter().device->driver(); }

  /// Sets the mark behind the work so far of `stream`, which may belong to someone else (a frame's producer).
  /// @throws CudaError
  void enqueue_record(StreamHandle stream) const;

  /// True when everything before the mark is done, or it was never set. Does not wait.
  /// @throws CudaError  also for a failure of the work before the mark
  bool reached() const;

  /// Waits until everything before the mark is done; returns at once when it was never set.
  /// @throws CudaError  also for a failure of the work before the mark
  void wait_reached() const;

 private:
  std::string name_;
  UniqueEvent handle_;
};

/// Milliseconds between two marks that were reached. Both have Timing::on.
/// @throws CudaError  one is not reached, was never set, or has no timing
float elapsed_ms(const Event& start, const Event& end);

/// Whose kernels start first where both could.
enum class Priority { normal, high };

/// A non-blocking stream: it takes no part in the default stream's synchronisation. One thread at a time.
class Stream {
 public:
  /// `name` appears in error messages. Makes the device current itself.
  /// @throws CudaError
  Stream(SharedDevice device, std::string name, Priority priority = Priority::normal);

  StreamHandle get() const noexcept { return handle_.get(); }
  const std::string& name() const noexcept { return name_; }
  const SharedDevice& device() const noexcept { return handle_.get_deleter().device; }
  const Driver& driver() const noexcept { return device()->driver(); }

  /// Sets the event's mark behind the work so far.
  void enqueue_record(const Event& event) const { event.enqueue_record(get()); }
  /// Later work of this stream starts after the event's mark as it is set at this call.
  void enqueue_wait(const Event& event) const;
  /// Waits until the stream is empty.
  /// @throws CudaError  also for a failure of earlier work
  void wait_idle() const;

 private:
  std::string name_;
  UniqueStream handle_;
};

}  // namespace rfseg::cuda
