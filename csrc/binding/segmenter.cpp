// rfseg._core.Segmenter: the public Segmenter behind a lock that refuses a second thread, and with the GIL released
// wherever it waits or works.
#include "binding/arrays.hpp"
#include "binding/image_from_python.hpp"
#include "binding/module.hpp"
#include "binding/options_from_python.hpp"
#include "binding/text.hpp"

#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <optional>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

class BoundSegmenter {
  /// The turn of one call, from the first look at its frame on. No mutex: a log callback or a frame's producer may come
  /// back on the same thread, and is refused too.
  class Turn {
   public:
    explicit Turn(std::atomic<bool>& taken) : taken_(taken) {
      if (taken.exchange(true))
        throw Error(
            "this Segmenter is at work, in another thread or in a call that this one comes from: use one "
            "Segmenter per thread");
    }
    ~Turn() { taken_ = false; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::atomic<bool>& taken_;
  };

  /// Keeps the counters as they are when work ends, for any thread to read: under the GIL, which is what guards them.
  struct KeepCounters {
    BoundSegmenter& self;
    ~KeepCounters() { self.counters_ = self.segmenter_->counters(); }
  };

  // These two before their callers: what they return is deduced from their bodies.
  template <class Work>
  auto unlocked(Work work) {
    const KeepCounters keep{*this};
    const py::gil_scoped_release released;  // last, so that it ends before the counters are kept
    return work(*segmenter_);
  }

  void expect_open() const {
    if (!segmenter_) throw Error("this Segmenter is closed");
  }

  template <class Work>
  auto exclusively(Work work) {
    const Turn turn(taken_);
    expect_open();
    return unlocked(work);
  }

  /// With a view of `frame`, whose producer may be asked to order its work before this Segmenter's: it must be there.
  template <class Work>
  auto with_frame(const py::object& frame, Work work) {
    const Turn turn(taken_);
    expect_open();
    std::optional<PythonFrame> seen;  // torch gives a tensor away only while its device is current
    segmenter_->on_device([&] { seen = image_from_python(frame, format_, consumer_); });
    return unlocked([&](Segmenter& s) { return work(s, seen->image); });
  }

 public:
  BoundSegmenter(const std::string& model, const Options& options, PixelFormat format) : format_(format) {
    const py::gil_scoped_release released;
    segmenter_ = std::make_unique<Segmenter>(model, options);
    names_ = segmenter_->names();
    info_ = segmenter_->info();
    counters_ = segmenter_->counters();
    consumer_ = {segmenter_->frame_stream(), info_.gpu_ordinal};
  }
  ~BoundSegmenter() {
    const py::gil_scoped_release released;
    segmenter_.reset();
  }

  py::tuple infer(const py::object& frame) {
    return columns_from(with_frame(frame, [](Segmenter& s, const ImageView& image) { return s.infer(image); }));
  }
  void submit(const py::object& frame) {
    with_frame(frame, [](Segmenter& s, const ImageView& image) { s.submit(image); });
  }
  py::tuple collect() {
    return columns_from(exclusively([](Segmenter& s) { return s.collect(); }));
  }
  py::tuple infer_with_tensors(const py::object& frame);
  py::tuple postprocess_tensors(NetworkTensors tensors, ImageSize size) {
    return columns_from(exclusively([&](Segmenter& s) { return s.postprocess(tensors, size); }));
  }
  py::array frame_buffer(std::pair<int, int> size);
  double network_ms(int runs, int contexts) {
    return exclusively([=](Segmenter& s) { return s.network_ms(runs, contexts); });
  }
  void discard_pending() {
    exclusively([](Segmenter& s) { s.discard_pending(); });
  }
  int pending() {
    const Turn turn(taken_);
    return segmenter_ ? segmenter_->pending() : 0;
  }
  void close() {
    const Turn turn(taken_);
    const py::gil_scoped_release released;
    segmenter_.reset();
  }
  bool closed() {
    const Turn turn(taken_);
    return segmenter_ == nullptr;
  }
  const ClassNames& names() const { return names_; }
  const Info& info() const { return info_; }
  const Counters& counters() const { return counters_; }

