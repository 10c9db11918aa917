#include "binding/info_to_python.hpp"

#include "binding/text.hpp"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace rfseg::binding {

py::dict counters_dict(const Counters& counters) {
  py::dict dict;
  dict["frames"] = counters.frames;
  dict["batches"] = counters.batches;
  dict["slow_frames"] = counters.slow_frames;
  dict["device_allocations"] = counters.device_allocations;
  dict["module_loads"] = counters.module_loads;
  dict["captures"] = counters.captures;
  dict["bytes_back"] = counters.bytes_back;
  dict["assumed_colors"] = counters.assumed_colors;
  return dict;
}

py::dict info_dict(const Info& info) {
  py::dict dict;
  dict["model"] = path_object(info.model);
  dict["device"] = info.device;
  dict["backend"] = info.backend;
  dict["library_version"] = info.library_version;
  dict["library_path"] = info.library_path;
  dict["precision"] = info.precision;
  dict["input_precision"] = info.input_precision;
  dict["network_size"] = py::make_tuple(info.network_size.height, info.network_size.width);
  dict["mask_size"] = py::make_tuple(info.mask_size.height, info.mask_size.width);
  dict["queries"] = info.queries;
  dict["columns"] = info.columns;
  dict["places"] = info.places;
  dict["slots"] = info.slots;
  dict["lanes"] = info.lanes;
  dict["min_batch"] = info.min_batch;
  dict["max_batch"] = info.max_batch;
  dict["threads"] = info.threads;
  dict["resize"] = info.resize == Resize::pil ? "pil" : "bilinear";
  dict["mean"] = py::tuple(py::cast(info.normalisation.mean));
  dict["std"] = py::tuple(py::cast(info.normalisation.deviation));
  dict["producer"] = info.producer;
  dict["gpu"] = info.gpu;
  dict["stages"] = info.stages == Stages::device ? "device" : "host";
  return dict;
}

}  // namespace rfseg::binding
