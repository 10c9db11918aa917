// What a file is by its content, where its name says something else: told before any library would say it worse.
#pragma once

#include <string>

namespace rfseg::network {

enum class FileKind { onnx, tensorrt, other, unknown };

struct FileLook {
  FileKind kind = FileKind::unknown;
  std::string words;  ///< of `other`: "is a web page, not a model: ..."; what to do included
};

/// Looks at the first bytes of `path`. Unknown where they tell nothing, or cannot be read.
FileLook look_at_file(const std::string& path);

/// What is wrong with a model file before it is opened: missing, a directory, empty, unreadable.
/// @throws ModelError  in plain words
void require_model_file(const std::string& path);

}  // namespace rfseg::network
