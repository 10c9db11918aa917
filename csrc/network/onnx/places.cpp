#include "network/onnx/places.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace rfseg::network::onnx {
namespace {

namespace fs = std::filesystem;

/// The newest library of the pip package in `site`, a folder of installed packages.
Place packaged(const fs::path& site, const std::string& whose) {
  const fs::path folder = site / "onnxruntime" / "capi";
  std::vector<std::string> found;
  std::error_code unreadable;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, unreadable))
    if (entry.path().filename().string().rfind("libonnxruntime.so.", 0) == 0) found.push_back(entry.path().string());
  if (found.empty()) return {"", "no libonnxruntime.so.* in " + folder.string() + " (" + whose + ")"};
  return {*std::max_element(found.begin(), found.end()), "from " + whose};
}

/// The folder that holds the file of this code.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code gone;
  return fs::weakly_canonical(info.dli_fname, gone).parent_path();
}

}  // namespace

std::vector<Place> places(const std::string& given) {
  if (!given.empty()) return {{given, "as given"}};
  const char* const variable = std::getenv("RFSEG_ONNXRUNTIME");
  if (variable != nullptr && *variable != '\0') return {{variable, "from RFSEG_ONNXRUNTIME"}};
  std::vector<Place> found = {{"libonnxruntime.so.1", "from the loader's search"},
                              {"libonnxruntime.so", "from the loader's search"}};
  const fs::path folder = own_folder();  // of a wheel: site-packages/rfseg/lib
  if (folder.filename() == "lib" && folder.parent_path().filename() == "rfseg")
    found.push_back(packaged(folder.parent_path().parent_path(), "the Python packages beside rfseg"));
#ifdef RFSEG_CONFIGURED_SITE
  found.push_back(packaged(RFSEG_CONFIGURED_SITE, "the Python that rfseg was configured with"));
#endif
  return found;
}

}  // namespace rfseg::network::onnx
