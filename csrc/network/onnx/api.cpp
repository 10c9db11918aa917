// Opens ONNX Runtime's shared library and reads its function table. Refuses a library before calling anything
// in it that its version may lack.
#include "network/onnx/api.hpp"

#include "host/loader.hpp"
#include "network/onnx/places.hpp"

#include <rfseg/error.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace rfseg::network::onnx {
namespace {

// Release 1.N has API version N. Wheels before 1.19 carry no library.
constexpr unsigned kMinimumMinor = 19;

constexpr const char* kFix = "Fix: pip install onnxruntime, or set RFSEG_ONNXRUNTIME to the path of libonnxruntime.so";

struct ApiBase {
  const void* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};

/// Why a release cannot be used; "" when it can. The minor number decides how long the function table is.
std::string version_problem(std::string_view version) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = version.data() + version.size();
  const auto dot = std::from_chars(version.data(), end, major);
  if (dot.ec == std::errc() && dot.ptr != end && *dot.ptr == '.' &&
      std::from_chars(dot.ptr + 1, end, minor).ec == std::errc() && major == 1 && minor >= kMinimumMinor)
    return "";
  return "version " + std::string(version) + " is not supported: 1." + std::to_string(kMinimumMinor) +
         " or a later 1.x is needed";
}

std::string mapped_path(const void* symbol, const std::string& opened_as) {
  Dl_info info{};
  return dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : opened_as;
}

/// Opens `name`, or says in `reason` why it cannot be used.
std::optional<Library> try_library(const std::string& name, std::string& reason) {
  // RTLD_NODELETE: the library's threads and statics do not survive being unmapped.
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    reason = host::loader_reason(name);
    return std::nullopt;
  }
  void* symbol = dlsym(library, "OrtGetApiBase");
  if (symbol == nullptr) {
    reason = "it is not ONNX Runtime: it does not export OrtGetApiBase";
    return std::nullopt;
  }
  const ApiBase* base = reinterpret_cast<const ApiBase* (*)()>(symbol)();
  const std::string version = base->get_version_string();
  // First the version: get_api() of a number that the library does not know prints to stderr.
  reason = version_problem(version);
  if (!reason.empty()) return std::nullopt;
  const void* table = base->get_api(kMinimumMinor);
  if (table == nullptr) {
    reason = "version " + version + " refuses interface version " + std::to_string(kMinimumMinor);
    return std::nullopt;
  }
  return Library{Api(SlotTable(table)), version, mapped_path(symbol, name)};
}

/// Removes "PATH.cc:123 " and the signature of a function that follows an absolute path.
void remove_source_location(std::string& text) {
  for (const char* extension : {".cc:", ".h:"}) {
    const std::size_t found = text.find(extension);
    if (found == std::string::npos) continue;
    const std::size_t before = text.find_last_of(" :\"", found);
    const std::size_t first = before == std::string::npos ? 0 : before + 1;
    std::size_t end = text.find(' ', found);
    if (text[first] == '/' && end != std::string::npos) {
      int depth = 0;
      for (end = std::min(text.find('(', end), text.size()); end < text.size(); ++end) {
        depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
        if (depth == 0) break;
      }
    }
    end = std::min(end, text.size());
    text.erase(first, std::min(text.find_first_not_of(' ', end + 1), text.size()) - first);
  }
}

}  // namespace

std::string one_line(std::string text) {
  text.erase(std::min(text.find('\n'), text.size()));
  constexpr std::string_view kFailed = " failed:";
  if (text.rfind("Load model from ", 0) == 0) {
    const std::size_t failed = text.find(kFailed);
    if (failed != std::string::npos) text.erase(0, failed + kFailed.size());
  }
  remove_source_location(text);
  return text;
}

std::string take_message(const Api& api, Status* status) {
  const Owned<Status> owned(status, api.release_status);
  return one_line(api.get_error_message(status));
}

void check(const Api& api, Status* status, const char* what) {
  if (status != nullptr) throw BackendError(std::string("ONNX Runtime: ") + what + ": " + take_message(api, status));
}

Library open_library(const std::string& path) {
  // Releases from 1.29 on upload events and write below ~/.cache unless this is set before their environment exists.
  setenv("ORT_DISABLE_TELEMETRY", "1", /*overwrite=*/0);
  std::string message = "no usable ONNX Runtime library:\n";
  for (const auto& [name, origin] : places(path)) {
    if (name.empty()) {
      message += "  " + origin + "\n";
      continue;
    }
    std::string reason;
    if (std::optional<Library> library = try_library(name, reason)) return *std::move(library);
    message += "  " + name + " (" + origin + "): " + reason + "\n";
  }
  throw BackendError(message + kFix);
}

}  // namespace rfseg::network::onnx
