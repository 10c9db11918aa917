// Fits class names to the class columns of a network, and finds the file beside a model that names them.
#include "network/class_names.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace rfseg::network {
namespace {

ClassLayout layout_of_list(int columns, const std::vector<std::string>& list, const std::string& source) {
  const std::size_t all = static_cast<std::size_t>(columns);
  if (list.size() != all && list.size() + 1 != all)
    throw InputError(source + ": " + std::to_string(list.size()) + " class names, but the network has " +
                     std::to_string(columns) + " class columns: list " + std::to_string(columns) + " names, or " +
                     std::to_string(columns - 1) + " when the last column means no object");
  ClassLayout layout{{}, std::vector<bool>(all, false)};
  std::fill_n(layout.kept.begin(), list.size(), true);
  for (std::size_t i = 0; i < list.size(); ++i) layout.names.emplace(static_cast<int>(i), list[i]);
  return layout;
}

ClassLayout layout_of_map(int columns, const ClassNames& map, const std::string& source) {
  ClassLayout layout{map, std::vector<bool>(static_cast<std::size_t>(columns), false)};
  for (const auto& [id, name] : map) {
    if (id < 0 || id >= columns)
      throw InputError(source + ": class " + std::to_string(id) + " (" + name +
                       ") is named, but the network has the class columns 0.." + std::to_string(columns - 1));
    layout.kept[static_cast<std::size_t>(id)] = true;
  }
  return layout;
}

}  // namespace

ClassLayout class_layout(int columns, const NamesOption& names, const std::string& source) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&names)) return layout_of_list(columns, *list, source);
  if (const auto* map = std::get_if<ClassNames>(&names)) return layout_of_map(columns, *map, source);
  return {{}, std::vector<bool>(static_cast<std::size_t>(columns), true)};
}

NamesOption sidecar_names(const std::string& model) {
  const std::filesystem::path path = std::filesystem::path(model).replace_extension(".names.json");
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return {};
  if (!std::filesystem::is_regular_file(status))
    throw ModelError("class names in " + path.string() + ": " + (error ? error.message() : "not a file"));
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw ModelError("class names in " + path.string() + ": cannot be read: " + std::generic_category().message(errno));
  return parse_names({std::istreambuf_iterator<char>(file), {}}, path.string());
}

}  // namespace rfseg::network
