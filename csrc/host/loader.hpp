// What the system's loader says. Knows no library.
#pragma once

#include <string>

namespace rfseg::host {

/// Why dlopen(`name`) on this thread has just failed, without the name, which the caller's sentence has.
std::string loader_reason(const std::string& name);

}  // namespace rfseg::host
