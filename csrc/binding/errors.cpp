// Gives the C++ exceptions their Python types: rfseg.Error and its children, with InputError a ValueError too.
#include "binding/module.hpp"
#include "binding/text.hpp"

#include <rfseg/error.hpp>

#include <array>
#include <string>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

constexpr const char* kDocError = "Base of every exception that rfseg raises on purpose.";
constexpr const char* kDocModel = "The model file is missing, unreadable, or not an RF-DETR segmentation network.";
constexpr const char* kDocBackend =
    "No library or device can run the model; names what was tried and why it was refused.";
constexpr const char* kDocCuda = "A CUDA driver call failed.";
constexpr const char* kDocInput = "An argument cannot be used; the message says how to fix it. Also a ValueError.";

py::object make_type(py::module_& module, const char* name, const char* doc, const py::object& bases) {
  const std::string qualified = std::string("rfseg.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, bases.ptr(), nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.attr(name) = py::reinterpret_steal<py::object>(type);
  return module.attr(name);
}

struct ErrorTypes {
  py::object error, model, backend, cuda, input;
};

}  // namespace

void register_errors(py::module_& module) {
  // Interpreter-wide objects that live until the interpreter ends; the storage never runs a destructor after it.
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<ErrorTypes> storage;
  storage.call_once_and_store_result([&] {
    const py::object error =
        make_type(module, "Error", kDocError, py::reinterpret_borrow<py::object>(PyExc_RuntimeError));
    const py::object value_error = py::reinterpret_borrow<py::object>(PyExc_ValueError);
    return ErrorTypes{error, make_type(module, "ModelError", kDocModel, error),
                      make_type(module, "BackendError", kDocBackend, error),
                      make_type(module, "CudaError", kDocCuda, error),
                      make_type(module, "InputError", kDocInput, py::make_tuple(error, value_error))};
  });
  py::register_exception_translator([](std::exception_ptr pointer) {
    const ErrorTypes& types = storage.get_stored();
    const auto set = [](const py::object& type, const std::exception& error) {
      const py::object sentence = readable_text(error.what());
      PyErr_SetObject(type.ptr(), sentence.ptr());
    };
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const InputError& error) {
      set(types.input, error);
    } catch (const ModelError& error) {
      set(types.model, error);
    } catch (const BackendError& error) {
      set(types.backend, error);
    } catch (const CudaError& error) {
      set(types.cuda, error);
    } catch (const Error& error) {
      set(types.error, error);
    }
  });
}

}  // namespace rfseg::binding
