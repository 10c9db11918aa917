// rfseg._core.Masks: the public C++ Masks with NumPy arrays at its border. Outlines leave as views of what it keeps.
#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/module.hpp"

#include <rfseg/error.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>
#include <limits>
#include <memory>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

using Size = std::pair<int, int>;  // height, width
using Int32Array = py::array_t<std::int32_t, py::array::c_style>;
using Int64Array = py::array_t<std::int64_t, py::array::c_style>;

ImageSize size_from(Size size) { return {size.first, size.second}; }

template <class T, class Array>
std::vector<T> vector_from(const Array& array) {
  std::vector<T> values(static_cast<std::size_t>(array.nbytes()) / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), array.data(), values.size() * sizeof(T));
  return values;
}

Masks from_dense(const py::array_t<bool, py::array::c_style>& pixels) {
  if (pixels.ndim() != 3)
    throw InputError("expected masks [K, H, W], got " + std::to_string(pixels.ndim()) + " dimensions");
  for (py::ssize_t axis = 0; axis < 3; ++axis) {  // an array without pixels can have any shape
    if (pixels.shape(axis) > std::numeric_limits<int>::max())
      throw InputError("expected fewer than 2^31 masks, rows and columns, got " + std::to_string(pixels.shape(axis)));
  }
  const ImageSize size{static_cast<int>(pixels.shape(1)), static_cast<int>(pixels.shape(2))};
  const auto* data = reinterpret_cast<const std::uint8_t*>(pixels.data());
  const int count = static_cast<int>(pixels.shape(0));
  const Unlocked released;
  return Masks::from_dense(size, data, count);
}

py::array dense(const Masks& masks) {
  const ImageSize size = masks.image_size();
  py::array_t<bool> pixels({static_cast<py::ssize_t>(masks.size()), static_cast<py::ssize_t>(size.height),
                            static_cast<py::ssize_t>(size.width)});
  auto* data = reinterpret_cast<std::uint8_t*>(pixels.mutable_data());
  const std::size_t stride = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  {
    const Unlocked released;
    for (int i = 0; i < masks.size(); ++i) masks.dense(i, data + static_cast<std::size_t>(i) * stride);
  }
  return pixels;
}

py::array area(const Masks& masks) {
  std::vector<std::int64_t> values;
  for (int i = 0; i < masks.size(); ++i) values.push_back(masks.area(i));
  return array_from<std::int64_t>(std::move(values), {masks.size()});
}

py::array bounds(const Masks& masks) {
  std::vector<PixelBounds> values;
  for (int i = 0; i < masks.size(); ++i) values.push_back(masks.bounds(i));
  return array_from<std::int32_t>(std::move(values), {masks.size(), 4});
}

py::list coco(const Masks& masks) {
  py::list counts;
  for (int i = 0; i < masks.size(); ++i) counts.append(py::bytes(masks.coco(i)));
  return counts;
}

/// A read-only view of an outline that `owner` keeps; (0, 2) for an empty one.
py::array outline_view(const Outline& outline, const py::object& owner) {
  py::array view(py::dtype::of<std::int32_t>(), {static_cast<py::ssize_t>(outline.size()), py::ssize_t{2}},
                 outline.data(), owner);
  py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return view;
}

py::object instance_outlines(const std::vector<Polygon>& polygons, OutlineMode mode, const py::object& owner) {
  if (mode == OutlineMode::largest)
    return polygons.empty() ? outline_view({}, owner) : outline_view(polygons.front().exterior, owner);
  py::list parts;
  for (const Polygon& polygon : polygons) {
    if (mode == OutlineMode::external) {
      parts.append(outline_view(polygon.exterior, owner));
    } else {
      py::list holes;
      for (const Outline& hole : polygon.holes) holes.append(outline_view(hole, owner));
      parts.append(py::make_tuple(outline_view(polygon.exterior, owner), std::move(holes)));
    }
  }
  return parts;
}

