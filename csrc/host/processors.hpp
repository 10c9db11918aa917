// How much of the machine this process may use. Knows nothing of what it is used for.
#pragma once

#include <string>

namespace rfseg::host {

/// Processors that this process may use, by its affinity mask and by the quota of its cgroups, rounded up; at least 1.
int processors();

/// Physical cores among those; at least 1. Two hardware threads of a core share its arithmetic units, so a network
/// gains nothing from the second.
int physical_cores();

/// The least quota of the cgroup that `membership` (the text of /proc/self/cgroup) names, and of those around it, in
/// processors; 0 when there is none. `root`: where the cgroup file systems are mounted.
double cgroup_quota(const std::string& root, const std::string& membership);

}  // namespace rfseg::host
