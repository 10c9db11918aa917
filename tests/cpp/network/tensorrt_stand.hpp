// What the tests of csrc/network/tensorrt share: both stand-ins, and an engine file.
#pragma once

#include "cuda/cuda_stand.hpp"
#include "network/tensorrt/engine.hpp"
#include "stand_ins/stand_in_tensorrt.hpp"

#include <rfseg/segmenter.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace stand_in {

inline bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("'" << text << "' does not contain '" << part << "'");
  return false;
}

/// A folder of its own, with an engine file in it; removed at the end.
struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rfseg-trt-XXXXXX").string();
    path = mkdtemp(pattern.data());
    write("model.engine", "a plan");
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
  std::filesystem::path path;
};

/// Both stand-ins, emptied, and one well-behaved engine.
struct TensorRtStand : Stand {
  explicit TensorRtStand(std::int32_t version = 100600) : tensorrt(stand_in::tensorrt(RFSEG_STAND_IN_TENSORRT)) {
    tensorrt.reset();
    tensorrt.set_version(version);
    options.library = RFSEG_STAND_IN_TENSORRT;
    options.log = [this](rfseg::LogLevel level, const std::string& text) { logged.emplace_back(level, text); };
  }
  ~TensorRtStand() {
    CHECK(tensorrt.live().empty());
    CHECK(tensorrt.misuses().empty());
    tensorrt.reset();
  }
  rfseg::network::TensorRtEngine open() const {
    return rfseg::network::TensorRtEngine((folder.path / "model.engine").string(), device, options);
  }
  std::string log_text() const {
    std::string all;
    for (const auto& [level, text] : logged) all += text + "\n";
    return all;
  }

  /// The message of the exception that opening the engine, and with `context` making a context, throws.
  template <class Exception>
  std::string refusal(Misbehaviour how, bool context = false) {
    tensorrt.misbehave(how);
    try {
      const rfseg::network::TensorRtEngine engine = open();
      if (context) engine.make_context();
    } catch (const Exception& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

  TensorRt& tensorrt;
  Folder folder;
  rfseg::network::TensorRtOptions options;
  std::vector<std::pair<rfseg::LogLevel, std::string>> logged;
};

}  // namespace stand_in
