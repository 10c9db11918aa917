// An array of whatever library, as its protocol describes it: NumPy, DLPack, or the CUDA array interface. Owns the
// reading of the protocols; judges nothing.
#pragma once

#include <rfseg/image.hpp>

#include <pybind11/pybind11.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rfseg::binding {

struct ForeignArray {
  const std::uint8_t* data = nullptr;
  std::string dtype;                  ///< "uint8", "float32"
  std::vector<std::int64_t> shape;    ///< elements
  std::vector<std::int64_t> strides;  ///< bytes
  MemoryKind memory = MemoryKind::host;
  std::optional<std::uintptr_t> producer_stream = {};  ///< as ImageView::producer_stream
  pybind11::object owner;                              ///< keeps the memory
  int device = -1;                                     ///< ordinal; -1 where the protocol does not tell
};

/// As ImageView has it. The array has a row.
inline std::ptrdiff_t row_bytes_of(const ForeignArray& array) {
  return array.strides[0] == 0 ? ImageView::kOneRow : array.strides[0];
}

/// A GPU on which device memory is consumed.
struct FrameConsumer {
  std::uintptr_t stream = 0;  ///< on which a DLPack producer is asked to make the pixels ready
  int device = -1;            ///< ordinal
  std::function<void(const std::function<void()>&)> on_device;  ///< calls what it is given with that GPU current
};

/// "[1080, 1920, 3]", for sentences.
std::string shape_text(const std::vector<std::int64_t>& shape);

/// "Tensor", for sentences.
std::string type_name(const pybind11::handle& object);

/// `object` as an array; nothing when it speaks none of the protocols. DLPack comes before the CUDA array interface,
/// which some producers offer without naming a stream.
/// @throws InputError  device memory where no GPU is, or of another GPU; an array of host memory that is not NumPy's; a
///                     description that is malformed, or that its producer refuses to give
std::optional<ForeignArray> foreign_array(const pybind11::object& object, const std::vector<FrameConsumer>& consumers);

}  // namespace rfseg::binding
