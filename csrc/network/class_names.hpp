// Which class columns of a network mean something, and what they are called. Owns the reading of `names`: the JSON in
// the model's metadata or in a sidecar file, and what a caller says.
#pragma once

#include <rfseg/result.hpp>
#include <rfseg/segmenter.hpp>

#include <string>
#include <vector>

namespace rfseg::network {

struct ClassLayout {
  ClassNames names;        ///< of the kept columns that have one; empty when nobody named any
  std::vector<bool> kept;  ///< [C] false: "no object", or a column that a map leaves out
};

/// Reads a JSON list of strings or a JSON object {id: name}. `source` is named in the message.
/// @throws ModelError  anything else
NamesOption parse_names(const std::string& json, const std::string& source);

/// The layout of `columns` class columns. A list must have `columns` or `columns` - 1 entries (the last column is then
/// "no object" and dropped); a map keeps the columns it names; nothing keeps every column without a name.
/// `source`: who said `names`, for the message.
/// @throws InputError  a list of another length, or an id outside 0..columns-1
ClassLayout class_layout(int columns, const NamesOption& names, const std::string& source);

/// What the sidecar file of `model` says: `x.names.json` beside `x.onnx` or `x.engine`; nothing when there is none.
/// @throws ModelError  the file cannot be read or is malformed
NamesOption sidecar_names(const std::string& model);

}  // namespace rfseg::network
