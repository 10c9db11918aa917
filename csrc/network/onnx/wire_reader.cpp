#include "network/onnx/wire_reader.hpp"

#include <rfseg/error.hpp>

namespace rfseg::network::onnx {

WireReader::WireReader(const std::string& path) : file_(path, std::ios::binary | std::ios::ate) {
  const auto end = static_cast<std::streamoff>(file_.tellg());
  if (!file_ || end < 0) throw ModelError(path + " cannot be read");
  size_ = static_cast<std::uint64_t>(end);
  file_.seekg(0);
}

unsigned char WireReader::byte() {
  const int next = file_.get();
  if (next < 0) refuse();
  ++at_;
  return static_cast<unsigned char>(next);
}

std::uint64_t WireReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint64_t bits = byte();
    value |= (bits & 0x7FU) << shift;
    if (bits < 0x80) return value;
  }
  refuse();
}

bool WireReader::next(std::uint64_t end, Field& field) {
  if (at_ >= end) {
    if (at_ > end) refuse();
    return false;
  }
  const std::uint64_t tag = number();
  if (tag >> 3 == 0 || tag >> 32 != 0) refuse();
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.sized = true;
  switch (tag & 7U) {
    case 0:
      field.sized = false;
      field.value = number();
      break;
    case 1:
      field.value = 8;
      break;
    case 2:
      field.value = number();
      break;
    case 5:
      field.value = 4;
      break;
    default:
      refuse();
  }
  if (at_ > end || (field.sized && field.value > end - at_)) refuse();
  return true;
}

std::string WireReader::text(std::uint64_t length) {
  if (length > size_ - at_) refuse();
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!file_.read(text.data(), static_cast<std::streamsize>(length))) refuse();
  at_ += length;
  return text;
}

void WireReader::skip(std::uint64_t length) {
  if (length == 0) return;
  if (length > size_ - at_) refuse();
  at_ += length;
  // A seek drops what was read ahead: short ways are read.
  if (length < 2048)
    file_.ignore(static_cast<std::streamsize>(length));
  else
    file_.seekg(static_cast<std::streamoff>(at_));
  if (!file_) refuse();
}

}  // namespace rfseg::network::onnx
