// A caller's frame, seen but not owned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rfseg {

/// What the samples of a frame are: three bytes a pixel, or planes of Y'CbCr as decoders give them (contract.md,
/// section 6). Chroma sizes round up.
enum class PixelFormat {
  bgr8,
  rgb8,
  nv12,  ///< Y [H, W]; CbCr [H/2, W/2, 2]
  i420,  ///< Y [H, W]; Cb and Cr [H/2, W/2]
  i422,  ///< Y [H, W]; Cb and Cr [H, W/2]
  i444,  ///< Y, Cb and Cr [H, W]
  p010,  ///< as nv12, 10 bits in the upper bits of 16
  i010,  ///< as i420, 10 bits in the lower bits of 16
};

/// How a frame of planes becomes RGB. `unstated`: bt601 below 720 lines, bt709 from there on.
enum class ColorMatrix { unstated, bt601, bt709, bt2020 };

/// Which numbers are black and white. `unstated` is limited.
enum class ColorRange { unstated, limited, full };

/// A plane of samples. `row_bytes` may be negative; 0: packed; or ImageView::kOneRow.
struct Plane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t row_bytes = 0;  ///< from a sample to the one below it
};

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

/// uint8 pixels [height, width, 3], or planes of samples; read only during the call they are passed to.
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

  // Formats of planes only: `data` and `row_bytes` are Y's, pixel_bytes and channel_bytes unused.
  std::array<Plane, 2> chroma = {};  ///< CbCr; or Cb and Cr
  ColorMatrix matrix = ColorMatrix::unstated;
  ColorRange range = ColorRange::unstated;
};

}  // namespace rfseg
