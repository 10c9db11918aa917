// A buffer that is made anew, larger, when something does not fit, and kept else: so nothing is allocated once the
// largest has come.
#pragma once

#include "cuda/buffer.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace rfseg::pipeline {

template <class Buffer>
class Growing {
 public:
  /// `name` appears in error messages.
  Growing(cuda::SharedDevice device, std::string name) : device_(std::move(device)), name_(std::move(name)) {}

  /// Makes room for `bytes`; what was in it is gone when it grew. No work is queued that uses it.
  /// @throws CudaError  out of memory; there is no buffer then
  void reserve(std::size_t bytes) {
    if (bytes <= this->bytes()) return;
    buffer_.reset();  // first: there may be no room for both
    buffer_.emplace(device_, bytes, name_);
  }

  std::size_t bytes() const { return buffer_ ? buffer_->bytes() : 0; }
  const Buffer& operator*() const { return *buffer_; }
  Buffer& operator*() { return *buffer_; }
  const Buffer* operator->() const { return &*buffer_; }
  Buffer* operator->() { return &*buffer_; }

 private:
  cuda::SharedDevice device_;
  std::string name_;
  std::optional<Buffer> buffer_;
};

}  // namespace rfseg::pipeline
