// What the fuzz targets share: a fuzzer's bytes read as numbers, and the way to say that a promise is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace fuzz {

/// Thrown by require(): no target catches it.
struct BrokenPromise : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* promise) {
  if (!holds) throw BrokenPromise(promise);
}

/// The bytes as numbers, one after the other; zeros when they are used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const { return at_ == size_; }

  template <class T>
  T take() {
    T value{};
    const std::size_t bytes = sizeof value < size_ - at_ ? sizeof value : size_ - at_;
    if (bytes > 0) std::memcpy(&value, data_ + at_, bytes);
    at_ += bytes;
    return value;
  }
  std::uint8_t byte() { return take<std::uint8_t>(); }
  bool coin() { return byte() % 2 == 1; }
  /// In [low, high].
  int number(int low, int high) {
    return low + static_cast<int>(take<std::uint32_t>() % (static_cast<std::uint32_t>(high - low) + 1U));
  }
  std::string text(std::size_t most) {
    const std::size_t bytes = most < size_ - at_ ? most : size_ - at_;
    const std::string text(reinterpret_cast<const char*>(data_) + at_, bytes);
    at_ += bytes;
    return text;
  }
  std::string rest() { return text(size_); }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

/// A folder of this process for files that are read by their names; removed at its end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("rfseg-fuzz-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const char* name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace fuzz

/// What libFuzzer and driver.cpp call: 0 for every input; a fault or an exception is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
