// Text between Python and C++ that may be no UTF-8: paths keep their bytes, sentences stay readable.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace rfseg::binding {

/// `text` as a str; bytes that are not UTF-8 are shown as \xNN. For sentences.
pybind11::str readable_text(const std::string& text);

/// `path` as a str that os.fsencode() turns back into the same bytes.
pybind11::str path_object(const std::string& path);

/// The bytes of a path: a str, bytes or os.PathLike. @throws InputError  anything else; names `option`
std::string path_text(const pybind11::object& path, const char* option);

/// UTF-8 of a str. @throws InputError  half of a surrogate pair; names `option`
std::string utf8_of(const pybind11::handle& text, const std::string& option);

/// What Python prints for `value`, cut when it is long, with its type.
std::string repr_of(const pybind11::handle& value);

}  // namespace rfseg::binding
