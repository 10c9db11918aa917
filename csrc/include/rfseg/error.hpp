// Everything that can fail throws one of these. Messages say what failed, why, and what to do about it.
#pragma once

#include <rfseg/export.hpp>

#include <stdexcept>

namespace rfseg {

/// Base of every exception this library throws on purpose.
class RFSEG_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The model file is missing, unreadable, or not an RF-DETR segmentation network.
class RFSEG_API ModelError : public Error {
 public:
  using Error::Error;
};

/// The library that would run the model cannot be used: names every place tried and why each was refused.
class RFSEG_API BackendError : public Error {
 public:
  using Error::Error;
};

/// A CUDA driver call failed: names the call and the object it was made for.
class RFSEG_API CudaError : public Error {
 public:
  using Error::Error;
};

/// An argument cannot be used: a frame, an array, an option. A `ValueError` in Python.
class RFSEG_API InputError : public Error {
 public:
  using Error::Error;
};

}  // namespace rfseg
