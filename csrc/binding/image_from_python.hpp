// Views a caller's frame without copying it, or refuses it with a sentence that says how to fix it.
#pragma once

#include <rfseg/image.hpp>

#include <pybind11/pybind11.h>

#include <string>

namespace rfseg::binding {

/// The uint8 array [H, W, 3] behind `frame`, any strides. Valid while `frame` is.
/// @throws InputError  another type, dtype, rank or channel count, or no pixels
ImageView image_from_python(const pybind11::handle& frame, PixelFormat format);

/// @throws InputError  a word that is not "bgr" or "rgb"
PixelFormat pixel_format(const std::string& color);

/// @throws InputError  a word that is not "pil" or "bilinear"
Resize resize_mode(const std::string& resize);

}  // namespace rfseg::binding
