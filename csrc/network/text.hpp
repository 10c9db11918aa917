// Text out of files of strangers: whatever encoding it says it is in becomes UTF-8, and what is no text is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rfseg::network {

/// The most that any text beside or inside a model may have: names and contracts are a thousand times smaller.
constexpr std::size_t kMostTextBytes = std::size_t{4} << 20;

void append_utf8(std::string& text, std::uint32_t point);

/// Position of the first byte of `text` that is not UTF-8; npos when it all is.
std::size_t find_invalid_utf8(std::string_view text);

/// `bytes` as UTF-8 without a byte order mark: UTF-8 itself, or UTF-16 by its mark or its zero bytes.
/// `source`: whose text, for the message.
/// @throws ModelError  another encoding, or too long
std::string utf8_text(std::string bytes, const std::string& source);

/// The text of the regular file `path`, as utf8_text(). `source`: what is read, for the message.
/// @throws ModelError  it cannot be read, is not a regular file, or is longer than kMostTextBytes
std::string read_text_file(const std::string& path, const std::string& source);

}  // namespace rfseg::network
