// Views a caller's frame without copying it, or refuses it with a sentence that says how to fix it.
#pragma once

#include "binding/foreign_array.hpp"

#include <rfseg/image.hpp>

#include <pybind11/pybind11.h>

#include <string>

namespace rfseg::binding {

/// A frame seen through Python. Needs the GIL to be made and destroyed.
struct PythonFrame {
  ImageView image;
  pybind11::object owner;  ///< keeps the pixels
};

/// The uint8 array [H, W, 3] that `frame` is, any strides: a NumPy array, or one in device memory that offers
/// `__dlpack__` or `__cuda_array_interface__`, for one of `consumers`; or the Planes, whose format is their own.
/// @throws InputError  another type, dtype, rank or channel count, or no pixels
PythonFrame image_from_python(const pybind11::object& frame, PixelFormat format,
                              const std::vector<FrameConsumer>& consumers);

/// @throws InputError  a word that is not "bgr" or "rgb"
PixelFormat pixel_format(const std::string& color);

/// @throws InputError  a word that is not "pil" or "bilinear"
Resize resize_mode(const std::string& resize);

}  // namespace rfseg::binding
