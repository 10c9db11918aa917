// Finds the TensorRT runtime, opens it and makes its runtime object. Refuses a library whose interface it does not know
// for sure, before anything is run with it. Knows no engine.
#pragma once

#include "network/tensorrt/log.hpp"
#include "network/tensorrt/object.hpp"

#include <rfseg/segmenter.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rfseg::network::tensorrt {

/// Where to look. What is named explicitly, `path` or else RFSEG_TENSORRT, is the only place looked at.
struct Search {
  /// Of libnvinfer or libnvinfer_lean.
  std::string path = {};
  /// Such as site-packages/tensorrt_libs; looked through before the loader's own.
  std::vector<std::string> folders = {};
};

/// An opened TensorRT runtime library. It stays loaded for the life of this program: it starts threads and registers
/// handlers that outlive its objects. Immutable; every thread may use it.
class Library {
 public:
  /// `log` receives TensorRT's messages while this Library exists. Needs no GPU.
  /// @throws BackendError  no usable library: names each one tried and why it was refused
  Library(const Search& search, const LogCallback& log);
  ~Library();  ///< waits for a message that is being passed on
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }  ///< "10.6.0"
  const Entries& entries() const { return *entries_; }
  Log& log() const { return *log_; }

  /// Makes a runtime object and checks that it is driven rightly. The device is current.
  /// `allow_engine_code`: engines may bring machine code of their own; only for files that are trusted.
  /// @throws BackendError  no usable driver, no runtime, or an interface that is not the expected one
  Object create_runtime(bool allow_engine_code) const;

  /// "TensorRT 10.6.0 (/path/libnvinfer.so.10)".
  std::string text() const { return "TensorRT " + version_ + " (" + path_ + ")"; }

 private:
  using CreateRuntime = void* (*)(void* logger, std::int32_t version);

  bool open(const std::string& name, std::string& reason);
  void check_runtime(void* runtime, const std::string& what) const;

  std::string path_;
  std::string version_;
  std::int32_t version_number_ = 0;
  const Entries* entries_ = nullptr;
  CreateRuntime create_ = nullptr;
  std::shared_ptr<Log> log_;
};

}  // namespace rfseg::network::tensorrt