/// Keeps Python's collector from walking lists that only grow: with a million outlines it takes most of the time.
class PausedCollector {
 public:
  PausedCollector() : was_on_(PyGC_Disable() == 1) {}
  ~PausedCollector() {
    if (was_on_) PyGC_Enable();
  }
  PausedCollector(const PausedCollector&) = delete;
  PausedCollector& operator=(const PausedCollector&) = delete;

 private:
  bool was_on_;
};

py::list polygons(const py::object& self, const std::string& mode_name) {
  const auto& masks = self.cast<const Masks&>();
  const OutlineMode mode = outline_mode(mode_name);
  {
    const Unlocked released;
    for (int i = 0; i < masks.size(); ++i) masks.polygons(i, mode);
  }
  const PausedCollector paused;
  py::list instances;
  for (int i = 0; i < masks.size(); ++i) instances.append(instance_outlines(masks.polygons(i, mode), mode, self));
  return instances;
}

py::list simplified(const Masks& masks, double tolerance_px) {
  std::vector<std::vector<Polygon>> polygons;
  {
    const py::gil_scoped_release released;
    for (int i = 0; i < masks.size(); ++i) polygons.push_back(masks.simplified(i, tolerance_px));
  }
  const PausedCollector paused;
  auto kept = std::make_unique<std::vector<std::vector<Polygon>>>(std::move(polygons));
  const auto& outlines = *kept;
  const py::capsule owner(kept.get(), [](void* pointer) {
    std::unique_ptr<std::vector<std::vector<Polygon>>>(static_cast<std::vector<std::vector<Polygon>>*>(pointer));
  });
  kept.release();
  py::list instances;
  for (const std::vector<Polygon>& parts : outlines)
    instances.append(instance_outlines(parts, OutlineMode::edge, owner));
  return instances;
}

py::list crop_lengths(const Masks& masks) {
  py::list lengths;
  for (int i = 0; i < masks.size(); ++i) {
    std::vector<std::int32_t> values = masks.crop_lengths(i);
    const auto count = static_cast<py::ssize_t>(values.size());
    lengths.append(array_from<std::int32_t>(std::move(values), {count}));
  }
  return lengths;
}

py::array iou(const Masks& masks, const Masks& other) {
  std::vector<double> values;
  {
    const Unlocked released;
    values = masks.iou(other);
  }
  return array_from<double>(std::move(values), {masks.size(), other.size()});
}

py::tuple columns(const Masks& masks) {
  Masks::Columns columns = masks.columns();
  const auto runs = static_cast<py::ssize_t>(columns.runs.size());
  const auto offsets = static_cast<py::ssize_t>(columns.offsets.size());
  const auto instances = static_cast<py::ssize_t>(columns.mask_of_instance.size());
  return py::make_tuple(Size{masks.image_size().height, masks.image_size().width},
                        array_from<std::int32_t>(std::move(columns.runs), {runs, 2}),
                        array_from<std::int64_t>(std::move(columns.offsets), {offsets}),
                        array_from<std::int32_t>(std::move(columns.mask_of_instance), {instances}));
}

Masks from_columns(Size size, const Int32Array& runs, const Int64Array& offsets, const Int32Array& mask_of_instance) {
  return Masks::from_runs(size_from(size), vector_from<Run>(runs), vector_from<std::int64_t>(offsets),
                          vector_from<std::int32_t>(mask_of_instance));
}

}  // namespace

void register_masks(py::module_& module) {
  py::class_<Masks>(module, "Masks")
      .def_static("from_columns", &from_columns)
      .def_static("from_dense", &from_dense)
      .def_static(
          "from_coco",
          [](Size size, const std::vector<std::string>& counts) { return Masks::from_coco(size_from(size), counts); })
      .def("__len__", &Masks::size)
      .def_property_readonly(
          "image_size",
          [](const Masks& masks) { return py::make_tuple(masks.image_size().height, masks.image_size().width); })
      .def("dense", &dense)
      .def("area", &area)
      .def("bounds", &bounds)
      .def("coco", &coco)
      .def("polygons", &polygons)
      .def("simplified", &simplified)
      .def("crop_lengths", &crop_lengths)
      .def("iou", &iou)
      .def("select", &Masks::select)
      .def("columns", &columns);
}

}  // namespace rfseg::binding
