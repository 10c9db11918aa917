// Which class columns of a network mean something, and what they are called. Fits names to columns and never shifts
// them: a list that might be off by one is refused, a map that might be is warned about.
#pragma once

#include <rfseg/result.hpp>
#include <rfseg/segmenter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rfseg::network {

struct ClassLayout {
  ClassNames names;        ///< of the kept columns that have one; empty when nobody named any
  std::vector<bool> kept;  ///< [C] false: "no object", or a column that a map leaves out
  std::string doubt;       ///< a sentence about names that fit and yet look shifted; "" when none do
};

/// The layout of `columns` class columns. A list must have `columns` or `columns` - 1 entries (the last column is then
/// "no object" and dropped), and no background first; a map keeps the columns it names; nothing keeps every column
/// without a name. `source`: who said `names`, for the message.
/// @throws InputError  a list of another length or with a background first, or an id outside 0..columns-1
ClassLayout class_layout(int columns, const NamesOption& names, const std::string& source);

/// What `names=` says: itself, COCO's names for "coco", or what the file of that name holds.
/// @throws InputError  a file that cannot be read or holds no names
NamesOption asked_names(const NamesOption& names);

/// Names in a file beside a model.
struct SidecarNames {
  std::string path;  ///< "" when there is no such file
  NamesOption names;
  bool shared = false;  ///< a file for the whole folder, which may be another model's
  std::string fault;    ///< why a shared file was not taken; "" when it was
};

/// What lies beside `model`: `x.names.json` for `x.onnx` or `x.engine`, else `class_names.txt` in its folder.
/// @throws ModelError  `x.names.json` cannot be read or is malformed
SidecarNames sidecar_names(const std::string& model);

}  // namespace rfseg::network
