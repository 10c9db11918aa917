#include "binding/foreign_array.hpp"

#include <rfseg/error.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

// DLPack's stable layout (dmlc/dlpack, version 0): what a capsule named "dltensor" points to.
struct DlTensor {
  void* data;
  std::int32_t device_type, device_id;
  std::int32_t dimensions;
  std::uint8_t type_code, type_bits;
  std::uint16_t type_lanes;
  const std::int64_t* shape;
  const std::int64_t* strides;  // elements; null: C-contiguous
  std::uint64_t byte_offset;
};
static_assert(sizeof(DlTensor) == 48 && offsetof(DlTensor, byte_offset) == 40, "DLPack's layout on 64-bit machines");

constexpr int kDlCuda = 2, kDlCudaManaged = 13;

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape, std::int64_t item_bytes) {
  std::vector<std::int64_t> strides(shape.size());
  for (std::size_t i = shape.size(); i-- > 0; item_bytes *= shape[i]) strides[i] = item_bytes;
  return strides;
}

ForeignArray from_numpy(const py::array& array) {
  const auto rank = static_cast<std::size_t>(array.ndim());
  const py::dtype dtype = array.dtype();
  // NumPy's own text of a type is Python code.
  const bool bytes = dtype.is(py::dtype::of<std::uint8_t>()), words = dtype.is(py::dtype::of<std::uint16_t>());
  return {static_cast<const std::uint8_t*>(array.data()),
          bytes   ? "uint8"
          : words ? "uint16"
                  : std::string(py::str(dtype)),
          {array.shape(), array.shape() + rank},
          {array.strides(), array.strides() + rank},
          MemoryKind::host,
          std::nullopt,
          array,
          -1};
}

std::string dlpack_dtype(const DlTensor& tensor) {
  static constexpr const char* kKinds[] = {"int", "uint", "float", "handle", "bfloat", "complex", "bool"};
  const std::string kind = tensor.type_code < 7 ? kKinds[tensor.type_code] : "unknown";
  return kind == "bool" ? kind : kind + std::to_string(tensor.type_bits);
}

ForeignArray from_dlpack(const py::object& object, std::uintptr_t consumer_stream) {
  const py::object capsule = object.attr("__dlpack__")(py::arg("stream") = consumer_stream);
  const auto* tensor = static_cast<const DlTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  if (tensor == nullptr) throw py::error_already_set();
  ForeignArray array;
  array.data = static_cast<const std::uint8_t*>(tensor->data) + tensor->byte_offset;
  array.dtype = dlpack_dtype(*tensor);
  array.shape.assign(tensor->shape, tensor->shape + tensor->dimensions);
  const std::int64_t item_bytes = tensor->type_bits / 8;
  array.strides = contiguous_strides(array.shape, item_bytes);
  for (std::size_t i = 0; tensor->strides != nullptr && i < array.strides.size(); ++i)
    array.strides[i] = tensor->strides[i] * item_bytes;
  array.memory = MemoryKind::device;
  array.producer_stream = consumer_stream;  // the producer has made this stream wait for its own
  array.owner = capsule;
  return array;
}

ForeignArray from_cuda_interface(const py::object& object) {
  const py::dict interface = object.attr("__cuda_array_interface__");
  ForeignArray array;
  const auto pointer = interface["data"].cast<py::tuple>()[0].cast<std::uintptr_t>();
  array.data = reinterpret_cast<const std::uint8_t*>(pointer);
  const py::dtype dtype(interface["typestr"].cast<std::string>());
  array.dtype = py::str(dtype);
  array.shape = interface["shape"].cast<std::vector<std::int64_t>>();
  const bool contiguous = !interface.contains("strides") || interface["strides"].is_none();
  array.strides = contiguous ? contiguous_strides(array.shape, dtype.itemsize())
                             : interface["strides"].cast<std::vector<std::int64_t>>();
  if (array.strides.size() != array.shape.size())
    throw InputError("the frame's __cuda_array_interface__ (" + type_name(object) + ") has " +
                     std::to_string(array.strides.size()) + " strides for " + std::to_string(array.shape.size()) +
                     " dimensions");
  array.memory = MemoryKind::device;
  if (interface.contains("stream") && !interface["stream"].is_none())
    array.producer_stream = interface["stream"].cast<std::uintptr_t>();
  array.owner = object;
  return array;
}

void expect_gpu(const py::object& object, const std::vector<FrameConsumer>& consumers) {
  if (consumers.empty())
    throw InputError("the frame (" + type_name(object) +
                     ") is in device memory, but nothing here runs on a GPU: copy it to the host as a NumPy array");
}

/// What `read` gives. The protocols are the producer's code, and what they give may be anything: what goes wrong in
/// there is the reason for refusing the frame.
template <class Read>
ForeignArray unless_malformed(const py::object& object, const char* protocol, Read read) {
  const auto refuse = [&](const std::string& reason) {
    return InputError("the frame (" + type_name(object) + ") cannot be read through its " + protocol + ": " + reason);
  };
  try {
    return read();
  } catch (const py::cast_error& error) {
    throw refuse(error.what());
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_Exception)) throw;  // an interrupt is nobody's fault
    throw refuse(type_name(error.value()) + ": " + std::string(py::str(error.value())));
  }
}

std::string devices_text(const std::vector<FrameConsumer>& consumers) {
  std::string text;
  for (const FrameConsumer& one : consumers) text += (text.empty() ? "cuda:" : ", cuda:") + std::to_string(one.device);
  return text;
}

/// Torch gives a tensor away only while its device is current.
ForeignArray from_dlpack_device(const py::object& object, const std::vector<FrameConsumer>& consumers) {
  const auto device = object.attr("__dlpack_device__")().cast<py::tuple>();
  const int type = py::int_(device[0]).cast<int>(), ordinal = py::int_(device[1]).cast<int>();
  if (type != kDlCuda && type != kDlCudaManaged)
    throw InputError("expected a NumPy array or device memory, got " + type_name(object) +
                     " in host memory: convert with numpy.asarray(frame)");
  expect_gpu(object, consumers);
  const auto same = [&](const FrameConsumer& one) { return one.device == ordinal; };
  auto consumer = std::find_if(consumers.begin(), consumers.end(), same);
  if (consumer == consumers.end() && type == kDlCudaManaged) consumer = consumers.begin();
  if (consumer == consumers.end())
    throw InputError("the frame is on cuda:" + std::to_string(ordinal) + ", the Segmenter on " +
                     devices_text(consumers) + ": copy it there, or open a Segmenter on its device");
  ForeignArray array;
  consumer->on_device([&] { array = from_dlpack(object, consumer->stream); });
  array.device = ordinal;
  return array;
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string type_name(const py::handle& object) { return py::str(py::type::handle_of(object).attr("__name__")); }

std::optional<ForeignArray> foreign_array(const py::object& object, const std::vector<FrameConsumer>& consumers) {
  if (py::isinstance<py::array>(object)) return from_numpy(py::reinterpret_borrow<py::array>(object));
  if (py::hasattr(object, "__dlpack_device__"))
    return unless_malformed(object, "__dlpack__", [&] { return from_dlpack_device(object, consumers); });
  if (py::hasattr(object, "__cuda_array_interface__")) {
    expect_gpu(object, consumers);
    return unless_malformed(object, "__cuda_array_interface__", [&] { return from_cuda_interface(object); });
  }
  return std::nullopt;
}

}  // namespace rfseg::binding
