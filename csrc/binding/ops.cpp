// rfseg._core.preprocess, convert and postprocess: the two ends of the pipeline on NumPy arrays.
#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/image_from_python.hpp"
#include "binding/module.hpp"
#include "binding/planes.hpp"

#include <rfseg/error.hpp>
#include <rfseg/ops.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

py::array preprocess(const py::object& frame, std::pair<int, int> size, const std::string& color,
                     const std::string& resize, const std::array<float, 3>& mean,
                     const std::array<float, 3>& deviation) {
  const PythonFrame seen = image_from_python(frame, pixel_format(color), {});
  const Resize mode = resize_mode(resize);
  if (size.first <= 0 || size.second <= 0)
    throw InputError("size is (" + std::to_string(size.first) + ", " + std::to_string(size.second) +
                     "): height and width must be positive");
  py::array_t<float> network(
      {py::ssize_t{3}, static_cast<py::ssize_t>(size.first), static_cast<py::ssize_t>(size.second)});
  float* data = network.mutable_data();
  const Unlocked released;
  ops::preprocess(seen.image, {size.first, size.second}, mode, data, {mean, deviation});
  return network;
}

py::array convert(const Planes& frame, const std::string& color) {
  const PixelFormat order = pixel_format(color);
  const PythonFrame seen = frame.view({});
  py::array_t<std::uint8_t> pixels(
      {static_cast<py::ssize_t>(seen.image.height), static_cast<py::ssize_t>(seen.image.width), py::ssize_t{3}});
  std::uint8_t* data = pixels.mutable_data();
  const Unlocked released;
  ops::convert(seen.image, order, data);
  return pixels;
}

py::array_t<float> raw_output(const py::array& array, const char* name, py::ssize_t rank) {
  if (!array.dtype().equal(py::dtype::of<float>()))
    throw InputError(std::string(name) + ": expected float32, got " + std::string(py::str(array.dtype())) +
                     ": convert with .astype(numpy.float32)");
  if (array.ndim() == rank + 1)
    throw InputError(std::string(name) + ": expected the outputs of one image, got a batch: pass " + name + "[i]");
  if (array.ndim() != rank)
    throw InputError(std::string(name) + ": expected " + std::to_string(rank) + " dimensions, got " +
                     std::to_string(array.ndim()));
  return py::array_t<float, py::array::c_style>::ensure(array);
}

py::tuple postprocess(const py::array& dets, const py::array& labels, const py::array& masks,
                      std::pair<int, int> image_size, float threshold, int max_detections,
                      std::optional<int> num_classes) {
  const auto d = raw_output(dets, "dets", 2);
  const auto l = raw_output(labels, "labels", 2);
  const auto m = raw_output(masks, "masks", 3);
  if (d.shape(1) != 4) throw InputError("dets: expected [Q, 4], got [Q, " + std::to_string(d.shape(1)) + "]");
  if (d.shape(0) != l.shape(0) || d.shape(0) != m.shape(0))
    throw InputError("dets, labels and masks disagree on the number of queries: " + std::to_string(d.shape(0)) + ", " +
                     std::to_string(l.shape(0)) + ", " + std::to_string(m.shape(0)));
  const ops::RawOutputs outputs{d.data(),
                                l.data(),
                                m.data(),
                                static_cast<int>(d.shape(0)),
                                static_cast<int>(l.shape(1)),
                                {static_cast<int>(m.shape(1)), static_cast<int>(m.shape(2))}};
  Result result;
  {
    const Unlocked released;
    result = ops::postprocess(outputs, {image_size.first, image_size.second}, threshold, max_detections, num_classes);
  }
  return columns_from(std::move(result));
}

}  // namespace

void register_ops(py::module_& module) {
  module.def("preprocess", &preprocess);
  module.def("convert", &convert);
  module.def("postprocess", &postprocess);
}

}  // namespace rfseg::binding
