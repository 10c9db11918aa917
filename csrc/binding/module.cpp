#include "binding/module.hpp"

#include <rfseg/version.hpp>

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of rfseg. Use the package rfseg; this module is its inside.";
  module.attr("version") = RFSEG_VERSION;
  rfseg::binding::register_errors(module);
  rfseg::binding::register_masks(module);
  rfseg::binding::register_planes(module);
  rfseg::binding::register_ops(module);
  rfseg::binding::register_ticket(module);
  rfseg::binding::register_segmenter(module);
}
