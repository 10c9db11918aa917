// Remembers what was made for the frame sizes seen last, so that alternating sizes make it once.
#pragma once

#include <rfseg/image.hpp>

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace rfseg::pipeline {

/// Every thread may call everything.
template <class Made>
class SizeCache {
 public:
  static constexpr std::size_t kCapacity = 8;  ///< sizes; the one used longest ago makes room

  explicit SizeCache(std::function<Made(ImageSize)> make) : make_(std::move(make)) {}

  /// What `make` gives for `size`; throws what it throws.
  std::shared_ptr<const Made> find(ImageSize size) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(recent_.begin(), recent_.end(), [&](const auto& one) { return one.first == size; });
    if (known != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, known);
    } else {
      recent_.emplace_front(size, std::make_shared<const Made>(make_(size)));
      if (recent_.size() > kCapacity) recent_.pop_back();
    }
    return recent_.front().second;
  }

 private:
  const std::function<Made(ImageSize)> make_;
  std::mutex mutex_;
  std::list<std::pair<ImageSize, std::shared_ptr<const Made>>> recent_;  // most recent first
};

}  // namespace rfseg::pipeline
