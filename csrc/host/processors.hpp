// How much of the machine this process may use. Knows nothing of what it is used for.
#pragma once

namespace rfseg::host {

/// Physical cores that this process may run on; at least 1.
int physical_cores();

}  // namespace rfseg::host
