// Reads a Segmenter's options out of keyword arguments. Knows their words; their ranges are checked further down.
#pragma once

#include <rfseg/segmenter.hpp>

#include <pybind11/pybind11.h>

namespace rfseg::binding {

/// Options from what rfseg.Segmenter passes: every key that `_core.pyi` names.
/// @throws InputError  a value of another type, or that is not one of an option's words; names the option
Options options_from_python(const pybind11::kwargs& arguments);

/// The text of one argument. @throws InputError  it is no text; names the option
std::string word_of(const pybind11::kwargs& arguments, const char* option);

/// What one frame asks for: None, or (threshold or None, {class: threshold}, [class] or None).
FrameOptions frame_options(const pybind11::object& asked);

}  // namespace rfseg::binding
