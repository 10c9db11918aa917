#include "binding/image_from_python.hpp"

#include <rfseg/error.hpp>

#include <pybind11/numpy.h>

#include <limits>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

std::string shape_text(const py::array& array) {
  std::string text = "[";
  for (py::ssize_t i = 0; i < array.ndim(); ++i) text += (i ? ", " : "") + std::to_string(array.shape(i));
  return text + "]";
}

std::string dtype_advice(const py::dtype& dtype) {
  switch (dtype.kind()) {
    case 'f':
      return "multiply by 255 and convert, if it holds 0..1: (frame * 255).round().astype(numpy.uint8)";
    case 'b':
      return "convert with frame.astype(numpy.uint8) * 255";
    default:
      return "convert with frame.astype(numpy.uint8), after scaling to 0..255";
  }
}

[[noreturn]] void refuse_shape(const py::array& array) {
  const std::string shape = shape_text(array);
  if (array.ndim() == 2)
    throw InputError("expected 3 channels, got 1: a grey frame " + shape +
                     "; convert with cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)");
  if (array.ndim() == 4)
    throw InputError("expected one frame [H, W, 3], got a batch " + shape + ": pass one frame at a time");
  if (array.ndim() != 3) throw InputError("expected a frame [H, W, 3], got " + shape);
  if (array.shape(0) == 3)
    throw InputError("expected a frame [H, W, 3], got " + shape +
                     ", which looks like [3, H, W]: use frame.transpose(1, 2, 0)");
  const std::string channels = std::to_string(array.shape(2));
  if (array.shape(2) == 4)
    throw InputError("expected 3 channels, got 4: a frame " + shape + " with alpha; drop it with frame[:, :, :3]");
  if (array.shape(2) == 1)
    throw InputError("expected 3 channels, got 1: a grey frame " + shape +
                     "; convert with cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)");
  throw InputError("expected 3 channels, got " + channels + ": a frame " + shape);
}

}  // namespace

ImageView image_from_python(const py::handle& frame, PixelFormat format) {
  if (!py::isinstance<py::array>(frame)) {
    const std::string type = py::str(py::type::handle_of(frame).attr("__name__"));
    throw InputError("expected a NumPy array uint8 [H, W, 3], got " + type + ": convert with numpy.asarray(frame)");
  }
  const auto array = py::reinterpret_borrow<py::array>(frame);
  if (!array.dtype().equal(py::dtype::of<std::uint8_t>()))
    throw InputError("expected uint8, got " + std::string(py::str(array.dtype())) + ": " + dtype_advice(array.dtype()));
  if (array.ndim() != 3 || array.shape(2) != 3) refuse_shape(array);
  if (array.shape(0) == 0 || array.shape(1) == 0)
    throw InputError("the frame " + shape_text(array) + " is empty: it has no pixels");
  constexpr py::ssize_t kMost = std::numeric_limits<int>::max();
  if (array.shape(0) > kMost / array.shape(1))
    throw InputError("the frame " + shape_text(array) + " is too large: it must have fewer than 2^31 pixels");
  ImageView view;
  view.data = static_cast<const std::uint8_t*>(array.data());
  view.height = static_cast<int>(array.shape(0));
  view.width = static_cast<int>(array.shape(1));
  view.row_bytes = array.strides(0);
  view.format = format;
  view.pixel_bytes = array.strides(1);
  view.channel_bytes = array.strides(2);
  return view;
}

PixelFormat pixel_format(const std::string& color) {
  if (color == "bgr") return PixelFormat::bgr8;
  if (color == "rgb") return PixelFormat::rgb8;
  throw InputError("color is '" + color + "': it must be \"bgr\" or \"rgb\"");
}

Resize resize_mode(const std::string& resize) {
  if (resize == "pil") return Resize::pil;
  if (resize == "bilinear") return Resize::bilinear;
  throw InputError("resize is '" + resize + "': it must be \"pil\" or \"bilinear\"");
}

}  // namespace rfseg::binding
