// A copy of memory that the device reads next, and the processor not at all. Knows nothing of frames.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rfseg::host {

/// Copies `bytes` past the processor's caches where it has stores for that. The device then takes them from memory, not
/// out of the caches of whichever cores wrote them: on an H200's host a frame is uploaded up to twice as fast. When
/// it returns, who is told of it afterwards sees all bytes, as after any copy. The ranges do not overlap; any
/// alignment.
void copy_streaming(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes);

}  // namespace rfseg::host
