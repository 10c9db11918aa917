#include "network/names_reader.hpp"

#include "network/text.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

namespace rfseg::network {

namespace {

constexpr const char* kExpected = "expected a list of names or an object {\"id\": \"name\"}";

/// A class id: digits, as a program writes a number.
std::optional<int> id_of(const std::string& key) {
  int id = -1;
  const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
  if (parsed.ec != std::errc() || id < 0 || std::to_string(id) != key) return std::nullopt;
  return id;
}

std::optional<NamesOption> names_in_list(const Value::List& list) {
  std::vector<std::string> names;
  for (const Value& item : list) {
    if (item.text() == nullptr) return std::nullopt;
    names.push_back(*item.text());
  }
  return names;
}

std::optional<NamesOption> names_in_object(const Value::Object& object) {
  ClassNames names;
  for (const auto& [key, item] : object) {
    const std::optional<int> id = id_of(key);
    if (!id || item.text() == nullptr) return std::nullopt;
    names.emplace(*id, *item.text());
  }
  return names;
}

/// Where the first thing that is no name, and no id, begins.
std::size_t first_fault(const Value& value) {
  if (value.list() != nullptr)
    for (const Value& item : *value.list())
      if (item.text() == nullptr) return item.at;
  if (value.object() != nullptr)
    for (const auto& [key, item] : *value.object())
      if (item.text() == nullptr || !id_of(key)) return item.at;
  return value.at;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

/// JSON, or else a Python dict or list as text. What is wrong is said of the notation that its quotes are of.
Value parse_either(const std::string& text, const std::string& source) {
  try {
    return parse_value(text, source);
  } catch (const ModelError&) {
    try {
      return parse_value(text, source, Dialect::python);
    } catch (const ModelError&) {
      if (text.find('\'') != std::string::npos && text.find('"') == std::string::npos) throw;
    }
    throw;
  }
}

NamesOption names_of_text(const std::string& text, const std::string& source) {
  const Value value = parse_either(text, source);
  if (std::optional<NamesOption> names = names_in(value)) return *std::move(names);
  throw ModelError(source + ": " + kExpected + " at byte " + std::to_string(first_fault(value)));
}

/// "7: name" on every line, as some tools number them.
std::optional<NamesOption> names_on_numbered_lines(const std::vector<std::string>& lines, const std::string& source) {
  ClassNames names;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    const std::optional<int> id = colon == std::string::npos ? std::nullopt : id_of(trimmed(line.substr(0, colon)));
    if (!id) return std::nullopt;
    if (!names.emplace(*id, trimmed(line.substr(colon + 1))).second)
      throw ModelError(source + ": class id " + std::to_string(*id) + " is there twice");
  }
  return names;
}

NamesOption names_on_lines(const std::string& text, const std::string& source) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(trimmed(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) throw ModelError(source + ": holds no names");
  const auto gap = std::find(lines.begin(), lines.end(), "");
  if (gap != lines.end())
    throw ModelError(source + ": line " + std::to_string(gap - lines.begin() + 1) +
                     " is empty: without it every later name would move to another class; name it or remove it");
  if (std::optional<NamesOption> numbered = names_on_numbered_lines(lines, source)) return *std::move(numbered);
  return lines;
}

}  // namespace

std::optional<NamesOption> names_in(const Value& value) {
  if (const Value::List* list = value.list()) return names_in_list(*list);
  if (value.object() == nullptr) return std::nullopt;
  for (const char* key : {"class_id_to_name", "names", "class_names"})
    if (const Value* inner = value.find(key); inner != nullptr && !inner->is_null()) {
      if (inner->list() != nullptr) return names_in_list(*inner->list());
      return inner->object() != nullptr ? names_in_object(*inner->object()) : std::nullopt;
    }
  return names_in_object(*value.object());
}

NamesOption parse_names(const std::string& bytes, const std::string& source) {
  return names_of_text(utf8_text(bytes, source), source);
}

NamesOption names_in_notes(const std::string& bytes) try {
  const Value value = parse_either(utf8_text(bytes, "notes"), "notes");
  if (value.object() == nullptr || value.object()->empty()) return {};  // a list of sentences is no list of names
  return names_in(value).value_or(NamesOption{});
} catch (const ModelError&) {
  return {};
}

NamesOption read_names_file(const std::string& path) {
  const std::string source = "class names in " + path;
  const std::string text = read_text_file(path, source);
  const std::string whole = trimmed(text);
  if (whole.empty()) throw ModelError(source + ": holds no names");
  const std::string suffix = std::filesystem::path(path).extension().string();
  const bool brackets = (whole.front() == '[' && whole.back() == ']') || (whole.front() == '{' && whole.back() == '}');
  if (suffix == ".json" || (brackets && suffix != ".yaml" && suffix != ".yml")) return names_of_text(text, source);
  const bool yaml = suffix == ".yaml" || suffix == ".yml";
  if (yaml || text.rfind("names:", 0) == 0 || text.find("\nnames:") != std::string::npos)
    if (std::optional<NamesOption> names = names_in_yaml(text, source)) return *std::move(names);
  if (yaml) throw ModelError(source + ": expected `names:` with a list or a map of ids");
  return names_on_lines(text, source);
}

}  // namespace rfseg::network
