// Hands vectors and results over to Python without copying what is in them.
#pragma once

#include <rfseg/result.hpp>

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

namespace rfseg::binding {

/// A C-contiguous array of `shape` that owns `values`. T may be a struct of Scalars.
template <class Scalar, class T>
pybind11::array array_from(std::vector<T>&& values, std::vector<pybind11::ssize_t> shape) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const void* data = owned->data();
  pybind11::capsule owner(
      owned.get(), [](void* pointer) { std::unique_ptr<std::vector<T>>(static_cast<std::vector<T>*>(pointer)); });
  owned.release();
  return pybind11::array(pybind11::dtype::of<Scalar>(), std::move(shape), data, owner);
}

/// (xyxy, confidence, class_id, masks, (height, width), speed): what rfseg.Result is made of.
pybind11::tuple columns_from(Result&& result);

/// @throws InputError  a word that is not "external", "tree", "largest" or "edge"
OutlineMode outline_mode(const std::string& mode);

}  // namespace rfseg::binding
