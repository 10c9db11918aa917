// The little of YAML that data sets write their class names in: `names:` at the left edge, then a list or a map, in
// brackets or a line each. Anything more is refused, not guessed.
#include "network/names_reader.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <sstream>

namespace rfseg::network {

namespace {

struct Line {
  std::string text;  ///< without its indentation
  std::size_t indent = 0;
  std::size_t number = 0;
  std::size_t at = 0;  ///< byte of `text` in the whole
};

/// The lines that hold something.
std::vector<Line> lines_of(const std::string& text) {
  std::vector<Line> lines;
  std::istringstream stream(text);
  std::size_t number = 0, at = 0;
  for (std::string line; std::getline(stream, line); at += line.size() + 1) {
    ++number;
    const std::size_t indent = line.find_first_not_of(" \t\r");
    if (indent == std::string::npos || line[indent] == '#' || line.rfind("---", 0) == 0) continue;
    lines.push_back({line.substr(indent), indent, number, at + indent});
  }
  return lines;
}

/// One scalar, quoted or plain, with nothing but a comment behind it.
std::string scalar(const std::string& text, const std::string& source) {
  const bool quoted = !text.empty() && (text[0] == '"' || text[0] == '\'');
  if (quoted) return *parse_value(text, source, Dialect::yaml).text();
  std::string plain = text.substr(0, text.find(" #"));
  plain.erase(plain.find_last_not_of(" \t\r") + 1);
  if (plain.empty() || std::string("&*!|>%@`[]{}").find(plain[0]) != std::string::npos)
    throw ModelError(source + ": expected a word or a quoted string");
  return plain;
}

std::string after(const std::string& text, std::size_t from) {
  const std::size_t first = text.find_first_not_of(" \t", from);
  return first == std::string::npos ? "" : text.substr(first);
}

std::optional<NamesOption> block_list(std::vector<Line>::const_iterator line, std::vector<Line>::const_iterator end,
                                      const std::string& source) {
  std::vector<std::string> names;
  const std::size_t indent = line->indent;
  for (; line != end && line->indent == indent && line->text[0] == '-'; ++line)
    names.push_back(scalar(after(line->text, 1), source + " in line " + std::to_string(line->number)));
  if (line != end && line->indent > indent)
    throw ModelError(source + " in line " + std::to_string(line->number) + ": expected a name a line");
  return names;
}

std::optional<NamesOption> block_map(std::vector<Line>::const_iterator line, std::vector<Line>::const_iterator end,
                                     const std::string& source) {
  // Read as an object: ids and their faults are the same everywhere.
  Value::Object object;
  const std::size_t indent = line->indent;
  for (; line != end && line->indent >= indent && indent > 0; ++line) {
    const std::string here = source + " in line " + std::to_string(line->number);
    const std::size_t colon = line->text.find(':');
    if (colon == std::string::npos || line->indent != indent) throw ModelError(here + ": expected `id: name`");
    Value name;
    name.data = scalar(after(line->text, colon + 1), here);
    const std::string key = line->text.substr(0, line->text.find_last_not_of(" \t", colon - 1) + 1);
    if (std::any_of(object.begin(), object.end(), [&](const auto& item) { return item.first == key; }))
      throw ModelError(here + ": class id " + key + " is there twice");
    object.emplace_back(key, name);
  }
  Value value;
  value.data = std::move(object);
  std::optional<NamesOption> names = names_in(value);
  if (!names) throw ModelError(source + ": expected whole numbers as class ids");
  return names;
}

/// The flow that begins at `at` and ends where its brackets close.
std::optional<NamesOption> flow(const std::string& text, std::size_t at, const std::string& source) {
  const char open = text[at], close = open == '[' ? ']' : '}';
  char quote = '\0';
  std::size_t end = at;
  int depth = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if ((c == '"' || c == '\'') && std::string(" \t\n[{,:").find(text[end - 1]) != std::string::npos) {
      quote = c;
    } else {
      depth += c == open ? 1 : c == close ? -1 : 0;
      if (depth == 0) break;
    }
  }
  const Value value = parse_value(text.substr(at, end + 1 - at), source, Dialect::yaml);
  std::optional<NamesOption> names = names_in(value);
  if (!names) throw ModelError(source + ": expected a list of names or a map {id: name} after `names:`");
  return names;
}

}  // namespace

std::optional<NamesOption> names_in_yaml(const std::string& text, const std::string& source) {
  const std::vector<Line> lines = lines_of(text);
  const auto key = std::find_if(lines.begin(), lines.end(),
                                [](const Line& line) { return line.indent == 0 && line.text.rfind("names:", 0) == 0; });
  if (key == lines.end()) return std::nullopt;
  const std::string rest = after(key->text, 6);
  if (!rest.empty() && (rest[0] == '[' || rest[0] == '{'))
    return flow(text, key->at + key->text.size() - rest.size(), source);
  if (!rest.empty() && rest[0] != '#' && rest[0] != '\r')
    throw ModelError(source + ": expected a list or a map after `names:`");
  const auto first = std::next(key);
  if (first == lines.end()) return std::nullopt;
  if (first->text[0] == '-') return block_list(first, lines.end(), source);
  if (first->text[0] == '[' || first->text[0] == '{') return flow(text, first->at, source);
  return block_map(first, lines.end(), source);
}

}  // namespace rfseg::network
