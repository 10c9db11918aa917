// rfseg._core.Planes: a frame of planes as a caller hands it over, kept as the caller's own arrays; and the views of
// them.
#pragma once

#include "binding/foreign_array.hpp"
#include "binding/image_from_python.hpp"

#include <rfseg/image.hpp>

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rfseg::binding {

class Planes {
 public:
  /// What is known without a GPU is checked here: the words, the number of planes, and those in host memory whole.
  /// @throws InputError
  Planes(pybind11::tuple planes, std::string format, std::optional<std::pair<int, int>> size, std::string matrix,
         std::optional<bool> full_range);

  /// @throws InputError  a plane of another dtype or shape; planes of several memories or streams
  PythonFrame view(const std::vector<FrameConsumer>& consumers) const;

  const pybind11::tuple& arrays() const { return planes_; }
  const std::string& format() const { return format_word_; }
  std::pair<int, int> size() const { return {size_.height, size_.width}; }
  const std::string& matrix() const { return matrix_word_; }
  std::optional<bool> full_range() const { return full_range_; }

 private:
  ImageView view_of(const std::vector<ForeignArray>& arrays) const;

  pybind11::tuple planes_;
  std::string format_word_, matrix_word_;
  std::optional<bool> full_range_;
  PixelFormat format_;
  ColorMatrix matrix_;
  bool size_is_stated_;
  ImageSize size_;
};

}  // namespace rfseg::binding
