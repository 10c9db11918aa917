// rfseg._core.Segmenter: the public Segmenter behind a lock that refuses a second thread, and with the GIL released
// wherever it waits or works.
#include "binding/arrays.hpp"
#include "binding/image_from_python.hpp"
#include "binding/module.hpp"

#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <memory>
#include <mutex>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

/// Calls a Python function (level: int, sentence: str) from any thread; drops what comes when Python has ended.
LogCallback log_from(const py::object& function) {
  if (function.is_none()) return {};
  const std::shared_ptr<py::object> held(new py::object(function), [](py::object* object) {
    if (Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire acquired;
    delete object;
  });
  return [held](LogLevel level, const std::string& sentence) {
    if (Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire acquired;
    try {
      (*held)(static_cast<int>(level), sentence);
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("rfseg log callback");
    }
  };
}

class BoundSegmenter {
  // Before their callers: what `exclusively` returns is deduced from its body.
  std::unique_lock<std::mutex> claim() {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) throw Error("this Segmenter is at work in another thread: use one Segmenter per thread");
    return lock;
  }

  template <class Work>
  auto exclusively(Work work) {
    const std::unique_lock lock = claim();
    if (!segmenter_) throw Error("this Segmenter is closed");
    const py::gil_scoped_release released;
    return work(*segmenter_);
  }

 public:
  BoundSegmenter(const std::string& model, const Options& options, PixelFormat format) : format_(format) {
    const py::gil_scoped_release released;
    segmenter_ = std::make_unique<Segmenter>(model, options);
    names_ = segmenter_->names();
    info_ = segmenter_->info();
  }
  ~BoundSegmenter() {
    const py::gil_scoped_release released;
    segmenter_.reset();
  }

  py::tuple infer(const py::object& frame) {
    return columns_from(
        exclusively([view = image_from_python(frame, format_)](Segmenter& s) { return s.infer(view); }));
  }
  void submit(const py::object& frame) {
    exclusively([view = image_from_python(frame, format_)](Segmenter& s) { s.submit(view); });
  }
  py::tuple collect() {
    return columns_from(exclusively([](Segmenter& s) { return s.collect(); }));
  }
  py::tuple infer_with_tensors(const py::object& frame);
  double network_ms(int runs, int contexts) {
    return exclusively([=](Segmenter& s) { return s.network_ms(runs, contexts); });
  }
  void discard_pending() {
    exclusively([](Segmenter& s) { s.discard_pending(); });
  }
  int pending() {
    const std::unique_lock lock = claim();
    return segmenter_ ? segmenter_->pending() : 0;
  }
  void close() {
    const std::unique_lock lock = claim();
    const py::gil_scoped_release released;
    segmenter_.reset();
  }
  bool closed() {
    const std::unique_lock lock = claim();
    return segmenter_ == nullptr;
  }
  const ClassNames& names() const { return names_; }
  const Info& info() const { return info_; }

 private:
  PixelFormat format_;
  ClassNames names_;  // these two never change, so any thread may ask for them at any time
  Info info_;
  std::mutex mutex_;
  std::unique_ptr<Segmenter> segmenter_;
};

/// (columns, input, dets, labels, masks).
py::tuple BoundSegmenter::infer_with_tensors(const py::object& frame) {
  NetworkTensors tensors;
  Result result =
      exclusively([&, view = image_from_python(frame, format_)](Segmenter& s) { return s.infer(view, &tensors); });
  const py::ssize_t queries = info_.queries;
  return py::make_tuple(
      columns_from(std::move(result)),
      array_from<float>(std::move(tensors.input), {3, info_.network_size.height, info_.network_size.width}),
      array_from<float>(std::move(tensors.dets), {queries, 4}),
      array_from<float>(std::move(tensors.labels), {queries, info_.columns}),
      array_from<float>(std::move(tensors.masks), {queries, info_.mask_size.height, info_.mask_size.width}));
}

py::dict info_dict(const Info& info) {
  py::dict dict;
  dict["model"] = info.model;
  dict["device"] = info.device;
  dict["backend"] = info.backend;
  dict["library_version"] = info.library_version;
  dict["library_path"] = info.library_path;
  dict["precision"] = info.precision;
  dict["network_size"] = py::make_tuple(info.network_size.height, info.network_size.width);
  dict["mask_size"] = py::make_tuple(info.mask_size.height, info.mask_size.width);
  dict["queries"] = info.queries;
  dict["columns"] = info.columns;
  dict["slots"] = info.slots;
  dict["threads"] = info.threads;
  return dict;
}

std::unique_ptr<BoundSegmenter> make(const std::string& model, const std::string& device, float threshold,
                                     std::map<std::variant<int, std::string>, float> class_thresholds,
                                     int max_detections, const std::string& color, const std::string& resize,
                                     NamesOption names, int slots, int threads,
                                     const std::optional<std::string>& outlines, const std::string& onnxruntime,
                                     const py::object& log) {
  Options options;
  options.device = device;
  options.threshold = threshold;
  options.class_thresholds = std::move(class_thresholds);
  options.max_detections = max_detections;
  options.resize = resize_mode(resize);
  options.names = std::move(names);
  options.slots = slots;
  options.threads = threads;
  if (outlines) options.outlines = outline_mode(*outlines);
  options.onnxruntime = onnxruntime;
  options.log = log_from(log);
  return std::make_unique<BoundSegmenter>(model, options, pixel_format(color));
}

}  // namespace

void register_segmenter(py::module_& module) {
  py::class_<BoundSegmenter>(module, "Segmenter")
      .def(py::init(&make), py::arg("model"), py::kw_only(), py::arg("device"), py::arg("threshold"),
           py::arg("class_thresholds"), py::arg("max_detections"), py::arg("color"), py::arg("resize"),
           py::arg("names"), py::arg("slots"), py::arg("threads"), py::arg("outlines"), py::arg("onnxruntime"),
           py::arg("log"))
      .def("infer", &BoundSegmenter::infer)
      .def("infer_with_tensors", &BoundSegmenter::infer_with_tensors)
      .def("network_ms", &BoundSegmenter::network_ms)
      .def("submit", &BoundSegmenter::submit)
      .def("collect", &BoundSegmenter::collect)
      .def("discard_pending", &BoundSegmenter::discard_pending)
      .def("close", &BoundSegmenter::close)
      .def_property_readonly("closed", &BoundSegmenter::closed)
      .def_property_readonly("pending", &BoundSegmenter::pending)
      .def_property_readonly("names", &BoundSegmenter::names, py::return_value_policy::copy)
      .def_property_readonly("info", [](const BoundSegmenter& self) { return info_dict(self.info()); });
}

}  // namespace rfseg::binding
