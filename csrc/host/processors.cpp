// Asks the kernel: the affinity mask, the processors' topology, and the quotas of both kinds of cgroup.
#include "host/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

namespace rfseg::host {
namespace {

/// False where the kernel knows more processors than the set has bits.
bool allowed_processors(cpu_set_t& allowed) {
  CPU_ZERO(&allowed);
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0;
}

int known_processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

/// A number that the kernel tells about `cpu`; `otherwise` when it does not.
int topology(int cpu, const char* what, int otherwise) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + what);
  int value = 0;
  return file >> value ? value : otherwise;
}

/// quota / period of one group; 0 when it has no limit.
double quota_of(const std::filesystem::path& group, bool unified) {
  double quota = 0, period = 0;
  if (unified) {
    std::ifstream file(group / "cpu.max");  // "max 100000" or "150000 100000"
    if (!(file >> quota >> period)) return 0;
  } else {
    std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return 0;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

/// The least quota on the way from `group` up to the root of its file system.
double least_quota(const std::filesystem::path& mount, std::filesystem::path group, bool unified) {
  double least = 0;
  for (;; group = group.parent_path()) {
    const double quota = quota_of(mount / group.relative_path(), unified);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
    if (!group.has_relative_path()) return least;
  }
}

std::string text_of(const char* file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

int limited_by_quota(int count) {
  const double quota = cgroup_quota("/sys/fs/cgroup", text_of("/proc/self/cgroup"));
  return quota > 0 ? std::clamp(static_cast<int>(std::ceil(quota)), 1, count) : count;
}

}  // namespace

double cgroup_quota(const std::string& root, const std::string& membership) {
  double least = 0;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:group
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",cpu,") == std::string::npos) continue;
    const double quota = least_quota(unified ? root : root + "/cpu", line.substr(second + 1), unified);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
  }
  return least;
}

int processors() {
  cpu_set_t allowed;
  return limited_by_quota(allowed_processors(allowed) ? std::max(1, CPU_COUNT(&allowed)) : known_processors());
}

int physical_cores() {
  cpu_set_t allowed;
  if (!allowed_processors(allowed)) return limited_by_quota(known_processors());
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) cores.emplace(topology(cpu, "physical_package_id", 0), topology(cpu, "core_id", cpu));
  return limited_by_quota(std::max(1, static_cast<int>(cores.size())));
}

}  // namespace rfseg::host
