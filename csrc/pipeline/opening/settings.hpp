// Turns what a caller asked for into what a pipeline does: checks options, settles the device and the
// thresholds. Runs once, before any library is opened where it can.
#pragma once

#include "network/class_names.hpp"
#include "network/model_contract.hpp"
#include "raster/detections/select.hpp"

#include <rfseg/segmenter.hpp>

#include <optional>
#include <string>

namespace rfseg::pipeline {

/// @throws InputError  an option is out of range; names it, its value and the range
void check_options(const Options& options);

/// Settles where `model` runs: the ordinal of a GPU for a TensorRT engine, nothing for an ONNX file.
/// @throws InputError    a device that is not "auto", "cpu", "cuda" or "cuda:N"
/// @throws BackendError  a device that cannot run this kind of file; says which file it needs
/// @throws ModelError    a file that is neither ONNX nor a TensorRT engine by its extension
std::optional<int> choose_gpu(const std::string& model, const Options& options);

/// The logit every column must reach, and how many pairs are taken first (`places`, 0: as many as queries).
/// @throws InputError  a class threshold names a class that the model does not have
raster::SelectionRule selection_rule(const network::ClassLayout& layout, const Options& options, int places = 0);

}  // namespace rfseg::pipeline
