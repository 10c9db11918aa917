#include "binding/planes.hpp"

#include "binding/module.hpp"
#include "binding/plane_shape.hpp"

#include <rfseg/error.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

template <class Value, std::size_t N>
Value value_of(const std::string& word, const char* option, const std::array<std::pair<const char*, Value>, N>& words) {
  std::string known;
  for (const auto& [one, value] : words) {
    if (word == one) return value;
    known += (known.empty() ? "\"" : ", \"") + std::string(one) + "\"";
  }
  throw InputError(std::string(option) + " is '" + word + "': it must be one of " + known);
}

constexpr std::array<std::pair<const char*, PixelFormat>, 6> kFormats = {{{"nv12", PixelFormat::nv12},
                                                                          {"i420", PixelFormat::i420},
                                                                          {"i422", PixelFormat::i422},
                                                                          {"i444", PixelFormat::i444},
                                                                          {"p010", PixelFormat::p010},
                                                                          {"i010", PixelFormat::i010}}};
constexpr std::array<std::pair<const char*, ColorMatrix>, 4> kMatrices = {{{"auto", ColorMatrix::unstated},
                                                                           {"bt601", ColorMatrix::bt601},
                                                                           {"bt709", ColorMatrix::bt709},
                                                                           {"bt2020", ColorMatrix::bt2020}}};

bool is_array(const py::object& plane) {
  return py::isinstance<py::array>(plane) || py::hasattr(plane, "__dlpack_device__") ||
         py::hasattr(plane, "__cuda_array_interface__");
}

[[noreturn]] void refuse_type(const py::object& plane, const char* name) {
  throw InputError(std::string("the ") + name + " plane is no array but " + type_name(plane) +
                   ": expected a NumPy array, or one that offers __dlpack__ or __cuda_array_interface__");
}

[[noreturn]] void refuse_memories() {
  throw InputError("the planes are in different memories: put all on the host, or all on one GPU");
}

/// The shape that an array of whatever library says it has.
std::vector<std::int64_t> shape_of(const py::handle& array) {
  try {
    if (py::hasattr(array, "shape")) return py::tuple(array.attr("shape")).cast<std::vector<std::int64_t>>();
    if (py::hasattr(array, "__cuda_array_interface__"))
      return array.attr("__cuda_array_interface__")["shape"].cast<std::vector<std::int64_t>>();
  } catch (const py::cast_error&) {  // nothing that a plane could have
  }
  return {};
}

ImageSize size_of_luma(const py::handle& luma) {
  const std::vector<std::int64_t> shape = shape_of(luma);
  if (shape.size() < 2)
    throw InputError("the Y plane (" + type_name(luma) +
                     ") does not tell the size of the frame: it must be an array [H, W]");
  if (std::max(shape[0], shape[1]) > std::numeric_limits<int>::max())
    throw InputError("the Y plane is too large: a side must have fewer than 2^31 pixels");
  return {static_cast<int>(shape[0]), static_cast<int>(shape[1])};
}

bool same_memory(const std::vector<ForeignArray>& arrays) {
  const auto& first = arrays.front();
  return std::all_of(arrays.begin(), arrays.end(), [&](const ForeignArray& one) {
    return one.memory == first.memory && (one.device < 0 || first.device < 0 || one.device == first.device);
  });
}

/// The stream that all planes come from; those that name none are there already.
std::optional<std::uintptr_t> producer_of(const std::vector<ForeignArray>& arrays) {
  std::optional<std::uintptr_t> producer;
  for (const ForeignArray& one : arrays) {
    if (producer && one.producer_stream && *producer != *one.producer_stream)
      throw InputError("the planes are made on several CUDA streams: make them on one, or let one wait for the others");
    if (one.producer_stream) producer = one.producer_stream;
  }
  return producer;
}

}  // namespace

Planes::Planes(py::tuple planes, std::string format, std::optional<std::pair<int, int>> size, std::string matrix,
               std::optional<bool> full_range)
    : planes_(std::move(planes)),
      format_word_(std::move(format)),
      matrix_word_(std::move(matrix)),
      full_range_(full_range),
      format_(value_of(format_word_, "format", kFormats)),
      matrix_(value_of(matrix_word_, "matrix", kMatrices)),
      size_is_stated_(size.has_value()) {
  const raster::PlanarFormat of = raster::planar_format(format_);
  if (static_cast<int>(planes_.size()) != raster::plane_count(of))
    throw InputError(format_word_ + " has " + std::to_string(raster::plane_count(of)) + " planes, " +
                     (of.interleaved ? "(Y, CbCr)" : "(Y, Cb, Cr)") + "; got " + std::to_string(planes_.size()));
  size_ = size ? ImageSize{size->first, size->second} : size_of_luma(planes_[0]);
  if (size_.height < 1 || size_.width < 1)
    throw InputError("the frame is " + std::to_string(size_.height) + " x " + std::to_string(size_.width) +
                     " (height x width): both must be at least 1");
  std::size_t on_host = 0;
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    const py::object plane = planes_[i];
    on_host += py::isinstance<py::array>(plane) ? 1 : 0;
    if (!is_array(plane)) refuse_type(plane, raster::plane_name(of, static_cast<int>(i)));
  }
  if (on_host == planes_.size()) view({});
  if (on_host > 0 && on_host < planes_.size()) refuse_memories();
}

PythonFrame Planes::view(const std::vector<FrameConsumer>& consumers) const {
  std::vector<ForeignArray> arrays;
  py::tuple owners(planes_.size());
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    const py::object plane = planes_[i];
    std::optional<ForeignArray> found = foreign_array(plane, consumers);
    if (!found) refuse_type(plane, raster::plane_name(raster::planar_format(format_), static_cast<int>(i)));
    owners[i] = found->owner;
    arrays.push_back(std::move(*found));
  }
  return {view_of(arrays), owners};
}

ImageView Planes::view_of(const std::vector<ForeignArray>& arrays) const {
  if (!same_memory(arrays)) refuse_memories();
  const PlaneRule rule{format_word_, raster::planar_format(format_), size_, size_is_stated_};
  const std::int64_t luma_rows =
      size_is_stated_ && !arrays.front().shape.empty() ? arrays.front().shape[0] : size_.height;
  std::vector<Plane> planes;
  for (std::size_t i = 0; i < arrays.size(); ++i)
    planes.push_back(plane_from(arrays[i], static_cast<int>(i), rule, luma_rows));
  ImageView view{planes[0].data, size_.height, size_.width, planes[0].row_bytes, format_};
  std::copy(planes.begin() + 1, planes.end(), view.chroma.begin());
  view.memory = arrays.front().memory;
  view.producer_stream = producer_of(arrays);
  view.matrix = matrix_;
  view.range = !full_range_ ? ColorRange::unstated : *full_range_ ? ColorRange::full : ColorRange::limited;
  return view;
}

void register_planes(py::module_& module) {
  py::class_<Planes>(module, "Planes")
      .def(py::init<py::tuple, std::string, std::optional<std::pair<int, int>>, std::string, std::optional<bool>>())
      .def_property_readonly("planes", &Planes::arrays)
      .def_property_readonly("format", &Planes::format)
      .def_property_readonly("size", &Planes::size)
      .def_property_readonly("matrix", &Planes::matrix)
      .def_property_readonly("full_range", &Planes::full_range);
}

}  // namespace rfseg::binding