 private:
  PixelFormat format_;
  ClassNames names_;  // these two never change, so any thread may ask for them at any time
  Info info_;
  Counters counters_;
  FrameConsumer consumer_;
  std::atomic<bool> taken_{false};
  std::unique_ptr<Segmenter> segmenter_;
};

/// (columns, input, dets, labels, masks).
py::tuple BoundSegmenter::infer_with_tensors(const py::object& frame) {
  NetworkTensors tensors;
  Result result = with_frame(frame, [&](Segmenter& s, const ImageView& image) { return s.infer(image, &tensors); });
  const py::ssize_t queries = info_.queries;
  return py::make_tuple(
      columns_from(std::move(result)),
      array_from<float>(std::move(tensors.input), {3, info_.network_size.height, info_.network_size.width}),
      array_from<float>(std::move(tensors.dets), {queries, 4}),
      array_from<float>(std::move(tensors.labels), {queries, info_.columns}),
      array_from<float>(std::move(tensors.masks), {queries, info_.mask_size.height, info_.mask_size.width}));
}

/// A pinned array [height, width, 3] that keeps its memory alive.
py::array BoundSegmenter::frame_buffer(std::pair<int, int> size) {
  auto buffer = exclusively([=](Segmenter& s) {
    return std::make_unique<FrameBuffer>(s.frame_buffer({size.first, size.second}));
  });
  std::uint8_t* data = buffer->data();
  const py::capsule owner(buffer.get(),
                          [](void* held) { std::unique_ptr<FrameBuffer>(static_cast<FrameBuffer*>(held)); });
  buffer.release();
  return py::array(py::dtype::of<std::uint8_t>(), {size.first, size.second, 3}, data, owner);
}

py::dict counters_dict(const Counters& counters) {
  py::dict dict;
  dict["slow_frames"] = counters.slow_frames;
  dict["device_allocations"] = counters.device_allocations;
  dict["module_loads"] = counters.module_loads;
  dict["bytes_back"] = counters.bytes_back;
  return dict;
}

template <class Array>
std::vector<float> flat(const Array& array) {
  return std::vector<float>(array.data(), array.data() + array.size());
}

py::tuple postprocess_tensors(BoundSegmenter& self, const FloatArray& dets, const FloatArray& labels,
                              const FloatArray& masks, std::pair<int, int> size) {
  return self.postprocess_tensors({{}, flat(dets), flat(labels), flat(masks)}, {size.first, size.second});
}

py::dict info_dict(const Info& info) {
  py::dict dict;
  dict["model"] = path_object(info.model);
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
  dict["resize"] = info.resize == Resize::pil ? "pil" : "bilinear";
  if (!info.producer.empty()) dict["producer"] = info.producer;
  if (!info.gpu.empty()) {
    dict["gpu"] = info.gpu;
    dict["input_precision"] = info.input_precision;
    dict["stages"] = info.stages == Stages::device ? "device" : "host";
  }
  return dict;
}

std::unique_ptr<BoundSegmenter> make(const py::object& model, const py::kwargs& arguments) {
  const PixelFormat format = pixel_format(word_of(arguments, "color"));
  return std::make_unique<BoundSegmenter>(path_text(model, "model"), options_from_python(arguments), format);
}

}  // namespace

void register_segmenter(py::module_& module) {
  py::class_<BoundSegmenter>(module, "Segmenter")
      .def(py::init(&make), py::arg("model"))
      .def("infer", &BoundSegmenter::infer)
      .def("infer_with_tensors", &BoundSegmenter::infer_with_tensors)
      .def("postprocess_tensors", &postprocess_tensors)
      .def("frame_buffer", &BoundSegmenter::frame_buffer)
      .def_property_readonly("counters", [](const BoundSegmenter& self) { return counters_dict(self.counters()); })
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
