// Walks the fields of a file in protobuf's wire format without loading what it passes over. Knows no message.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace rfseg::network::onnx {

/// The bytes are no message. Caught where the file has a name.
struct MalformedFile {};

class WireReader {
 public:
  struct Field {
    std::uint32_t number = 0;
    bool sized = false;  ///< `value` is the length of the bytes that follow; else a number
    std::uint64_t value = 0;
  };

  /// @throws ModelError  `path` cannot be read
  explicit WireReader(const std::string& path);

  std::uint64_t at() const { return at_; }
  std::uint64_t size() const { return size_; }

  /// Reads the next field of a message that ends at `end`; false there. What is sized must be read or skipped before
  /// the next call. @throws MalformedFile  the bytes are no such message
  bool next(std::uint64_t end, Field& field);

  std::string text(std::uint64_t length);
  void skip(std::uint64_t length);
  std::uint64_t number();  ///< a varint

  /// Calls `visit(field)` for every field of the message of `length` bytes that begins here. What it leaves of a sized
  /// field is skipped.
  template <class Visit>
  void message(std::uint64_t length, Visit visit) {
    const std::uint64_t end = at_ + length;
    Field field;
    while (next(end, field)) {
      const std::uint64_t after = field.sized ? at_ + field.value : at_;
      visit(field);
      if (at_ > after) refuse();
      skip(after - at_);
    }
  }

  [[noreturn]] static void refuse() { throw MalformedFile{}; }

 private:
  unsigned char byte();

  std::ifstream file_;
  std::uint64_t at_ = 0, size_ = 0;
};

}  // namespace rfseg::network::onnx
