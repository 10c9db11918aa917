// The digest that sidecar files state of the file they describe. FIPS 180-4.
#pragma once

#include <string>

namespace rfseg::network {

/// SHA-256 of the file `path`, 64 hexadecimal digits in lower case. Reads the file; waits.
/// @throws ModelError  it cannot be read
std::string sha256_of_file(const std::string& path);

}  // namespace rfseg::network
