#include "network/text.hpp"

#include <rfseg/error.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace rfseg::network {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool starts(std::string_view text, std::string_view mark) { return text.substr(0, mark.size()) == mark; }

/// Length of the character at `at`; 0 when it is not UTF-8.
std::size_t character_length(std::string_view text, std::size_t at) {
  const std::uint32_t lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return 0;
  std::uint32_t point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint32_t next = byte_at(text, at + i);
    if ((next & 0xC0U) != 0x80) return 0;
    point = point << 6 | (next & 0x3FU);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;  // shorter forms are forbidden
  return point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ? 0 : length;
}

std::string from_utf16(std::string_view bytes, bool big_endian, const std::string& source) {
  const auto unit_at = [&](std::size_t at) {
    const std::uint32_t first = byte_at(bytes, at), second = byte_at(bytes, at + 1);
    return big_endian ? first << 8 | second : second << 8 | first;
  };
  if (bytes.size() % 2 != 0) throw ModelError(source + ": UTF-16 of an odd number of bytes: it is cut short");
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit_at(at);
    if (point >= 0xD800 && point <= 0xDFFF) {
      const std::uint32_t low = at + 2 < bytes.size() ? unit_at(at + 2) : 0;
      if (point > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        throw ModelError(source + ": half of a surrogate pair in UTF-16 at byte " + std::to_string(at));
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(text, point);
  }
  return text;
}

}  // namespace

void append_utf8(std::string& text, std::uint32_t point) {
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

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string utf8_text(std::string bytes, const std::string& source) {
  using namespace std::string_view_literals;
  if (bytes.size() > kMostTextBytes)
    throw ModelError(source + ": more than " + std::to_string(kMostTextBytes >> 20) + " MiB of text");
  if (starts(bytes, "\xFF\xFE\0\0"sv) || starts(bytes, "\0\0\xFE\xFF"sv))
    throw ModelError(source + ": UTF-32 text: save it as UTF-8");
  if (starts(bytes, "\xFF\xFE"sv)) return from_utf16(std::string_view(bytes).substr(2), false, source);
  if (starts(bytes, "\xFE\xFF"sv)) return from_utf16(std::string_view(bytes).substr(2), true, source);
  if (bytes.size() > 1 && (bytes[0] == '\0') != (bytes[1] == '\0')) return from_utf16(bytes, bytes[0] == '\0', source);
  if (starts(bytes, "\xEF\xBB\xBF"sv)) bytes.erase(0, 3);
  const std::size_t invalid = find_invalid_utf8(bytes);
  if (invalid != std::string::npos)
    throw ModelError(source + ": not UTF-8 at byte " + std::to_string(invalid) + ": save it as UTF-8");
  return bytes;
}

std::string read_text_file(const std::string& path, const std::string& source) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) throw ModelError(source + ": no such file");
  if (!std::filesystem::is_regular_file(status))
    throw ModelError(source + ": cannot be read: " + (error ? error.message() : "not a regular file"));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ModelError(source + ": cannot be read: " + std::generic_category().message(errno));
  std::string bytes(kMostTextBytes + 1, '\0');  // one more, so that too long a file is noticed
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) throw ModelError(source + ": cannot be read: " + std::generic_category().message(errno));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return utf8_text(std::move(bytes), source);
}

}  // namespace rfseg::network
