// Fits class names to the class columns of a network, and finds the file beside a model that names them.
#include "network/class_names.hpp"

#include "network/names_reader.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace rfseg::network {
namespace {

bool is_background(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '_' || c == ' ' || c == '-'; }),
             name.end());
  return name == "background" || name == "bg" || name.rfind("backgroundclass", 0) == 0 || name == "noobject";
}

ClassLayout layout_of_list(int columns, const std::vector<std::string>& list, const std::string& source) {
  const std::size_t all = static_cast<std::size_t>(columns);
  if (list.size() != all && list.size() + 1 != all)
    throw InputError(source + ": " + std::to_string(list.size()) + " class names, but the network has " +
                     std::to_string(columns) + " class columns: list " + std::to_string(columns) + " names, or " +
                     std::to_string(columns - 1) +
                     " when the last column means no object; or say which column is which with {id: name}" +
                     (columns == 91 ? "; names=\"coco\" are the classes of COCO" : ""));
  if (list.size() > 1 && is_background(list.front()))
    throw InputError(source + ": the first of " + std::to_string(list.size()) + " class names is '" + list.front() +
                     "', but an RF-DETR network has its no-object column last, so every name might be off by one: "
                     "leave it out, or say which column is which with {id: name}");
  ClassLayout layout{{}, std::vector<bool>(all, false), ""};
  std::fill_n(layout.kept.begin(), list.size(), true);
  for (std::size_t i = 0; i < list.size(); ++i) layout.names.emplace(static_cast<int>(i), list[i]);
  return layout;
}

/// COCO's own ids start at 1 too, but leave gaps.
std::string doubt_about(const ClassNames& map, int columns, const std::string& source) {
  if (columns < 2) return "";
  const std::string last = std::to_string(columns - 1);
  if (map.count(0) != 0) {
    return is_background(map.at(0)) && map.size() > 1
               ? source + ": class 0 is called '" + map.at(0) +
                     "', but an RF-DETR network has its no-object column last: every name may be off by one"
               : "";
  }
  if (map.count(columns - 1) == 0 || map == coco_names()) return "";
  return source + ": class 0 has no name and class " + last +
         " has one, but the last column of a fine-tuned network means no object: names that count from 1 must count "
         "from 0, or every name is off by one";
}

ClassLayout layout_of_map(int columns, const ClassNames& map, const std::string& source) {
  if (map == coco_names() && columns < 91)
    throw InputError(source + ": COCO's ids go up to 90, but the network has " + std::to_string(columns) +
                     " class columns: it was trained on other classes");
  ClassLayout layout{map, std::vector<bool>(static_cast<std::size_t>(columns), false),
                     doubt_about(map, columns, source)};
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
  return {{}, std::vector<bool>(static_cast<std::size_t>(columns), true), ""};
}

NamesOption asked_names(const NamesOption& names) {
  const auto* word = std::get_if<std::string>(&names);
  if (word == nullptr) return names;
  if (*word == "coco") return coco_names();
  try {
    return read_names_file(*word);
  } catch (const ModelError& error) {
    throw InputError(std::string("names=: ") + error.what());
  }
}

SidecarNames sidecar_names(const std::string& model) {
  const std::filesystem::path own = std::filesystem::path(model).replace_extension(".names.json");
  const std::filesystem::path shared = std::filesystem::path(model).parent_path() / "class_names.txt";
  std::error_code error;
  if (std::filesystem::exists(own, error)) return {own.string(), read_names_file(own.string()), false, ""};
  if (!std::filesystem::is_regular_file(shared, error)) return {};
  try {
    return {shared.string(), read_names_file(shared.string()), true, ""};
  } catch (const ModelError& fault) {
    return {shared.string(), {}, true, fault.what()};
  }
}

}  // namespace rfseg::network
