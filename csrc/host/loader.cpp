#include "host/loader.hpp"

#include <dlfcn.h>

namespace rfseg::host {

std::string loader_reason(const std::string& name) {
  const char* const said = dlerror();
  std::string reason = said != nullptr ? said : "the loader gives no reason";
  if (reason.rfind(name + ": ", 0) == 0) reason.erase(0, name.size() + 2);
  return reason;
}

}  // namespace rfseg::host
