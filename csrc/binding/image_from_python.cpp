#include "binding/image_from_python.hpp"

#include "binding/planes.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <limits>

namespace py = pybind11;

namespace rfseg::binding {

namespace {

std::string dtype_advice(const std::string& dtype) {
  if (dtype.rfind("float", 0) == 0 || dtype.rfind("bfloat", 0) == 0)
    return "multiply by 255 and convert, if it holds 0..1: (frame * 255).round().astype(numpy.uint8)";
  if (dtype == "bool") return "convert with frame.astype(numpy.uint8) * 255";
  return "convert with frame.astype(numpy.uint8), after scaling to 0..255";
}

[[noreturn]] void refuse_grey(const std::string& shape) {
  throw InputError("expected 3 channels, got 1: a grey frame " + shape +
                   "; convert with cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)");
}

[[noreturn]] void refuse_shape(const ForeignArray& array) {
  const std::string shape = shape_text(array.shape);
  const std::size_t rank = array.shape.size();
  if (rank == 2) refuse_grey(shape);
  if (rank == 4) throw InputError("expected one frame [H, W, 3], got a batch " + shape + ": pass one frame at a time");
  if (rank != 3) throw InputError("expected a frame [H, W, 3], got " + shape);
  if (array.shape[0] == 3)
    throw InputError("expected a frame [H, W, 3], got " + shape +
                     ", which looks like [3, H, W]: use frame.transpose(1, 2, 0)");
  if (array.shape[2] == 1) refuse_grey(shape);
  if (array.shape[2] == 4)
    throw InputError("expected 3 channels, got 4: a frame " + shape + " with alpha; drop it with frame[:, :, :3]");
  throw InputError("expected 3 channels, got " + std::to_string(array.shape[2]) + ": a frame " + shape);
}

void validate(const ForeignArray& array) {
  if (array.dtype != "uint8") throw InputError("expected uint8, got " + array.dtype + ": " + dtype_advice(array.dtype));
  if (array.shape.size() != 3 || array.shape[2] != 3) refuse_shape(array);
  if (array.shape[0] == 0 || array.shape[1] == 0)
    throw InputError("the frame " + shape_text(array.shape) + " is empty: it has no pixels");
  if (std::max(array.shape[0], array.shape[1]) > std::numeric_limits<int>::max())
    throw InputError("the frame " + shape_text(array.shape) + " is too large: a side must have fewer than 2^31 pixels");
}

}  // namespace

PythonFrame image_from_python(const py::object& frame, PixelFormat format,
                              const std::vector<FrameConsumer>& consumers) {
  if (py::isinstance<Planes>(frame)) return frame.cast<const Planes&>().view(consumers);
  const std::optional<ForeignArray> found = foreign_array(frame, consumers);
  if (!found) {
    throw InputError("expected a NumPy array uint8 [H, W, 3], got " + type_name(frame) +
                     ": convert with numpy.asarray(frame)");
  }
  validate(*found);
  const ForeignArray& array = *found;
  return {{array.data, static_cast<int>(array.shape[0]), static_cast<int>(array.shape[1]), row_bytes_of(array), format,
           array.strides[1], array.strides[2], array.memory, array.producer_stream},
          array.owner};
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
