// A caller's frame, seen but not owned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rfseg {

/// Order of the three bytes of a pixel.
enum class PixelFormat { bgr8, rgb8 };

/// How a frame is stretched to the network's input (contract.md, section 2).
enum class Resize {
  pil,       ///< Pillow's antialiased BILINEAR, byte for byte
  bilinear,  ///< half-pixel bilinear without antialiasing, as rfdetr's own predict()
};

struct ImageSize {
  int height = 0;  ///< px
  int width = 0;   ///< px
};

inline bool operator==(ImageSize a, ImageSize b) { return a.height == b.height && a.width == b.width; }
inline bool operator!=(ImageSize a, ImageSize b) { return !(a == b); }

/// Where a frame's pixels are.
enum class MemoryKind { host, device };

/// uint8 pixels [height, width, 3], read only during the call they are passed to.
/// The strides may be negative, so that flipped and channel-reversed views need no copy.
struct ImageView {
  /// `row_bytes` of a view whose one row stands for all.
  static constexpr std::ptrdiff_t kOneRow = PTRDIFF_MIN;

  const std::uint8_t* data = nullptr;  ///< first channel of the top left pixel
  int height = 0;                      ///< px
  int width = 0;                       ///< px
  std::ptrdiff_t row_bytes = 0;        ///< from a pixel to the one below it; 0: packed, width * 3; or kOneRow
  PixelFormat format = PixelFormat::bgr8;
  std::ptrdiff_t pixel_bytes = 3;    ///< from a pixel to the one on its right
  std::ptrdiff_t channel_bytes = 1;  ///< from a channel to the next one
  MemoryKind memory = MemoryKind::host;
  /// Device memory only: the CUDA stream whose work so far makes the pixels (0 is CUDA's default stream); nullopt when
  /// they are there already.
  std::optional<std::uintptr_t> producer_stream = std::nullopt;
};

}  // namespace rfseg
