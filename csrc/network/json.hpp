// Values written as text: JSON, strictly; Python's own notation, as some exporters write a dict; and the flow lists and
// maps of YAML. With limits of depth, so that no text of a stranger can exhaust the stack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rfseg::network {

enum class Dialect { json, python, yaml };

class Value;

struct Number {
  double value = 0;
  bool whole = false;  ///< written without a fraction or an exponent
};

/// One value, and where its text began.
class Value {
 public:
  using List = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;  ///< in the order of the text; no key twice

  std::variant<std::nullptr_t, bool, Number, std::string, List, Object> data = nullptr;
  std::size_t at = 0;  ///< byte

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data); }
  const bool* boolean() const { return std::get_if<bool>(&data); }
  const Number* number() const { return std::get_if<Number>(&data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  const Object* object() const { return std::get_if<Object>(&data); }
  /// The member `key` of an object; null when there is none.
  const Value* find(const std::string& key) const;
  /// A whole number that fits an int.
  std::optional<int> integer() const;
};

/// True for equal values; the order of keys does not matter.
bool operator==(const Value& a, const Value& b);

/// `value` as JSON in one line, cut after some 80 characters: for messages.
std::string short_text(const Value& value);

/// Reads UTF-8 `text`, which holds one value and nothing else. `source`: named in the message, with the byte.
/// @throws ModelError  anything else
Value parse_value(const std::string& text, const std::string& source, Dialect dialect = Dialect::json);

}  // namespace rfseg::network
