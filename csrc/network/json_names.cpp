// Reads class names from JSON: a list of strings or an object {"id": "name"}, strictly, and nothing else of JSON.
#include "network/class_names.hpp"

#include <rfseg/error.hpp>

#include <charconv>
#include <cstdint>
#include <string_view>

namespace rfseg::network {
namespace {

class NamesReader {
 public:
  NamesReader(std::string_view json, const std::string& source) : json_(json), source_(source) {}

  NamesOption read() {
    skip_space();
    NamesOption names;
    if (peek() == '[')
      names = read_list();
    else if (peek() == '{')
      names = read_object();
    else
      refuse("expected a list of names or an object {\"id\": \"name\"}");
    skip_space();
    if (at_ != json_.size()) refuse("expected nothing after the names");
    return names;
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw ModelError("class names in " + source_ + ": " + problem + " at byte " + std::to_string(at_));
  }

  /// The next byte; NUL at the end, which no position of the grammar accepts.
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }

  void skip_space() {
    while (at_ < json_.size() && std::string_view(" \t\r\n").find(json_[at_]) != std::string_view::npos) ++at_;
  }

  void expect(char wanted) {
    if (peek() != wanted) refuse(std::string("expected '") + wanted + "'");
    ++at_;
  }

  /// Reads `item`s between brackets, with commas between them.
  template <class Item>
  void read_items(char open, char close, Item item) {
    expect(open);
    skip_space();
    while (peek() != close) {
      item();
      skip_space();
      if (peek() == close) break;
      if (peek() != ',') refuse(std::string("expected ',' or '") + close + "'");
      ++at_;
      skip_space();
      if (peek() != '"') refuse("expected a string");
    }
    expect(close);
  }

  std::vector<std::string> read_list() {
    std::vector<std::string> names;
    read_items('[', ']', [&] { names.push_back(read_string()); });
    return names;
  }

  ClassNames read_object() {
    ClassNames names;
    read_items('{', '}', [&] {
      const std::size_t key_at = at_;
      const int id = read_id();
      skip_space();
      expect(':');
      skip_space();
      if (!names.emplace(id, read_string()).second) {
        at_ = key_at;
        refuse("class id " + std::to_string(id) + " is there twice");
      }
    });
    return names;
  }

  int read_id() {
    const std::size_t key_at = at_;
    const std::string key = read_string();
    int id = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
    if (parsed.ec != std::errc() || id < 0 || std::to_string(id) != key) {
      at_ = key_at;
      refuse("expected a class id, a whole number in quotes,");
    }
    return id;
  }

  std::string read_string() {
    if (peek() != '"') refuse("expected a string");
    ++at_;
    std::string text;
    while (peek() != '"') {
      if (at_ >= json_.size()) refuse("the string is not closed");
      if (static_cast<unsigned char>(peek()) < 0x20) refuse("a control character must be escaped");
      if (peek() == '\\')
        append_utf8(text, read_escape());
      else
        copy_utf8(text);
    }
    ++at_;
    return text;
  }

  std::uint32_t read_escape() {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t escape_at = at_++;
    const std::size_t letter = at_ < json_.size() ? kLetters.find(json_[at_]) : std::string_view::npos;
    if (letter != std::string_view::npos) {
      ++at_;
      return static_cast<std::uint32_t>(kMeanings[letter]);
    }
    std::uint32_t unit = read_hex_unit();
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    // Beyond the basic plane JSON writes two units, the upper half first.
    if (unit <= 0xDBFF && peek() == '\\') {
      ++at_;
      const std::uint32_t low = read_hex_unit();
      if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    at_ = escape_at;
    refuse("half of a surrogate pair");
  }

  std::uint32_t read_hex_unit() {
    std::uint32_t unit = 0;
    const std::string_view digits = json_.substr(at_).substr(1, 4);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (peek() != 'u' || digits.size() != 4 || parsed.ec != std::errc() || parsed.ptr != digits.data() + 4)
      refuse("expected an escape such as \\n or \\u00e9");
    at_ += 5;
    return unit;
  }

  static void append_utf8(std::string& text, std::uint32_t point) {
    const auto byte = [&](std::uint32_t bits) { text.push_back(static_cast<char>(bits)); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
      byte(0xC0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        byte(0xE0 | (point >> 12));
      } else {
        byte(0xF0 | (point >> 18));
        byte(0x80 | ((point >> 12) & 0x3F));
      }
      byte(0x80 | ((point >> 6) & 0x3F));
    }
    byte(0x80 | (point & 0x3F));
  }

  /// Copies one character. Python and every terminal would fail later on bytes that are not UTF-8.
  void copy_utf8(std::string& text) {
    const auto lead = static_cast<unsigned char>(json_[at_]);
    if (lead < 0x80) return text.push_back(json_[at_++]);
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t point = lead & (0x7FU >> length);
    bool valid = lead >= 0xC2 && lead < 0xF5 && json_.size() - at_ >= length;
    for (std::size_t i = 1; valid && i < length; ++i) {
      const auto next = static_cast<unsigned char>(json_[at_ + i]);
      valid = (next & 0xC0) == 0x80;
      point = (point << 6) | (next & 0x3FU);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;  // shorter forms are forbidden
    if (!valid || point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) refuse("not UTF-8");
    text.append(json_.substr(at_, length));
    at_ += length;
  }

  std::string_view json_;
  const std::string& source_;
  std::size_t at_ = 0;
};

}  // namespace

NamesOption parse_names(const std::string& json, const std::string& source) { return NamesReader(json, source).read(); }

}  // namespace rfseg::network
