// Whether those who get masks ask for their outlines, and in which mode: then the outlines of later masks can be traced
// before they ask. Owns the memory of that; traces nothing on its own.
#pragma once

#include <rfseg/masks.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace rfseg::raster {

/// Shared by the masks it watches and by whoever makes them. Every thread may call everything.
class OutlineDemand : public std::enable_shared_from_this<OutlineDemand> {
 public:
  /// `always`: a mode that is wanted whether or not anybody asks.
  explicit OutlineDemand(std::optional<OutlineMode> always) : always_(always) {}

  /// Somebody asked for outlines in `mode`.
  void note_asked(OutlineMode mode) { left_[index(mode)].store(kFrames, std::memory_order_relaxed); }

  /// Calls trace(0) ... trace(count - 1), in any order and on any threads, and returns when all have returned.
  using Spread = std::function<void(int count, const std::function<void(int)>& trace)>;

  /// Traces the outlines of `masks` in every mode that was asked for in the last kFrames frames, by `spread`; then
  /// listens who asks for these. Nobody else has `masks` yet. Returns whether it traced any.
  bool trace_ahead(const Masks& masks, const Spread& spread);

  static constexpr int kFrames = 64;
  static constexpr int kModes = 4;  ///< of OutlineMode

 private:
  bool wanted(OutlineMode mode);
  static std::size_t index(OutlineMode mode) { return static_cast<std::size_t>(mode); }

  const std::optional<OutlineMode> always_;
  std::array<std::atomic<int>, kModes> left_{};
};

}  // namespace rfseg::raster
