// Class names out of every form that they are written in: JSON, a Python dict as text, YOLO's data.yaml, one name a
// line; inside a model or in a file. The only reader of names: what one source may say, every source may say.
#pragma once

#include "network/json.hpp"

#include <rfseg/segmenter.hpp>

#include <optional>
#include <string>

namespace rfseg::network {

/// Names in a value: a list of names, an object {"id": "name"}, or an object that holds either as `names`,
/// `class_names` or `class_id_to_name`. Nothing when it is neither.
std::optional<NamesOption> names_in(const Value& value);

/// Names in the metadata of a model, JSON or a Python dict in any encoding. `source`: whose, for the message.
/// @throws ModelError  anything else
NamesOption parse_names(const std::string& bytes, const std::string& source);

/// Names in notes, which may say anything; nothing when they name no classes.
NamesOption names_in_notes(const std::string& bytes);

/// Names in a file, judged by its suffix (.json, .yaml, .yml) and by its content: never by counting lines.
/// @throws ModelError  it cannot be read, or is in none of the forms
NamesOption read_names_file(const std::string& path);

/// Names in the `names:` of a YAML text, as YOLO's data.yaml has it; nothing when it has none.
/// @throws ModelError  a form of YAML that names do not need
std::optional<NamesOption> names_in_yaml(const std::string& text, const std::string& source);

/// COCO's 80 classes on their category ids 1..90.
const ClassNames& coco_names();

}  // namespace rfseg::network
