// One function per bound type, called in order by module.cpp. The binding is the only room that knows Python.
#pragma once

#include <pybind11/pybind11.h>

namespace rfseg::binding {

void register_errors(pybind11::module_& module);
void register_masks(pybind11::module_& module);
void register_ops(pybind11::module_& module);
void register_planes(pybind11::module_& module);
void register_segmenter(pybind11::module_& module);
void register_ticket(pybind11::module_& module);

}  // namespace rfseg::binding
