#include "binding/options_from_python.hpp"

#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/image_from_python.hpp"

#include <rfseg/error.hpp>

#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

/// A Python function that any thread may let go of; forgotten when Python has ended, which took it along.
struct HeldFunction {
  py::object function;

  ~HeldFunction() {
    if (Py_IsInitialized() == 0) {
      function.release();
      return;
    }
    const Locked locked;
    function = py::object();
  }
};

/// Calls a Python function (level: int, sentence: str) from any thread; drops what comes when Python has ended.
LogCallback log_from(const py::object& function) {
  if (function.is_none()) return {};
  const auto held = std::make_shared<HeldFunction>();
  held->function = function;
  return [held](LogLevel level, const std::string& sentence) {
    if (Py_IsInitialized() == 0) return;
    const Locked locked;
    try {
      held->function(static_cast<int>(level), sentence);
    } catch (py::error_already_set& error) {
      // Ctrl-C falls on whatever runs: said again, it is raised where the caller can see it.
      if (error.matches(PyExc_KeyboardInterrupt)) return PyErr_SetInterrupt();
      error.discard_as_unraisable("rfseg log callback");
    }
  };
}

Stages stages_of(const std::string& stages) {
  if (stages == "device") return Stages::device;
  if (stages == "host") return Stages::host;
  throw InputError("stages is '" + stages + "': it must be \"device\" or \"host\"");
}

}  // namespace

Options options_from_python(const py::kwargs& arguments) {
  const auto text = [&](const char* key) { return arguments[key].cast<std::string>(); };
  Options options;
  options.device = text("device");
  options.threshold = arguments["threshold"].cast<float>();
  options.class_thresholds = arguments["class_thresholds"].cast<decltype(options.class_thresholds)>();
  options.max_detections = arguments["max_detections"].cast<int>();
  options.resize = resize_mode(text("resize"));
  options.names = arguments["names"].cast<NamesOption>();
  options.slots = arguments["slots"].cast<int>();
  options.max_batch = arguments["max_batch"].cast<int>();
  options.lanes = arguments["lanes"].cast<int>();
  options.threads = arguments["threads"].cast<int>();
  options.stages = stages_of(text("stages"));
  if (!arguments["outlines"].is_none()) options.outlines = outline_mode(text("outlines"));
  options.onnxruntime = text("onnxruntime");
  options.tensorrt = text("tensorrt");
  options.library_folders = arguments["library_folders"].cast<std::vector<std::string>>();
  options.allow_engine_code = arguments["allow_engine_code"].cast<bool>();
  options.log = log_from(arguments["log"]);
  return options;
}

FrameOptions frame_options(const py::object& asked) {
  FrameOptions options;
  if (asked.is_none()) return options;
  const auto [threshold, by_class, classes] =
      asked.cast<std::tuple<std::optional<float>, std::map<ClassKey, float>, std::optional<std::vector<ClassKey>>>>();
  options.threshold = threshold;
  options.class_thresholds = by_class;
  options.classes = classes;
  return options;
}

}  // namespace rfseg::binding
