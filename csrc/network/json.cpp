#include "network/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace rfseg::network {

namespace {

void append_quoted(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  out += '"';
}

void append_number(std::string& out, double value) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), written.ptr);
}

void append(std::string& out, const Value& value) {
  if (value.is_null()) out += "null";
  if (const bool* boolean = value.boolean()) out += *boolean ? "true" : "false";
  if (const Number* number = value.number()) append_number(out, number->value);
  if (const std::string* text = value.text()) append_quoted(out, *text);
  if (const Value::List* list = value.list()) {
    out += '[';
    for (const Value& item : *list) append(out += &item == &list->front() ? "" : ", ", item);
    out += ']';
  }
  if (const Value::Object* object = value.object()) {
    out += '{';
    for (const auto& [key, item] : *object) {
      append_quoted(out += &key == &object->front().first ? "" : ", ", key);
      append(out += ": ", item);
    }
    out += '}';
  }
}

}  // namespace

const Value* Value::find(const std::string& key) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  const auto found =
      std::find_if(members->begin(), members->end(), [&](const auto& item) { return item.first == key; });
  return found == members->end() ? nullptr : &found->second;
}

std::optional<int> Value::integer() const {
  const Number* found = number();
  if (found == nullptr || !found->whole || found->value < std::numeric_limits<int>::min() ||
      found->value > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(found->value);
}

bool operator==(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const Number* number = a.number()) return number->value == b.number()->value;
  if (const Value::List* list = a.list()) return *list == *b.list();
  if (const Value::Object* object = a.object()) {
    return object->size() == b.object()->size() && std::all_of(object->begin(), object->end(), [&](const auto& item) {
             const Value* other = b.find(item.first);
             return other != nullptr && item.second == *other;
           });
  }
  if (const bool* boolean = a.boolean()) return *boolean == *b.boolean();
  return a.is_null() || *a.text() == *b.text();
}

std::string short_text(const Value& value) {
  constexpr std::size_t kMost = 80;
  std::string text;
  append(text, value);
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + "...";
}

}  // namespace rfseg::network
