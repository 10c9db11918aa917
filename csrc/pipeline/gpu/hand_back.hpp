// Reads what the kernels handed back for one frame. Knows their record layout; computes nothing that raster/ does not.
#pragma once

#include "raster/frame_geometry.hpp"

#include <rfseg/result.hpp>

#include <cstddef>

namespace rfseg::kernel_abi {
struct HandBack;
}

namespace rfseg::pipeline {

/// True when a buffer was too small for the frame: the host repeats its stages from the raw outputs.
bool overflowed(const kernel_abi::HandBack& hand_back);

/// Bytes that the device wrote for the frame.
std::size_t bytes_back(const kernel_abi::HandBack& hand_back);

/// The frame's instances; `names` and `speed` are left null and zero. `runs`: of every mask slot, one after the other.
Result read_hand_back(const kernel_abi::HandBack& hand_back, const Run* runs, const raster::FrameGeometry& geometry);

}  // namespace rfseg::pipeline
