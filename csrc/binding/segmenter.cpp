// rfseg._core.Segmenter: the public Segmenter with Python's lock let go wherever it waits or works, and an end that
// waits for those inside.
#include "binding/arrays.hpp"
#include "binding/gil.hpp"
#include "binding/image_from_python.hpp"
#include "binding/info_to_python.hpp"
#include "binding/module.hpp"
#include "binding/options_from_python.hpp"
#include "binding/text.hpp"
#include "binding/ticket.hpp"

#include <rfseg/error.hpp>
#include <rfseg/segmenter.hpp>

#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

/// Segmenters that the calls of this thread are inside of, the innermost last: a frame's producer, or a log callback,
/// may call again.
std::vector<const void*>& inside() {
  thread_local std::vector<const void*> segmenters;
  return segmenters;
}

class BoundSegmenter {
  /// One call's use of the Segmenter, which lives as long. Made and ended with Python's lock.
  class Use {
   public:
    explicit Use(BoundSegmenter& bound) : bound_(bound), segmenter_(bound.segmenter_) {
      if (!segmenter_) throw Error("this Segmenter is closed");
      ++bound_.users_;
      inside().push_back(&bound_);
    }
    ~Use() {
      inside().pop_back();
      --bound_.users_;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    Segmenter& operator*() const { return *segmenter_; }
    Segmenter* operator->() const { return segmenter_.get(); }

    /// What `work` gives, without Python's lock.
    template <class Work>
    auto unlocked(const Work& work) const {
      const Unlocked released;
      return work(*segmenter_);
    }

   private:
    BoundSegmenter& bound_;
    std::shared_ptr<Segmenter> segmenter_;
  };

 public:
  BoundSegmenter(const std::string& model, const Options& options, PixelFormat format) : format_(format) {
    {
      const Unlocked released;
      segmenter_ = std::make_shared<Segmenter>(model, options);
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();  // Ctrl-C while the model was opened
    names_ = segmenter_->names();
    info_ = segmenter_->info();
    for (std::size_t gpu = 0; gpu < info_.gpu_ordinals.size(); ++gpu)
      consumers_.push_back(
          {segmenter_->frame_stream(static_cast<int>(gpu)), info_.gpu_ordinals[gpu],
           [this, gpu](const std::function<void()>& work) { segmenter_->on_device(work, static_cast<int>(gpu)); }});
  }
  ~BoundSegmenter() {
    const Unlocked released;
    segmenter_.reset();
  }

  Ticket submit(const py::object& frame, const py::object& asked, const py::object& color) {
    const Use use(*this);
    const PythonFrame seen = view(frame, color);
    const FrameOptions options = frame_options(asked);
    return use.unlocked([&](Segmenter& s) { return s.start(seen.image, options); });
  }

  std::vector<Ticket> submit_all(const py::list& frames, const py::object& asked,
                                 const std::vector<py::object>& colors) {
    const Use use(*this);
    std::vector<PythonFrame> seen;
    std::vector<ImageView> images;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      seen.push_back(view(frames[i], colors.at(i)));
      images.push_back(seen.back().image);
    }
    const FrameOptions options = frame_options(asked);
    return use.unlocked([&](Segmenter& s) { return s.start(images, options); });
  }

  py::tuple infer(const py::object& frame, const py::object& asked, const py::object& color) {
    return columns_from(take_interruptibly(submit(frame, asked, color)));
  }

  /// (columns, input, dets, labels, masks) of each frame; the frames start together.
  py::list infer_with_tensors(const py::list& frames);

  py::tuple postprocess_tensors(const NetworkTensors& tensors, ImageSize size) {
    const Use use(*this);
    return columns_from(use.unlocked([&](Segmenter& s) { return s.postprocess(tensors, size); }));
  }

  py::array frame_buffer(std::pair<int, int> size);

  double network_ms(int runs, int contexts, int batch) {
    const Use use(*this);
    return use.unlocked([&](Segmenter& s) { return s.network_ms(runs, contexts, batch); });
  }

