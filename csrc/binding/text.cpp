#include "binding/text.hpp"

#include <rfseg/error.hpp>

namespace py = pybind11;

namespace rfseg::binding {

py::str readable_text(const std::string& text) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

py::str path_object(const std::string& path) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size())));
}

std::string path_text(const py::object& path, const char* option) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) {  // refuses other types, NUL and half surrogates
    PyErr_Clear();
    throw InputError(std::string(option) + " is " + repr_of(path) + ": it must be a path");
  }
  return py::reinterpret_steal<py::bytes>(bytes);
}

std::string utf8_of(const py::handle& text, const std::string& option) {
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data != nullptr) return {data, static_cast<std::size_t>(size)};
  PyErr_Clear();
  throw InputError(option + " is " + repr_of(text) + ": it must be a text without half surrogate pairs");
}

std::string repr_of(const py::handle& value) {
  constexpr Py_ssize_t kMost = 80;
  const auto printed = py::reinterpret_steal<py::object>(PyObject_ASCII(value.ptr()));
  const std::string type = Py_TYPE(value.ptr())->tp_name;
  PyErr_Clear();
  if (!printed) return "a " + type;
  const auto text = printed.cast<std::string>();
  return (text.size() > kMost ? text.substr(0, kMost) + "..." : text) + " (" + type + ")";
}

}  // namespace rfseg::binding
