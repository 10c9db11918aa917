// Class names and stated facts of strangers: metadata, notes, JSON, YAML, one name a line; through every door.
#include "input.hpp"

#include "network/class_names.hpp"
#include "network/export_contract.hpp"
#include "network/names_reader.hpp"
#include "network/text.hpp"

#include <rfseg/error.hpp>

using namespace rfseg;

namespace {

void check_text(const std::string& text) {
  fuzz::require(network::find_invalid_utf8(text) == std::string::npos, "names are UTF-8");
}

void check_names(const NamesOption& names, int columns) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&names))
    for (const std::string& name : *list) check_text(name);
  if (const auto* map = std::get_if<ClassNames>(&names)) {
    for (const auto& [id, name] : *map) {
      fuzz::require(id >= 0, "ids are columns");
      check_text(name);
    }
  }
  const network::ClassLayout layout = network::class_layout(columns, names, "x");
  fuzz::require(layout.kept.size() == static_cast<std::size_t>(columns), "a layout has every column");
  for (const auto& [id, name] : layout.names) fuzz::require(layout.kept.at(static_cast<std::size_t>(id)), "kept");
}

void check_value(const std::string& text, network::Dialect dialect) {
  const network::Value value = network::parse_value(text, "x", dialect);
  fuzz::require(value == value, "a value equals itself");
  fuzz::require(network::short_text(value).size() < 1000, "short texts are short");
  network::names_in(value);
  const network::ExportContract contract = network::parse_export_contract(value, "x", "onnx", {"a", "b", "c"});
  network::merged(contract, contract);
}

void open_door(int door, const std::string& bytes, int columns) {
  static const fuzz::Folder folder;
  static constexpr const char* kFiles[] = {"x.names.json", "data.yaml", "class_names.txt"};
  if (door < 3) return check_names(network::read_names_file(folder.write(kFiles[door], bytes)), columns);
  if (door == 3) return check_names(network::parse_names(bytes, "x"), columns);
  if (door == 4) return check_names(network::names_in_notes(bytes), columns);
  const std::string text = network::utf8_text(bytes, "x");
  check_text(text);
  if (door == 5) return check_names(network::names_in_yaml(text, "x").value_or(NamesOption{}), columns);
  check_value(text, static_cast<network::Dialect>(door % 3));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in(data, size);
  const int door = in.byte() % 9, columns = 1 + in.byte() % 100;
  try {
    open_door(door, in.rest(), columns);
  } catch (const Error&) {
  }
  return 0;
}