  void close() {
    const std::shared_ptr<Segmenter> closing = std::move(segmenter_);
    const auto& mine = inside();
    if (std::find(mine.begin(), mine.end(), this) != mine.end()) {
      segmenter_ = closing;
      throw Error("this Segmenter is at work in a call that this one comes from: close it afterwards");
    }
    if (!closing) return;
    counters_ = closing->counters();
    while (users_ > 0) {  // new ones are refused from here on
      const Unlocked released;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const Unlocked released;
    const_cast<std::shared_ptr<Segmenter>&>(closing).reset();
  }
  bool closed() const { return segmenter_ == nullptr; }

  const ClassNames& names() const { return names_; }
  const Info& info() const { return info_; }
  Counters counters() const { return segmenter_ ? segmenter_->counters() : counters_; }

 private:
  PythonFrame view(const py::handle& frame, const py::object& color) const {
    const PixelFormat format = color.is_none() ? format_ : pixel_format(color.cast<std::string>());
    return image_from_python(py::reinterpret_borrow<py::object>(frame), format, consumers_);
  }

  PixelFormat format_;
  ClassNames names_;  // these two never change
  Info info_;
  std::vector<FrameConsumer> consumers_;  // of every GPU
  // Guarded by Python's lock:
  std::shared_ptr<Segmenter> segmenter_;
  int users_ = 0;
  Counters counters_;  // once it is closed
};

py::list BoundSegmenter::infer_with_tensors(const py::list& frames) {
  const Use use(*this);
  std::vector<PythonFrame> seen;
  std::vector<ImageView> images;
  for (const py::handle frame : frames) {
    seen.push_back(view(frame, py::none()));
    images.push_back(seen.back().image);
  }
  std::vector<NetworkTensors> tensors;
  std::vector<Result> results = use.unlocked([&](Segmenter& s) { return s.infer(images, {}, &tensors); });
  const py::ssize_t queries = info_.queries;
  py::list answers;
  for (std::size_t i = 0; i < results.size(); ++i)
    answers.append(py::make_tuple(
        columns_from(std::move(results[i])),
        array_from<float>(std::move(tensors[i].input), {3, info_.network_size.height, info_.network_size.width}),
        array_from<float>(std::move(tensors[i].dets), {queries, 4}),
        array_from<float>(std::move(tensors[i].labels), {queries, info_.columns}),
        array_from<float>(std::move(tensors[i].masks), {queries, info_.mask_size.height, info_.mask_size.width})));
  return answers;
}

/// A pinned array [height, width, 3] that keeps its memory alive.
py::array BoundSegmenter::frame_buffer(std::pair<int, int> size) {
  const Use use(*this);
  auto buffer = use.unlocked([=](Segmenter& s) {
    return std::make_unique<FrameBuffer>(s.frame_buffer({size.first, size.second}));
  });
  std::uint8_t* data = buffer->data();
  const py::capsule owner(buffer.get(),
                          [](void* held) { std::unique_ptr<FrameBuffer>(static_cast<FrameBuffer*>(held)); });
  buffer.release();
  return py::array(py::dtype::of<std::uint8_t>(), {size.first, size.second, 3}, data, owner);
}

template <class Array>
std::vector<float> flat(const Array& array) {
  return std::vector<float>(array.data(), array.data() + array.size());
}

py::tuple postprocess_tensors(BoundSegmenter& self, const FloatArray& dets, const FloatArray& labels,
                              const FloatArray& masks, std::pair<int, int> size) {
  return self.postprocess_tensors({{}, flat(dets), flat(labels), flat(masks)}, {size.first, size.second});
}

std::unique_ptr<BoundSegmenter> make(const py::object& model, const py::kwargs& arguments) {
  const PixelFormat format = pixel_format(word_of(arguments, "color"));
  return std::make_unique<BoundSegmenter>(path_text(model, "model"), options_from_python(arguments), format);
}

}  // namespace

void register_segmenter(py::module_& module) {
  py::class_<BoundSegmenter>(module, "Segmenter")
      .def(py::init(&make), py::arg("model"))
      .def("infer", &BoundSegmenter::infer, py::arg("frame"), py::arg("asked") = py::none(),
           py::arg("color") = py::none())
      .def("submit", &BoundSegmenter::submit, py::arg("frame"), py::arg("asked") = py::none(),
           py::arg("color") = py::none())
      .def("submit_all", &BoundSegmenter::submit_all)
      .def("infer_with_tensors", &BoundSegmenter::infer_with_tensors)
      .def("postprocess_tensors", &postprocess_tensors)
      .def("frame_buffer", &BoundSegmenter::frame_buffer)
      .def("network_ms", &BoundSegmenter::network_ms)
      .def("close", &BoundSegmenter::close)
      .def_property_readonly("closed", &BoundSegmenter::closed)
      .def_property_readonly("counters", [](const BoundSegmenter& self) { return counters_dict(self.counters()); })
      .def_property_readonly("names", &BoundSegmenter::names, py::return_value_policy::copy)
      .def_property_readonly("info", [](const BoundSegmenter& self) { return info_dict(self.info()); });
}

}  // namespace rfseg::binding
