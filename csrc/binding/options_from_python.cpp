#include "binding/options_from_python.hpp"

#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/image_from_python.hpp"
#include "binding/text.hpp"

#include <rfseg/error.hpp>

#include <pybind11/stl.h>

#include <charconv>
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
      held->function(static_cast<int>(level), readable_text(sentence));
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

std::optional<Resize> resize_of(const std::string& resize) {
  if (resize == "auto") return std::nullopt;
  if (resize == "pil" || resize == "bilinear") return resize_mode(resize);
  throw InputError("resize is '" + resize + "': it must be \"auto\", \"pil\" or \"bilinear\"");
}

[[noreturn]] void refuse(const std::string& option, const py::handle& value, const std::string& wanted) {
  throw InputError(option + " is " + repr_of(value) + ": it must be " + wanted);
}

/// True for Python's and NumPy's truth values, which count as numbers and are never meant as one.
bool is_truth(const py::handle& value) {
  return PyBool_Check(value.ptr()) || std::string(Py_TYPE(value.ptr())->tp_name).rfind("numpy.bool", 0) == 0;
}

int whole_number(const std::string& option, const py::handle& value) {
  const bool fits = PyIndex_Check(value.ptr()) != 0 && !is_truth(value);
  const auto index = py::reinterpret_steal<py::object>(fits ? PyNumber_Index(value.ptr()) : nullptr);
  PyErr_Clear();
  if (!index) refuse(option, value, "a whole number");
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0 || number != static_cast<int>(number)) refuse(option, value, "a whole number of sensible size");
  return static_cast<int>(number);
}

float score(const std::string& option, const py::handle& value) {
  const bool number = PyFloat_Check(value.ptr()) != 0 || PyNumber_Check(value.ptr()) != 0;
  const double found = number && !is_truth(value) && !PyUnicode_Check(value.ptr()) ? PyFloat_AsDouble(value.ptr()) : -1;
  const bool failed = PyErr_Occurred() != nullptr;
  PyErr_Clear();
  if (failed || !number || is_truth(value) || PyUnicode_Check(value.ptr())) refuse(option, value, "a number in 0..1");
  return static_cast<float>(found);
}

ClassKey class_key(const std::string& option, const py::handle& key) {
  if (PyUnicode_Check(key.ptr())) return utf8_of(key, option);
  return whole_number(option, key);
}

std::map<ClassKey, float> class_thresholds(const py::handle& mapping) {
  std::map<ClassKey, float> thresholds;
  for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(mapping))
    thresholds[class_key("a class in threshold", key)] = score("threshold of class " + repr_of(key), value);
  return thresholds;
}

/// The id that a key of names= means: a whole number, or its digits.
int class_id(const py::handle& key) {
  if (!PyUnicode_Check(key.ptr())) return whole_number("names=: a class id", key);
  const std::string digits = utf8_of(key, "names=: a class id");
  int id = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (parsed.ec != std::errc() || std::to_string(id) != digits) refuse("names=: a class id", key, "a whole number");
  return id;
}

std::string class_name(const py::handle& name) {
  if (!PyUnicode_Check(name.ptr())) refuse("names=: a class name", name, "a text");
  return utf8_of(name, "names=: a class name");
}

NamesOption names_of(const py::object& names) {
  if (names.is_none()) return {};
  if (PyUnicode_Check(names.ptr()) || py::hasattr(names, "__fspath__")) {
    std::string path = path_text(names, "names=");
    // The word, and a file of that name.
    return PyUnicode_Check(names.ptr()) || path != "coco" ? path : "./coco";
  }
  if (py::hasattr(names, "items")) {
    ClassNames map;
    for (const py::handle& item : names.attr("items")()) {
      const auto pair = py::reinterpret_borrow<py::tuple>(item);
      const int id = class_id(pair[0]);
      if (!map.emplace(id, class_name(pair[1])).second) refuse("names=: a class id", pair[0], "there once");
    }
    return map;
  }
  if (PySequence_Check(names.ptr()) == 0 || PyBytes_Check(names.ptr()))
    refuse("names=", names, "a list of names, a mapping {id: name}, \"coco\" or a file");
  std::vector<std::string> list;
  for (const py::handle& name : names) list.push_back(class_name(name));
  return list;
}

bool truth(const py::kwargs& arguments, const char* option) {
  const py::object value = arguments[option];
  if (!is_truth(value)) refuse(option, value, "True or False");
  return value.cast<bool>();
}

}  // namespace

std::string word_of(const py::kwargs& arguments, const char* option) {
  const py::object value = arguments[option];
  if (!PyUnicode_Check(value.ptr())) refuse(option, value, "a text");
  return utf8_of(value, option);
}

Options options_from_python(const py::kwargs& arguments) {
  const auto text = [&](const char* key) { return word_of(arguments, key); };
  Options options;
  options.device = text("device");
  options.threshold = score("threshold", arguments["threshold"]);
  options.class_thresholds = class_thresholds(arguments["class_thresholds"]);
  options.max_detections = whole_number("max_detections", arguments["max_detections"]);
  options.resize = resize_of(text("resize"));
  options.names = names_of(arguments["names"]);
  options.slots = whole_number("slots", arguments["slots"]);
  options.max_batch = whole_number("max_batch", arguments["max_batch"]);
  options.lanes = whole_number("lanes", arguments["lanes"]);
  options.threads = whole_number("threads", arguments["threads"]);
  options.stages = stages_of(text("stages"));
  if (!arguments["outlines"].is_none()) options.outlines = outline_mode(text("outlines"));
  options.onnxruntime = path_text(arguments["onnxruntime"], "onnxruntime");
  options.tensorrt = path_text(arguments["tensorrt"], "tensorrt");
  options.library_folders = arguments["library_folders"].cast<std::vector<std::string>>();
  options.allow_engine_code = truth(arguments, "allow_engine_code");
  options.log = log_from(arguments["log"]);
  return options;
}

FrameOptions frame_options(const py::object& asked) {
  FrameOptions options;
  if (asked.is_none()) return options;
  const auto [threshold, by_class, classes] = asked.cast<std::tuple<py::object, py::dict, py::object>>();
  if (!threshold.is_none()) options.threshold = score("threshold", threshold);
  options.class_thresholds = class_thresholds(by_class);
  if (classes.is_none()) return options;
  options.classes.emplace();
  for (const py::handle& key : classes) options.classes->push_back(class_key("a class in classes", key));
  return options;
}

}  // namespace rfseg::binding
