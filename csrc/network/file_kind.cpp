#include "network/file_kind.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace rfseg::network {

namespace {

using namespace std::string_view_literals;

struct Mark {
  std::size_t at;
  std::string_view bytes;
  const char* words;
};

constexpr const char* kCheckpoint =
    "is a PyTorch checkpoint: export it with rfdetr first (model.export()) and give the .onnx file";
constexpr const char* kPacked = "is a compressed archive: unpack it and give the file in it";

constexpr Mark kMarks[] = {
    {0, "version https://git-lfs.github.com/spec/"sv, "is a Git LFS pointer, not the file itself: run git lfs pull"},
    {0, "\x80\x02"sv, kCheckpoint},
    {0, "\x80\x03"sv, kCheckpoint},
    {0, "\x80\x04"sv, kCheckpoint},
    {0, "\x80\x05"sv, kCheckpoint},
    {0, "\x1F\x8B"sv, kPacked},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     kPacked},
    {0, "BZh"sv, kPacked},
    {0, "\x28\xB5\x2F\xFD"sv, kPacked},
    {0, "7z\xBC\xAF"sv, kPacked},
    {257, "ustar"sv, kPacked},
    {0, "\x89HDF"sv, "is an HDF5 (Keras) file, not an RF-DETR network: give rfdetr's .onnx export"},
    {4, "TFL3"sv, "is a TensorFlow Lite file: give rfdetr's .onnx export"},
    {4, "ORTM"sv, "is in ONNX Runtime's own format: give the .onnx file it was made from"},
    {0, "\x93NUMPY"sv, "is a NumPy array, not a model"},
    {8, "{\""sv, "is a safetensors checkpoint: export it with rfdetr first and give the .onnx file"},
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool starts(std::string_view text, std::string_view mark) { return text.substr(0, mark.size()) == mark; }

/// Words for a text that is mark-up or JSON; null for anything else.
const char* text_kind(const std::string& head) {
  const std::size_t bom = starts(head, "\xEF\xBB\xBF") ? 3 : 0;
  const std::string text = lower(head.substr(std::min(head.find_first_not_of(" \t\r\n", bom), head.size())));
  if (starts(text, "<!doctype html") || starts(text, "<html") || starts(text, "<head"))
    return "is a web page, not a model: download the file itself (on a code host, its raw or resolved address)";
  if (starts(text, "<?xml") || starts(text, "<net") || starts(text, "<error"))
    return "is an XML text (OpenVINO, or a server's error), not a model: give rfdetr's .onnx export";
  if (starts(text, "{\"") || starts(text, "{\n")) return "is a JSON text (a server's error?), not a model";
  return nullptr;
}

}  // namespace

FileLook look_at_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  std::ifstream file(path, std::ios::binary);
  std::string head(512, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (starts(head, "ftrt") || starts(head, "ptrt")) return {FileKind::tensorrt, ""};
  if (starts(head, "PK\x03\x04"))
    return {FileKind::other, head.find("data.pkl") != std::string::npos ? kCheckpoint : kPacked};
  for (const Mark& mark : kMarks)
    if (head.size() > mark.at && starts(std::string_view(head).substr(mark.at), mark.bytes))
      return {FileKind::other, mark.words};
  if (const char* words = text_kind(head)) return {FileKind::other, words};
  // The tag of ir_version, a small number, and the tag of a field that ModelProto has next.
  const auto byte = [&](std::size_t at) { return at < head.size() ? static_cast<unsigned char>(head[at]) : 0U; };
  const bool onnx = byte(0) == 8 && byte(1) > 0 && byte(1) < 128 && (byte(2) % 8 == 2 || byte(2) == 0x28) &&
                    byte(2) >> 3 >= 2 && byte(2) >> 3 <= 25;
  return {onnx ? FileKind::onnx : FileKind::unknown, ""};
}

void require_model_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) throw ModelError(path + ": no such file");
  if (std::filesystem::is_directory(status))
    throw ModelError(path + " is a directory: give the path of the .onnx file in it");
  if (!std::filesystem::is_regular_file(status))
    throw ModelError(path + " cannot be read: " + (error ? error.message() : "not a regular file"));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ModelError(path + " cannot be read: " + std::generic_category().message(errno));
  if (file.peek() == std::ifstream::traits_type::eof())
    throw ModelError(path + " is empty: export or download it again");
}

}  // namespace rfseg::network
