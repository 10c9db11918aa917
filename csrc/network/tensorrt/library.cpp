// The search for libnvinfer, the version gate, and the checks of the runtime object.
#include "network/tensorrt/library.hpp"

#include "host/loader.hpp"

#include <rfseg/error.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace rfseg::network::tensorrt {

namespace {

constexpr const char* kFileNames[] = {"libnvinfer.so.11", "libnvinfer.so.10", "libnvinfer_lean.so.11",
                                      "libnvinfer_lean.so.10"};
constexpr const char* kFix =
    "Fix: pip install the tensorrt version that built the engine, or set RFSEG_TENSORRT to the path of libnvinfer.so";

struct Try {
  std::string name;
  std::string origin;
};

std::string no_files_in(const std::string& folder) {
  std::string line = "\n  " + folder + ": holds none of";
  for (const char* name : kFileNames) line += std::string(" ") + name;
  return line;
}

/// What to open, in order. Says in `report` which folders hold nothing.
std::vector<Try> tries_of(const Search& search, std::string& report) {
  if (!search.path.empty()) return {{search.path, "as given"}};
  const char* const variable = std::getenv("RFSEG_TENSORRT");
  if (variable != nullptr && *variable != '\0') return {{variable, "from RFSEG_TENSORRT"}};
  std::vector<Try> tries;
  for (const std::string& folder : search.folders) {
    const std::size_t before = tries.size();
    for (const char* name : kFileNames) {
      std::error_code ignored;
      const std::filesystem::path file = std::filesystem::path(folder) / name;
      if (std::filesystem::exists(file, ignored)) tries.push_back({file.string(), "from the folders searched"});
    }
    if (tries.size() == before) report += no_files_in(folder);
  }
  for (const char* name : {"libnvinfer.so.11", "libnvinfer.so.10"}) tries.push_back({name, "from the loader's search"});
  return tries;
}

template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  void* const address = dlsym(library, symbol);
  static_assert(sizeof function == sizeof address);
  std::memcpy(&function, &address, sizeof function);
  return address != nullptr;
}

/// TensorRT 8 and 9 counted major * 1000; from 10 on it is major * 10000. Both: + minor * 100 + patch.
std::string version_text(std::int32_t number) {
  const std::int32_t per_major = number >= 100000 ? 10000 : 1000;
  return std::to_string(number / per_major) + "." + std::to_string(number % per_major / 100) + "." +
         std::to_string(number % 100);
}

const Entries* entries_of(std::int32_t version) {
  for (const Entries* entries : {&kEntries10, &kEntries11}) {
    if (version / 10000 == entries->major && version >= entries->oldest_version) return entries;
  }
  return nullptr;
}

std::string loaded_path(const void* address, const std::string& opened_as) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : opened_as;
}

}  // namespace

Library::Library(const Search& search, const LogCallback& log) : log_(std::make_shared<Log>(log)) {
  std::string report = "no usable TensorRT library:";
  for (const auto& [name, origin] : tries_of(search, report)) {
    std::string reason;
    if (open(name, reason)) {
      listen(log_);
      return;
    }
    report += "\n  " + name + " (" + origin + "): " + reason;
  }
  throw BackendError(report + "\n" + kFix);
}

Library::~Library() { log_->fall_silent(); }

bool Library::open(const std::string& name, std::string& reason) {
  void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    reason = host::loader_reason(name);
    return false;
  }
  std::int32_t (*library_version)() = nullptr;
  if (!find(library, "getInferLibVersion", library_version) || !find(library, "createInferRuntime_INTERNAL", create_)) {
    reason = "it is not a TensorRT runtime: it does not export createInferRuntime_INTERNAL";
    return false;
  }
  version_number_ = library_version();
  version_ = version_text(version_number_);
  entries_ = entries_of(version_number_);
  path_ = loaded_path(reinterpret_cast<const void*>(create_), name);
  if (entries_ == nullptr) reason = "it is TensorRT " + version_ + ": 10.1 or a later 10.x, or 11.x, is needed";
  return entries_ != nullptr;
}

Object Library::create_runtime(bool allow_engine_code) const {
  log_->take_errors();
  const std::string what = text() + " runtime";  // before there is something to own
  // The version is the one a caller was compiled for; giving the library its own can never mismatch.
  void* const runtime = create_(shared_logger(entries_->major), version_number_);
  if (!is_object(runtime)) {
    const std::string errors = log_->take_errors();
    const bool driver = errors.find("CUDA initialization failure") != std::string::npos;
    throw BackendError(text() +
                       (driver ? " finds no usable NVIDIA driver: none, or older than this build's CUDA version"
                               : " did not create a runtime") +
                       (errors.empty() ? ", and gives no reason" : ": " + errors));
  }
  check_runtime(runtime, what);
  const RuntimeEntries& entry = entries_->runtime;
  call<void>(runtime, entry.set_host_code, allow_engine_code);
  if (call<bool>(runtime, entry.get_host_code) != allow_engine_code) {
    throw_mismatch(what, "the switch for engine code is not kept");
  }
  return Object(runtime);  // owned only when every check has passed: what fails one is left alone
}

void Library::check_runtime(void* runtime, const std::string& what) const {
  const RuntimeEntries& entry = entries_->runtime;
  const std::uintptr_t library = library_of(reinterpret_cast<const void*>(create_));
  const std::string odd = check_object(runtime, {what.c_str(), entry.self, entry.last, library});
  if (!odd.empty()) throw_mismatch(what, "the implementation names another object as its own");

  // The logger comes back only from where the right list says it is. When another part of this program made the first
  // runtime, TensorRT keeps that logger and hands it out here.
  void* const logger = call<void*>(runtime, entry.get_logger);
  if (logger != shared_logger(entries_->major)) {
    if (!is_object(logger) || !readable(logger, sizeof(void*)) || library_of(word_at(logger, 0)) == 0) {
      throw_mismatch(what, "it does not name the logger it was given");
    }
    log_->warn("another part of this program gave TensorRT its logger first: messages go there");
  }
  const bool limited = call<std::int32_t>(runtime, entry.get_max_threads) >= 1 &&
                       call<bool>(runtime, entry.set_max_threads, std::int32_t{1}) &&
                       call<std::int32_t>(runtime, entry.get_max_threads) == 1;
  if (!limited) throw_mismatch(what, "the thread limit is not kept");
}

}  // namespace rfseg::network::tensorrt
