// What a Segmenter says of itself, as dicts.
#pragma once

#include <rfseg/segmenter.hpp>

#include <pybind11/pybind11.h>

namespace rfseg::binding {

pybind11::dict counters_dict(const Counters& counters);
pybind11::dict info_dict(const Info& info);

}  // namespace rfseg::binding
