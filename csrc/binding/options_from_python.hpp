// Reads a Segmenter's options out of keyword arguments. Knows their words; their ranges are checked further down.
#pragma once

#include <rfseg/segmenter.hpp>

#include <pybind11/pybind11.h>

namespace rfseg::binding {

/// Options from what rfseg.Segmenter passes: every key that `_core.pyi` names.
/// @throws InputError          a word that is not one of an option's words
/// @throws pybind11 exceptions  a missing key, or a value of another type
Options options_from_python(const pybind11::kwargs& arguments);

/// What one frame asks for: None, or (threshold or None, {class: threshold}, [class] or None).
FrameOptions frame_options(const pybind11::object& asked);

}  // namespace rfseg::binding
