// Counts the physical cores that this process may run on. Two hardware threads of a core share its arithmetic units, so
// a network gains nothing from the second.
#include "host/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

namespace rfseg::host {
namespace {

/// A number that the kernel tells about `cpu`; `otherwise` when it does not.
int topology(int cpu, const char* what, int otherwise) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + what);
  int value = 0;
  return file >> value ? value : otherwise;
}

}  // namespace

int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails where the kernel knows more CPUs than the set has bits.
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) cores.emplace(topology(cpu, "physical_package_id", 0), topology(cpu, "core_id", cpu));
  return std::max(1, static_cast<int>(cores.size()));
}

}  // namespace rfseg::host
