// Work recorded once and launched many times. A capture ends on every path, also when the work in it throws.
#pragma once

#include "cuda/stream.hpp"

#include <rfseg/error.hpp>

#include <cstddef>
#include <string>

namespace rfseg::cuda {

/// Recorded work. Holds the addresses it was recorded with: what they point to outlives every launch.
class Graph {
 public:
  Graph(UniqueGraph handle, std::string name, std::size_t nodes);

  GraphHandle get() const noexcept { return handle_.get(); }
  const SharedDevice& device() const noexcept { return handle_.get_deleter().device; }
  const std::string& name() const noexcept { return name_; }
  std::size_t nodes() const noexcept { return nodes_; }  ///< at least 1

 private:
  std::string name_;
  UniqueGraph handle_;
  std::size_t nodes_;
};

/// Records what is queued on `stream` from its construction to end(), instead of running it. Thread-local: calls of
/// other threads neither join nor disturb it. Before a capture everything in it runs once plainly, because first runs
/// may allocate, which a capture forbids.
class Capture {
 public:
  /// `stream` stays where it is until the capture has ended.
  /// @throws CudaError
  explicit Capture(const Stream& stream);
  ~Capture();  ///< drops what was recorded, unless end() was called
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Ends the recording. Called once.
  /// @throws CudaError  the work cannot be captured, or nothing was queued
  Graph end();

 private:
  const Stream& stream_;
  const CaptureRuleHere rule_;
  bool open_ = true;
};

/// True when `error`, met during a capture, is about the capture itself: not memory that ran out, not a lost device.
bool refuses_capture(const CudaError& error) noexcept;

/// A graph made ready to launch. One launch at a time is in flight on the device; later ones wait for it.
class GraphExec {
 public:
  /// `graph` may end afterwards. Makes the device current itself.
  /// @throws CudaError
  explicit GraphExec(const Graph& graph);

  /// Queues the whole graph on `stream`.
  /// @throws CudaError
  void enqueue(const Stream& stream) const;

 private:
  std::string name_;
  UniqueGraphExec handle_;
};

}  // namespace rfseg::cuda
