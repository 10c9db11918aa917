// Turns what a caller asked for into what a pipeline does: checks options, settles the device.
// Runs once, before any library is opened where it can.
#pragma once

#include <rfseg/segmenter.hpp>

#include <string>
#include <vector>

namespace rfseg::pipeline {

/// @throws InputError  an option is out of range; names it, its value and the range
void check_options(const Options& options);

inline constexpr int kAllGpus = -1;  ///< stands for every GPU that the driver shows

/// Settles where `model` runs: the ordinals of GPUs for a TensorRT engine, or kAllGpus; nothing for an ONNX file.
/// @throws InputError    a device that is none of those that Options names
/// @throws BackendError  a device that cannot run this kind of file; says which file it needs
/// @throws ModelError    a file that is neither ONNX nor a TensorRT engine by its extension
std::vector<int> choose_gpus(const std::string& model, const Options& options);

}  // namespace rfseg::pipeline
