// The grammar of values written as text, one function a rule.
#include "network/json.hpp"
#include "network/text.hpp"

#include <rfseg/error.hpp>

#include <charconv>
#include <string_view>
#include <unordered_set>

namespace rfseg::network {
namespace {

constexpr int kMostDepth = 32;

class ValueReader {
 public:
  ValueReader(std::string_view text, const std::string& source, Dialect dialect)
      : text_(text), source_(source), dialect_(dialect) {}

  Value read() {
    Value value = read_value(0);
    skip_space();
    if (at_ != text_.size()) refuse("expected nothing after the value");
    return value;
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw ModelError(source_ + ": " + problem + " at byte " + std::to_string(at_));
  }

  /// The next byte; NUL at the end, which no position of the grammar accepts.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    if (dialect_ != Dialect::yaml || peek() != '#') return;
    at_ = std::min(text_.find('\n', at_), text_.size());
    skip_space();
  }

  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Value read_value(int depth) {
    if (depth > kMostDepth) refuse("nested more than " + std::to_string(kMostDepth) + " deep");
    skip_space();
    Value value;
    value.at = at_;
    const char next = peek();
    if (next == '[' || (next == '(' && dialect_ == Dialect::python)) {
      value.data = read_list(next == '[' ? ']' : ')', depth);
    } else if (next == '{') {
      value.data = read_object(depth);
    } else if (next == '"' || (next == '\'' && dialect_ != Dialect::json)) {
      value.data = read_string();
    } else if (dialect_ == Dialect::yaml) {
      value.data = read_plain();
    } else {
      read_word(value);
    }
    return value;
  }

  void read_word(Value& value) {
    const bool python = dialect_ == Dialect::python;
    if (take(python ? "None" : "null")) return;
    if (take(python ? "True" : "true")) {
      value.data = true;
    } else if (take(python ? "False" : "false")) {
      value.data = false;
    } else if (peek() == '-' || (peek() >= '0' && peek() <= '9')) {
      value.data = read_number();
    } else {
      refuse("expected a value");
    }
  }

  Number read_number() {
    const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    const std::string_view digits = text_.substr(at_, end - at_);
    const std::size_t first = digits[0] == '-' ? 1 : 0;
    Number number;
    number.whole = digits.find_first_of(".eE") == std::string_view::npos;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number.value);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || digits.size() == first ||
        digits[first] == '.' || digits.back() == '.' ||
        (digits[first] == '0' && digits.size() > first + 1 && digits[first + 1] >= '0' && digits[first + 1] <= '9'))
      refuse("expected a number that a float64 holds");
    at_ = end;
    return number;
  }

  /// Reads `item`s up to `close`, with commas between them; one after the last where the dialect has it.
  template <class Item>
  void read_items(char close, Item item) {
    ++at_;
    skip_space();
    while (peek() != close) {
      item();
      skip_space();
      if (peek() == close) break;
      if (peek() != ',') refuse(std::string("expected ',' or '") + close + "'");
      ++at_;
      skip_space();
      if (peek() == close && dialect_ == Dialect::json) refuse("expected a value after ','");
    }
    ++at_;
  }

  Value::List read_list(char close, int depth) {
    Value::List list;
    read_items(close, [&] { list.push_back(read_value(depth + 1)); });
    return list;
  }

  Value::Object read_object(int depth) {
    Value::Object object;
    std::unordered_set<std::string> keys;
    read_items('}', [&] {
      const std::size_t key_at = at_;
      std::string key = read_key();
      skip_space();
      if (peek() != ':') refuse("expected ':'");
      ++at_;
      if (!keys.insert(key).second) {
        at_ = key_at;
        refuse("the key \"" + key + "\" is there twice");
      }
      object.emplace_back(std::move(key), read_value(depth + 1));
    });
    return object;
  }

  std::string read_key() {
    const char next = peek();
    if (next == '"' || (next == '\'' && dialect_ != Dialect::json)) return read_string();
    if (dialect_ == Dialect::yaml) return read_plain();
    if (dialect_ == Dialect::json || next < '0' || next > '9') refuse("expected a string");
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  /// YAML's word without quotes, in a flow: up to a bracket, a comma, a colon or a comment.
  std::string read_plain() {
    const std::size_t start = at_;
    while (at_ < text_.size() && std::string_view(",[]{}\n\r").find(text_[at_]) == std::string_view::npos) {
      const bool colon =
          text_[at_] == ':' &&
          (at_ + 1 == text_.size() || std::string_view(" \t\r\n,]}").find(text_[at_ + 1]) != std::string_view::npos);
      if (colon || (text_[at_] == '#' && at_ > start && text_[at_ - 1] == ' ')) break;
      ++at_;
    }
    std::string_view word = text_.substr(start, at_ - start);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    if (word.empty() || std::string_view("&*!|>%@`").find(word.front()) != std::string_view::npos) {
      at_ = start;
      refuse("expected a word or a quoted string");
    }
    return std::string(word);
  }

  std::string read_string() {
    const char quote = text_[at_++];
    const bool yaml_quote = dialect_ == Dialect::yaml && quote == '\'';  // knows no escape but a doubled quote
    std::string text;
    for (;;) {
      if (at_ >= text_.size()) refuse("the string is not closed");
      const char next = text_[at_];
      if (next == quote) {
        ++at_;
        if (!yaml_quote || peek() != quote) return text;
        text.push_back(text_[at_++]);
      } else if (static_cast<unsigned char>(next) < 0x20) {
        refuse("a control character must be escaped");
      } else if (next == '\\' && !yaml_quote) {
        append_utf8(text, read_escape());
      } else {
        text.push_back(text_[at_++]);
      }
    }
  }

  std::uint32_t read_escape() {
    constexpr std::string_view kLetters = "\"\\/bfnrt'";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t'";
    const std::size_t escape_at = at_++;
    const std::size_t letter = kLetters.find(peek());
    if (at_ < text_.size() && letter < kLetters.size() - (dialect_ == Dialect::json ? 1 : 0)) {
      ++at_;
      return static_cast<std::uint32_t>(kMeanings[letter]);
    }
    if (dialect_ != Dialect::json && peek() == 'x') return read_hex('x', 2);
    if (dialect_ != Dialect::json && peek() == 'U') return checked_point(read_hex('U', 8), escape_at);
    const std::uint32_t unit = read_hex('u', 4);
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    // Beyond the basic plane JSON writes two units, the upper half first.
    if (unit <= 0xDBFF && peek() == '\\') {
      ++at_;
      const std::uint32_t low = read_hex('u', 4);
      if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    return checked_point(unit, escape_at);
  }

  std::uint32_t checked_point(std::uint32_t point, std::size_t escape_at) {
    if (point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF)) return point;
    at_ = escape_at;
    refuse("half of a surrogate pair");
  }

  std::uint32_t read_hex(char letter, std::size_t digits) {
    std::uint32_t value = 0;
    const std::size_t start = std::min(at_ + 1, text_.size());
    const std::string_view text = text_.substr(start, digits);
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (peek() != letter || text.size() != digits || parsed.ec != std::errc() || parsed.ptr != text.data() + digits)
      refuse("expected an escape such as \\n or \\u00e9");
    at_ = start + digits;
    return value;
  }

  std::string_view text_;
  const std::string& source_;
  Dialect dialect_;
  std::size_t at_ = 0;
};

}  // namespace

Value parse_value(const std::string& text, const std::string& source, Dialect dialect) {
  return ValueReader(text, source, dialect).read();
}

}  // namespace rfseg::network
